//! `cargo dev …`: runs, tests, measures and deploys Membermail.

use anyhow::Result;
use clap::{Parser, Subcommand};

mod archive;
mod aws;
mod bench;
mod builds;
mod deploy;
#[cfg(test)]
mod documented;
mod dynamodb;
mod emulator;
mod fakes;
mod front;
mod functions;
mod fuzz;
mod lint;
mod mail;
mod mailbox;
mod permissions;
mod received_mail;
mod redaction;
mod routes;
mod run_record;
mod secrets;
mod serve;
mod shutdown;
mod site;
mod smoke;
mod source;
mod stack;
mod stack_file;
mod test;
mod tools;
mod up;
mod watch;

/// Run, test, measure and deploy Membermail
#[derive(Debug, Parser)]
#[command(name = "cargo dev", bin_name = "cargo dev")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the whole stack on this machine, offline, until Ctrl-C
    Up(up::Options),
    /// Like `up`, but rebuild a function when its source changes
    Watch(up::Options),
    /// Serve the functions by `cargo lambda watch` beside a running stack; `cargo serve` for short
    Serve(serve::Options),
    /// Stop `cargo dev up` or `cargo dev watch`
    Down(run_record::Name),
    /// Deploy a local stack and run all tests against it
    Test(test::Options),
    /// Fuzz the protocol of alias-map
    Fuzz(fuzz::Options),
    /// Check everything that needs no running site: formatting, lints, dependencies, template, documentation
    Lint,
    /// Install all tools
    Tools {
        /// AWS emulator
        #[arg(long, value_enum, default_value_t, env = emulator::VARIABLE)]
        emulator: emulator::Emulator,
    },
    /// Run a benchmark; fails if a target is missed
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Build the functions and deploy them to AWS
    Deploy(deploy::Options),
    /// Check a deployed stack: permissions of each role, stages, health, queues, first responses
    Smoke(smoke::Options),
}

#[tokio::main]
async fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Up(options) => up::up(&options).await,
        Command::Watch(options) => watch::watch(&options).await,
        Command::Serve(options) => serve::serve(&options),
        Command::Down(name) => up::down(&name),
        Command::Test(options) => test::test(&options).await,
        Command::Fuzz(options) => fuzz::fuzz(&options),
        Command::Lint => lint::lint(),
        Command::Tools { emulator } => tools::install().and_then(|()| emulator::install(emulator)),
        Command::Bench(benchmark) => bench::run(&benchmark).await,
        Command::Deploy(options) => deploy::deploy(&options).await,
        Command::Smoke(options) => smoke::smoke(options).await,
    }
}
