//! `cargo dev deploy`: deploys to an AWS account with the AWS SDK, by change sets that are shown before they are executed.

use std::io::{stderr, stdin};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use aws_sdk_cloudformation::types::{ChangeSetType, Stack};
use console::style;
use membermail_core::clock::{Clock, SystemClock};
use membermail_toolbox::{step, workspace};

use self::account::Account;
use self::binary::Architecture;
use self::cloud::{ChangeSet, Cloud, Request, outputs_of, parameters_of};
use self::confirm::Mode;
use self::events::Event;
use self::parameters::{Parameters, Values};
use self::state::Target;
use self::template::Template;
use self::upload::Bucket;
use crate::{builds, functions, source, stack};

mod account;
mod artifacts;
mod aws_error;
mod binary;
mod changes;
mod cloud;
mod confirm;
mod events;
mod parameters;
mod poll;
mod quota;
mod state;
mod template;
mod upload;

/// The template's parameter that protects the table against deletion.
const PRODUCTION: &str = "Production";

/// Options of `cargo dev deploy`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// S3 bucket for the code, in the same account and region
    #[arg(long)]
    bucket: Option<String>,
    /// Name of the CloudFormation stack
    #[arg(long, default_value = stack::NAME)]
    stack: String,
    /// Parameter of template.yaml; repeat for several. Others keep their values, or take their defaults
    #[arg(long = "parameter", value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    /// AWS region [default: that of the profile or environment]
    #[arg(long)]
    region: Option<String>,
    /// Profile of the AWS configuration [default: AWS_PROFILE]
    #[arg(long)]
    profile: Option<String>,
    /// Tag of the stack and its resources; repeat for several. Without tags, the stack keeps its own
    #[arg(long, value_name = "KEY=VALUE")]
    tags: Vec<String>,
    /// Role with which CloudFormation changes the resources
    #[arg(long, value_name = "ARN")]
    role_arn: Option<String>,
    /// Show the changes and stop
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Do not ask before executing the changes
    #[arg(long)]
    yes: bool,
    /// With --yes, also replace or remove the table, secrets and queues
    #[arg(long, requires = "yes")]
    allow_data_loss: bool,
    /// Deploy the existing builds in target/lambda
    #[arg(long)]
    skip_build: bool,
    /// Folder of existing builds instead of target/lambda
    #[arg(long, value_name = "FOLDER", requires = "skip_build")]
    builds: Option<PathBuf>,
}

/// Builds and uploads the functions, and deploys the template with a change set.
pub(crate) async fn deploy(options: &Options) -> Result<()> {
    // Everything that can be wrong is checked before the long build.
    let Some(bucket) = options.bucket.as_deref() else {
        bail!("name an S3 bucket for the code with --bucket (create one with `aws s3 mb s3://NAME`)");
    };
    let mode = if options.dry_run { Mode::Ask } else { Mode::of(options.yes, options.allow_data_loss)? };
    let template_file = workspace().join("template.yaml");
    let text = std::fs::read_to_string(&template_file).context("cannot read template.yaml")?;
    let template = Template::parse(&text)?;
    let mut given = parameters::parse(&options.parameters)?;
    parameters::check(&template.parameters, &given)?;
    given.entry(source::PARAMETER.to_owned()).or_insert_with(source::source);
    let tags = parameters::parse(&options.tags)?;

    let account = Account::connect(options.region.as_deref(), options.profile.as_deref()).await?;
    let bucket = Bucket { s3: account.s3(), name: bucket, account: &account };
    account.check_bucket(&bucket.s3, bucket.name).await?;
    let (stack, region, profile) = (options.stack.clone(), account.region.clone(), options.profile.clone());
    let target = Target { stack, region, profile };
    let cloud = Cloud { client: aws_sdk_cloudformation::Client::new(&account.config), target: &target };
    let deployed = cloud.stack(&target.stack).await?;
    let kind = state::change_set_type(deployed.as_ref().and_then(|stack| stack.stack_status()), &target)?;
    let former = if kind == ChangeSetType::Update { deployed.as_ref().map(parameters_of) } else { None };
    let merged = parameters::merge(&template.parameters, &given, &former.unwrap_or_default())?;
    if let Some(available) = account.concurrency().await? {
        let queues = template.queue_concurrency(&merged.effective)?;
        quota::check(available, queues, &template.concurrency_parameters(), &account.region)?;
    }
    let architecture: Architecture = merged.effective.get("Architecture").map_or("arm64", String::as_str).parse()?;

    if !options.skip_build {
        functions::stage_for_aws(architecture.name())?;
    }
    let folder = options.builds.clone().unwrap_or_else(builds::for_aws);
    step::with_progress("check the builds", || artifacts::check(&folder, architecture))?;
    let (zips, packaged) = upload::prepare(&folder, &text, bucket.name)?;
    for upload in zips.iter().chain([&packaged]) {
        bucket.upload(upload).await?;
    }
    let deployment = Deployment {
        cloud: &cloud,
        template_url: &bucket.url(&packaged.key).await?,
        tags: &tags,
        role: options.role_arn.as_deref(),
        mode,
        dry_run: options.dry_run,
    };
    deployment.run(kind, merged, deployed.as_ref()).await
}

