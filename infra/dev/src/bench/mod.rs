//! `cargo dev bench …`: figures that the project promises, measured on this machine, and an error where one is missed.

use anyhow::{Result, bail};
use serde_json::Value;

mod aws_over_tls;
mod callbacks;
mod counting;
mod dynamodb;
mod figures;
mod grants;
mod growth;
mod invoker;
mod mail;
mod name_server;
mod runtime_api;
mod sign_in;
mod start;
mod sync;
mod up;

/// What is measured.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Bench {
    /// Size of each function, its way from process start to the first answer, and its memory
    Start(start::Options),
    /// From the browser's return to the alias in the table, what that costs, and the callback beside passport-ubuntu's
    SignIn(sign_in::Options),
    /// A sync of a team of 1,000, 10,000 and 100,000: the first, one without a change, one with some, and one resumed; and
    /// the wait of a sign-in during a first sync
    Sync(sync::Options),
    /// What a month costs at list prices by the size of the community, and what of each it takes
    Growth(growth::Options),
    /// Look-ups of alias-map, beside Postfix's own tables
    Mail(mail::Options),
    /// From the command to the site, the first and the second time
    Up(up::Options),
}

/// Measures and tells.
pub(crate) async fn bench(what: &Bench) -> Result<()> {
    match what {
        Bench::Start(options) => start::start(options).await,
        Bench::SignIn(options) => sign_in::sign_in(options).await,
        Bench::Sync(options) => sync::sync(options).await,
        Bench::Growth(options) => growth::growth(options).await,
        Bench::Mail(options) => mail::bench(options).await,
        Bench::Up(options) => up::up(options).await,
    }
}

/// Prints JSON or a table of Markdown, and fails if something was missed.
fn report(json: Option<&Value>, table: &[Vec<String>], missed: &[String]) -> Result<()> {
    match json {
        Some(value) => println!("{value:#}"),
        None => println!("{}", figures::markdown(table)),
    }
    if missed.is_empty() { Ok(()) } else { bail!("missed:\n  {}", missed.join("\n  ")) }
}
