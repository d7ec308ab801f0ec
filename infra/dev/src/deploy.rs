//! `cargo dev deploy`: to AWS, with the account and region that the AWS command line is set up for.

use std::path::Path;

use anyhow::{Context, Result, bail};
use membermail_toolbox::step;

use crate::aws::cli;
use crate::functions::{lay_out_for_aws, said};
use crate::{site, source, stack, tools};

/// Where to and with what.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// A bucket of yours for the code
    #[arg(long)]
    bucket: Option<String>,
    /// The stack's name
    #[arg(long, default_value = stack::NAME)]
    stack: String,
    /// Parameters of template.yaml, as Name=Value
    #[arg(long = "parameter", value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    /// Deploy what is in target/lambda already
    #[arg(long)]
    skip_build: bool,
}

/// Builds small and for ARM, uploads, and lets CloudFormation change what has changed, by a change set.
pub(crate) fn deploy(options: &Options) -> Result<()> {
    tools::install()?;
    // First what can be missing: nobody should have to wait for a build to hear it.
    let bucket = ready(options.bucket.as_deref())?;
    if !options.skip_build {
        let architecture = options.parameters.iter().find_map(|one| one.strip_prefix("Architecture="));
        lay_out_for_aws(architecture.unwrap_or("arm64"))?;
    }
    let state = site::state(&format!("deploy-{}", options.stack));
    std::fs::create_dir_all(&state)?;
    let packaged = state.join("packaged.yaml");
    step::during("package the functions", || package(bucket, &packaged))?;
    let mut deploy = cli(None);
    deploy.args(["cloudformation", "deploy", "--stack-name", &options.stack, "--template-file"]).arg(&packaged);
    // In a request itself, a template has 51,200 bytes at most.
    deploy.args(["--s3-bucket", bucket]);
    deploy.args(["--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND", "--no-fail-on-empty-changeset"]);
    deploy.arg("--parameter-overrides").arg(format!("{}={}", source::PARAMETER, source::source()));
    deploy.args(&options.parameters);
    said(&mut deploy)
}

/// Zips and uploads the functions, and writes the template that says where they are.
fn package(bucket: &str, packaged: &Path) -> Result<()> {
    let mut package = cli(None);
    package.args(["cloudformation", "package", "--template-file", "template.yaml", "--s3-bucket", bucket]);
    step::quietly(package.arg("--output-template-file").arg(packaged))?;
    Ok(())
}

/// Whether the account, the region and the bucket are there; says what to do where one is not.
fn ready(bucket: Option<&str>) -> Result<&str> {
    let Some(bucket) = bucket else {
        bail!("the code goes to AWS by a bucket of yours: name it by --bucket (`aws s3 mb s3://NAME` makes one)");
    };
    let region = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().any(|name| std::env::var_os(name).is_some());
    if !region && step::quietly(cli(None).args(["configure", "get", "region"])).is_err() {
        bail!("no region: set AWS_REGION, or run `aws configure`");
    }
    step::quietly(cli(None).args(["sts", "get-caller-identity"]))
        .context("AWS does not know you: run `aws configure` or `aws sso login`, or set AWS_PROFILE")?;
    step::quietly(cli(None).args(["s3api", "head-bucket", "--bucket", bucket]))
        .with_context(|| format!("the bucket {bucket} is not there for you: `aws s3 mb s3://{bucket}` makes it"))?;
    Ok(bucket)
}
