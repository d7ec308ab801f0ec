//! `cargo dev …`: everything that a developer does with this project beside writing it.

use anyhow::Result;
use clap::{Parser, Subcommand};

mod archive;
mod aws;
mod bench;
mod check;
mod deploy;
mod emulator;
mod front;
mod functions;
mod fuzz;
mod mail;
mod mailbox;
mod redaction;
mod rights;
mod site;
mod source;
mod stack;
mod stand_ins;
mod state;
mod test;
mod tools;
mod up;
mod watch;

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
    /// Start the site with functions that follow the sources while you edit them, until Ctrl-C
    Watch(up::Options),
    /// Stop what `cargo dev up` or `cargo dev watch` started
    Down(up::Name),
    /// Run all tests, those of the deployed stack too
    Test(test::Options),
    /// Give alias-map what nobody thought of, for a while
    Fuzz(fuzz::Options),
    /// Check formatting, lints and the template
    Lint,
    /// Install the tools that all this needs
    Tools {
        /// What is to stand for AWS
        #[arg(long, value_enum, default_value_t, env = emulator::VARIABLE)]
        emulator: emulator::Emulator,
    },
    /// Measure what the project promises
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Build for AWS and deploy there
    Deploy(deploy::Options),
}

#[tokio::main]
async fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Up(options) => up::up(&options).await,
        Command::Watch(options) => watch::watch(&options).await,
        Command::Down(name) => up::down(&name),
        Command::Test(options) => test::test(&options).await,
        Command::Fuzz(options) => fuzz::fuzz(&options),
        Command::Lint => check::lint(),
        Command::Tools { emulator } => tools::install().and_then(|()| emulator::install(emulator)),
        Command::Bench(what) => bench::bench(&what).await,
        Command::Deploy(options) => deploy::deploy(&options),
    }
}