/// A deployment whose code is uploaded.
struct Deployment<'a> {
    cloud: &'a Cloud<'a>,
    template_url: &'a str,
    tags: &'a Values,
    role: Option<&'a str>,
    mode: Mode,
    dry_run: bool,
}

impl Deployment<'_> {
    /// Applies the parameters, protects the stack, and prints its URL.
    async fn run(&self, kind: ChangeSetType, parameters: Parameters, deployed: Option<&Stack>) -> Result<()> {
        let is_protected = parameters.is_true(PRODUCTION);
        // A creation that fails deletes its resources, which a protected table would prevent.
        let is_later = kind == ChangeSetType::Create && is_protected;
        let first = if is_later { parameters.clone().with(PRODUCTION, "false") } else { parameters.clone() };
        if is_later {
            println!("The table is created without protection, which follows in a second update.");
        }
        let Some(mut stack) = self.apply(kind, &first, self.mode, deployed).await? else { return Ok(()) };
        if is_later {
            println!("Protect the table:");
            // Confirmed with the creation.
            let update = self.apply(ChangeSetType::Update, &parameters, Mode::Yes, Some(&stack)).await;
            let protected = update
                .context("the stack is created, but its table is not protected: deploy again with Production=true")?;
            stack = protected.unwrap_or(stack);
        }
        if is_protected {
            self.cloud.protect().await?;
        }
        match outputs_of(&stack).get("Url") {
            Some(url) => println!("\n{} is deployed: {url}", self.cloud.target.stack),
            None => println!("\n{} is deployed", self.cloud.target.stack),
        }
        Ok(())
    }

    /// Creates, shows and executes a change set. Returns the stack unless nothing was to be executed.
    async fn apply(
        &self,
        kind: ChangeSetType,
        parameters: &Parameters,
        mode: Mode,
        deployed: Option<&Stack>,
    ) -> Result<Option<Stack>> {
        let Self { template_url, tags, role, .. } = *self;
        let request = Request { kind, template_url, parameters, tags, role };
        let name = format!("cargo-dev-{}", SystemClock.now().as_millisecond());
        let Some(change_set) = self.cloud.create_change_set(&name, &request).await? else {
            println!("The stack {} is up to date.", self.cloud.target.stack);
            return Ok(deployed.cloned());
        };
        let loss = show(&change_set);
        let stack = &self.cloud.target.stack;
        let confirmed = match self.dry_run {
            true => Ok(false),
            false => confirm::confirm(mode, loss.as_ref(), stack, &mut stdin().lock(), &mut stderr()),
        };
        if !matches!(confirmed, Ok(true)) {
            self.cloud.delete_change_set(&change_set.id).await?;
            if deployed.is_none() {
                self.cloud.delete_empty_stack(&change_set.stack_id).await?;
            }
            println!("Nothing was changed.");
            return confirmed.map(|_| None);
        }
        self.cloud.execute(&change_set, report).await.map(Some)
    }
}

/// Prints the changes, and returns what they do to stored data.
fn show(change_set: &ChangeSet) -> Option<changes::DataLoss> {
    print!("\n{}", changes::table(&change_set.changes));
    println!("\n  {}", changes::summary(&change_set.changes));
    let loss = changes::data_loss(&change_set.changes);
    if let Some(loss) = &loss {
        println!("\n{}", style(format!("STORED DATA IS CONCERNED\n{loss}")).red().bold());
    }
    loss
}

fn report(event: &Event) {
    if let Some(line) = event.line() {
        println!("{line}");
    }
}
