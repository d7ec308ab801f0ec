//! `membermail`: what an operator does with the service, on AWS and on one machine alike. See `docs/membermail.md`.

mod alias;
mod audit;
mod confirm;
mod doctor;
mod domain;
mod failure;
mod member;
mod operator;
mod output;
mod place;
mod progress;
mod queue;
mod restore;
mod secret;
mod sync;
#[cfg(test)]
mod views_tests;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::failure::Failure;
use crate::operator::Operator;
use crate::output::Output;
use crate::place::Place;

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 held back, 5 busy or not yet.";

/// Operates Membermail: syncs, members, addresses, domains, the audit log and the queues.
#[derive(Debug, Parser)]
#[command(name = "membermail", version, after_help = EXIT_CODES, arg_required_else_help = true)]
struct Arguments {
    /// Print JSON for programs
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    operator: operator::Who,
    #[command(flatten)]
    place: place::Where,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Keep a domain's addresses in step with its team
    #[command(subcommand)]
    Sync(sync::Command),
    /// Look at a member, or ban one
    #[command(subcommand)]
    Member(member::Command),
    /// Look at an address, or send it a test mail
    #[command(subcommand)]
    Alias(alias::Command),
    /// Look at the domains and what proves them
    #[command(subcommand)]
    Domain(domain::Command),
    /// Read the audit log: who did what to which address, when and why
    Audit(audit::Options),
    /// Look at the dead-letter queues and send their messages back
    #[command(subcommand)]
    Queue(queue::Command),
    /// After a point-in-time restore: make the restored table safe before it is used
    #[command(subcommand)]
    Restore(restore::Command),
    /// Change the master secret, and lose nothing that it has sealed
    #[command(subcommand)]
    Secret(secret::Command),
    /// Check the services that we depend on, before the first sync; needs no AWS
    #[command(subcommand)]
    Doctor(doctor::Command),
    /// Print the completions of a shell
    Completions {
        /// Which
        shell: Shell,
    },
}

/// What a command works with.
struct Context {
    place: Place,
    operator: Operator,
    output: Output,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { json, operator, place, command } = Arguments::parse();
    let output = Output::new(json);
    match run(command, operator, place, output).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.fail(&failure);
            failure.code()
        }
    }
}

async fn run(command: Command, operator: operator::Who, place: place::Where, output: Output) -> Result<(), Failure> {
    if let Command::Completions { shell } = command {
        clap_complete::generate(shell, &mut Arguments::command(), "membermail", &mut std::io::stdout());
        return Ok(());
    }
    let context = &Context { place: Place::new(place).await, operator: Operator::new(operator), output };
    match command {
        Command::Sync(command) => sync::run(context, command).await,
        Command::Member(command) => member::run(context, command).await,
        Command::Alias(command) => alias::run(context, command).await,
        Command::Domain(command) => domain::run(context, command).await,
        Command::Audit(options) => audit::run(context, options).await,
        Command::Queue(command) => queue::run(context, command).await,
        Command::Restore(command) => restore::run(context, command).await,
        Command::Secret(command) => secret::run(context, command).await,
        Command::Doctor(command) => doctor::run(context, command).await,
        Command::Completions { .. } => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_can_be_parsed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn what_is_for_all_commands_can_be_said_behind_each() {
        let mut all = Arguments::command();
        all.build();
        let mut open = vec![&all];
        while let Some(command) = open.pop() {
            open.extend(command.get_subcommands().filter(|one| one.get_name() != "help"));
            for flag in [
                "json",
                "as",
                "stack",
                "table",
                "community",
                "launchpad",
                "sync-queue",
                "notify-queue",
                "master-secret",
            ] {
                let there = command.get_arguments().any(|argument| argument.get_long() == Some(flag));
                assert!(there, "{} has no --{flag}", command.get_name());
            }
        }
    }
}
