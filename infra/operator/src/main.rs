//! `membermail`: the operator's command line, for AWS and for local stacks. See `docs/membermail.md`.

mod alias;
mod audit;
mod confirm;
mod context;
mod deployment;
mod doctor;
#[cfg(test)]
mod documented;
mod domain;
mod failure;
mod member;
mod operator;
mod output;
mod progress;
mod queue;
mod restore;
mod secret;
mod sync;
mod views;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::context::Context;
use crate::deployment::Deployment;
use crate::failure::Failure;
use crate::operator::Operator;
use crate::output::Output;

const EXIT_CODES: &str = "Exit codes: 0 success, 1 failure, 2 usage error, 3 not found, 4 held, 5 busy or timeout.";

/// Operate Membermail: syncs, members, addresses, domains, the audit log and the queues
#[derive(Debug, Parser)]
#[command(name = "membermail", version, after_help = EXIT_CODES, arg_required_else_help = true)]
struct Arguments {
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    operator: operator::OperatorArgs,
    #[command(flatten)]
    deployment: deployment::DeploymentArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Sync the addresses of a domain with its team
    #[command(subcommand)]
    Sync(sync::Command),
    /// Show, ban, link, limit, export and erase members
    #[command(subcommand)]
    Member(member::Command),
    /// Show an address, or send a test mail to it
    #[command(subcommand)]
    Alias(alias::Command),
    /// Show, verify and retire domains, and manage their admins
    #[command(subcommand)]
    Domain(domain::Command),
    /// Search the audit log
    Audit(audit::Options),
    /// Show and redrive dead letters
    #[command(subcommand)]
    Queue(queue::Command),
    /// Prepare a restored table before it is used
    #[command(subcommand)]
    Restore(restore::Command),
    /// Rotate the master secret
    #[command(subcommand)]
    Secret(secret::Command),
    /// Check the services that Membermail depends on; needs no AWS
    #[command(subcommand)]
    Doctor(doctor::Command),
    /// Print a completion script
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { json, operator, deployment, command } = Arguments::parse();
    let output = Output::new(json);
    match run(command, operator, deployment, output).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.fail(&failure);
            failure.code()
        }
    }
}

async fn run(
    command: Command,
    operator: operator::OperatorArgs,
    deployment: deployment::DeploymentArgs,
    output: Output,
) -> Result<(), Failure> {
    if let Command::Completions { shell } = command {
        clap_complete::generate(shell, &mut Arguments::command(), "membermail", &mut std::io::stdout());
        return Ok(());
    }
    let context = &Context { deployment: Deployment::new(deployment).await, operator: Operator::new(operator), output };
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
    fn command_definitions_are_valid() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_has_global_flags() {
        let mut root = Arguments::command();
        root.build();
        let mut pending = vec![&root];
        while let Some(command) = pending.pop() {
            pending.extend(command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help"));
            for flag in [
                "json",
                "as",
                "stack",
                "table",
                "community",
                "members-url",
                "sync-queue",
                "notify-queue",
                "master-secret",
            ] {
                let has_flag = command.get_arguments().any(|argument| argument.get_long() == Some(flag));
                assert!(has_flag, "{} has no --{flag}", command.get_name());
            }
        }
    }
}
