//! `cargo dev smoke`: checks a deployed stack on a real account.

use std::process::Command;

use anyhow::{Result, bail};
use membermail_smoke::Aws;

use crate::{aws, tools};

/// Variable with the address of an emulator.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// Options of `cargo dev smoke`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Name of the stack
    #[arg(long, default_value = crate::stack::NAME)]
    stack: String,
    /// Region, if not the configured one
    #[arg(long)]
    region: Option<String>,
    /// Profile of the AWS configuration
    #[arg(long)]
    profile: Option<String>,
    /// Address of the site, if not the stack's output `Url`
    #[arg(long)]
    url: Option<String>,
    /// Check only this role, such as `SsoRole`, and measure nothing; can be repeated
    #[arg(long = "role")]
    roles: Vec<String>,
    /// Create and delete temporary roles, and measure the first responses of the functions
    #[arg(long)]
    yes: bool,
}

/// Checks the stack and prints the report, also as Markdown.
pub(crate) async fn smoke(options: Options) -> Result<()> {
    tools::install()?;
    let Options { stack, region, profile, url, roles, yes } = options;
    let config = membermail_smoke::sdk_config(region.as_deref(), profile.as_deref()).await;
    let command = || command(region.as_deref(), profile.as_deref());
    let is_aws = std::env::var_os(ENDPOINT).is_none();
    let options = membermail_smoke::Options { stack, url, roles, may_change: yes, is_aws };
    let report = membermail_smoke::run(&Aws(&command), &config, &options).await?;
    println!("{report}\nTo record in docs/smoke.md and docs/benchmarks.md:\n\n{}", report.markdown());
    if !report.has_passed() {
        bail!("the stack {} is not as it should be", options.stack);
    }
    Ok(())
}

fn command(region: Option<&str>, profile: Option<&str>) -> Command {
    let mut command = aws::cli(None);
    // The command line ignores the variable for SQS, where it prefers an old host name.
    if let Some(endpoint) = std::env::var_os(ENDPOINT) {
        command.arg("--endpoint-url").arg(endpoint);
    }
    if let Some(region) = region {
        command.args(["--region", region]);
    }
    if let Some(profile) = profile {
        command.args(["--profile", profile]);
    }
    command
}
