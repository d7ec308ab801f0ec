//! `membermail doctor …`: checks the services that Membermail depends on. It needs no AWS, except for a token in the stack's secret.

mod mail;
mod sign_in;

use membermail_core::community::{Community, Members};
use membermail_core::member::{Subject, TeamName};
use membermail_membership::{gitlab, launchpad};

use crate::context::Context;
use crate::failure::Failure;

/// The service to check.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Check our assumptions about the membership source, with one request at a time
    #[command(alias = "launchpad")]
    Members {
        // Not a doc comment: rustdoc rejects a URL that is not a link, and clap would show the brackets of one.
        #[arg(
            long,
            value_name = "IDENTITY",
            help = "Look up this identity: https://login.ubuntu.com/+id/…, or the id of a GitLab user"
        )]
        identity: Option<Subject>,
        /// Read this team or group [default: all of the community]
        #[arg(long = "team", alias = "group", value_name = "NAME")]
        teams: Vec<TeamName>,
    },
    /// Check the OpenID Connect provider: its metadata and keys against the community file, with two requests
    SignIn(sign_in::Options),
    /// Check a mail host and its DNS records from outside, without sending mail
    Mail(mail::Options),
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Members { identity, teams } => {
            let community = context.deployment.community_without_stack()?;
            let wrong = match &community.members {
                Members::Launchpad(_) => check_launchpad(context, &community, identity, teams).await?,
                Members::GitLab(_) => check_gitlab(context, &community, identity, teams).await?,
            };
            let title = community.members.title();
            match wrong {
                0 => Ok(()),
                1 => Err(Failure::Other(format!("1 assumption about {title} is wrong"))),
                count => Err(Failure::Other(format!("{count} assumptions about {title} are wrong"))),
            }
        }
        Command::SignIn(options) => sign_in::run(context, &options).await,
        Command::Mail(options) => mail::run(context, options).await,
    }
}

/// Checks Launchpad and returns the number of wrong assumptions.
async fn check_launchpad(
    context: &Context,
    community: &Community,
    identity: Option<Subject>,
    teams: Vec<TeamName>,
) -> Result<usize, Failure> {
    let client = context.deployment.launchpad_without_stack(community)?;
    let plan = launchpad::doctor::CheckPlan::new(community, identity, teams);
    let on_step = |step: &str| context.output.note(format_args!("checking: {step}"));
    let report = launchpad::doctor::examine(&client, &plan, on_step).await.map_err(Failure::other)?;
    context.output.show(&report)?;
    Ok(report.broken().count())
}

/// Checks a GitLab server and returns the number of wrong assumptions.
async fn check_gitlab(
    context: &Context,
    community: &Community,
    identity: Option<Subject>,
    groups: Vec<TeamName>,
) -> Result<usize, Failure> {
    let client = context.deployment.gitlab_without_stack(community).await?;
    let plan = gitlab::doctor::CheckPlan::new(community, identity, groups);
    let on_step = |step: &str| context.output.note(format_args!("checking: {step}"));
    let report = gitlab::doctor::examine(&client, &plan, on_step).await.map_err(Failure::other)?;
    context.output.show(&report)?;
    Ok(report.broken().count())
}
