//! `cargo dev deploy`: to AWS, with the account and region that the AWS command line is set up for.

use anyhow::Result;

use crate::aws::cli;
use crate::functions::{build_for_aws, said};
use crate::{site, stack, tools};

/// Where to and with what.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// A bucket of yours for the code
    #[arg(long)]
    bucket: String,
    /// The stack's name
    #[arg(long, default_value = stack::NAME)]
    stack: String,
    /// Parameters of template.yaml, as Name=Value
    #[arg(long = "parameter", value_name = "NAME=VALUE")]
    parameters: Vec<String>,
}

/// Builds small and for ARM, uploads, and lets CloudFormation change what has changed.
pub(crate) fn deploy(options: &Options) -> Result<()> {
    tools::install()?;
    let architecture = options.parameters.iter().find_map(|one| one.strip_prefix("Architecture="));
    build_for_aws(architecture.unwrap_or("arm64"))?;
    let state = site::state("deploy");
    std::fs::create_dir_all(&state)?;
    let packaged = state.join("packaged.yaml");
    let mut package = cli(None);
    package.args(["cloudformation", "package", "--template-file", "template.yaml"]);
    package.args(["--s3-bucket", &options.bucket, "--output-template-file"]).arg(&packaged);
    said(&mut package)?;
    let mut deploy = cli(None);
    deploy.args(["cloudformation", "deploy", "--stack-name", &options.stack, "--template-file"]).arg(&packaged);
    deploy.args(["--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND", "--no-fail-on-empty-changeset"]);
    if !options.parameters.is_empty() {
        deploy.arg("--parameter-overrides").args(&options.parameters);
    }
    said(&mut deploy)
}
