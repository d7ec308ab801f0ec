//! `membermail doctor …`: checks the services that we depend on, before the first sync. It needs no AWS.

use membermail_core::member::{ClaimedIdentifier, TeamName};
use membermail_membership::launchpad::doctor::{Questions, examine};

use crate::Context;
use crate::failure::Failure;

/// Which service to check.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Ask Launchpad, anonymously and one request at a time, and report whether it answers as we expect
    Launchpad {
        /// Look up this identity under both roots: https://login.ubuntu.com/+id/…
        #[arg(long, value_name = "URL")]
        identity: Option<ClaimedIdentifier>,
        /// Read this team; all teams of the community where none is named
        #[arg(long = "team", value_name = "NAME")]
        teams: Vec<TeamName>,
    },
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Launchpad { identity, teams } => launchpad(context, identity, teams).await,
    }
}

async fn launchpad(
    context: &Context,
    identity: Option<ClaimedIdentifier>,
    teams: Vec<TeamName>,
) -> Result<(), Failure> {
    let community = context.place.community_without_stack()?;
    let client = context.place.launchpad_without_stack(&community)?;
    let questions = Questions::new(&community, identity, teams);
    let report = examine(&client, &questions, |step| context.output.note(format_args!("asking: {step}"))).await;
    let report = report.map_err(|cause| Failure::Other(cause.to_string()))?;
    context.output.show(&report)?;
    match report.broken().count() {
        0 => Ok(()),
        1 => Err(Failure::Other("Launchpad contradicts 1 assumption".to_owned())),
        count => Err(Failure::Other(format!("Launchpad contradicts {count} assumptions"))),
    }
}
