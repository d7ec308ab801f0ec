//! `cargo dev bench …`: benchmarks with targets. A missed target fails the command.

use anyhow::{Result, bail};
use serde_json::Value;

mod aws_over_tls;
mod browser;
mod callbacks;
mod community;
mod counting;
mod figures;
mod grants;
mod growth;
mod mail;
mod name_server;
mod probed_site;
mod runtime_api;
mod sign_in;
mod start;
mod sync;
mod up;

/// The benchmarks.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Bench {
    /// Size, cold start and memory of each function
    Start(start::Options),
    /// Latency and cost of a sign-in, and its callback alone
    SignIn(sign_in::Options),
    /// Cost of a sync by team size, and the wait of a sign-in during a first sync
    Sync(sync::Options),
    /// Monthly cost at list prices, by community size
    Growth(growth::Options),
    /// Lookups of alias-map, compared with Postfix's own tables
    Mail(mail::Options),
    /// Start time of `cargo dev up`
    Up(up::Options),
}

/// Runs a benchmark.
pub(crate) async fn run(benchmark: &Bench) -> Result<()> {
    match benchmark {
        Bench::Start(options) => start::start(options).await,
        Bench::SignIn(options) => sign_in::sign_in(options).await,
        Bench::Sync(options) => sync::sync(options).await,
        Bench::Growth(options) => growth::growth(options).await,
        Bench::Mail(options) => mail::bench(options).await,
        Bench::Up(options) => up::up(options).await,
    }
}

/// Prints JSON or a Markdown table, and fails if a target was missed.
fn report(json: Option<&Value>, table: &[Vec<String>], missed: &[String]) -> Result<()> {
    match json {
        Some(value) => println!("{value:#}"),
        None => println!("{}", figures::markdown(table)),
    }
    if missed.is_empty() { Ok(()) } else { bail!("missed targets:\n  {}", missed.join("\n  ")) }
}
