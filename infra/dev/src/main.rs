//! `cargo dev …`: everything that a developer does with this project beside writing it.

use anyhow::Result;
use clap::{Parser, Subcommand};

mod aws;
mod check;
mod deploy;
mod emulator;
mod front;
mod functions;
mod mail;
mod site;
mod stack;
mod stand_ins;
mod state;
mod test;
mod tools;
mod up;

/// Membermail on this machine, and from it to AWS.
#[derive(Debug, Parser)]
#[command(name = "cargo dev", bin_name = "cargo dev")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the site with all around it, offline, until Ctrl-C
    Up(up::Options),
    /// Stop what `cargo dev up` started
    Down,
    /// Run all tests, those of the deployed stack too
    Test(test::Options),
    /// Check formatting, lints and the template
    Lint,
    /// Install the tools that all this needs
    Tools,
    /// Build for AWS and deploy there
    Deploy(deploy::Options),
}

#[tokio::main]
async fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Up(options) => up::up(&options).await,
        Command::Down => up::down(),
        Command::Test(options) => test::test(&options).await,
        Command::Lint => check::lint(),
        Command::Tools => tools::install(),
        Command::Deploy(options) => deploy::deploy(&options),
    }
}
