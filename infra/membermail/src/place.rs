//! Where the service is: a CloudFormation stack by its name, on AWS or at whatever `AWS_ENDPOINT_URL` stands for it.
//! What a flag or a variable gives is not asked for, so that the command works without CloudFormation too.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_cloudformation as cloudformation;
use cloudformation::error::{ProvideErrorMetadata, SdkError};
use membermail_core::address::DomainName;
use membermail_core::community::{Community, Domain};
use membermail_membership::launchpad;
use membermail_runtime::queue::Queue;
use membermail_store::Store;
use tokio::sync::OnceCell;
use url::Url;

use crate::failure::Failure;

/// The time for one look-up at Launchpad; a roster's pages have their own.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(60);

/// Where it is.
#[derive(Debug, clap::Args)]
#[command(
    next_help_heading = "Where the service is (AWS_ENDPOINT_URL, AWS_REGION and credentials as for every AWS program)"
)]
pub(crate) struct Where {
    /// The CloudFormation stack that it was deployed as
    #[arg(long, global = true, value_name = "NAME", env = "MEMBERMAIL_STACK_NAME", default_value = "membermail")]
    stack: String,
    /// The table, instead of the stack's
    #[arg(long, global = true, value_name = "NAME", env = "MEMBERMAIL_TABLE")]
    table: Option<String>,
    /// The community, instead of the stack's
    #[arg(long, global = true, value_name = "NAME", env = "MEMBERMAIL_COMMUNITY")]
    community: Option<String>,
    /// The queue of syncs, instead of the stack's
    #[arg(long, global = true, value_name = "URL", env = "MEMBERMAIL_SYNC_QUEUE_URL")]
    sync_queue: Option<String>,
    /// The queue of notices, instead of the stack's
    #[arg(long, global = true, value_name = "URL", env = "MEMBERMAIL_NOTIFY_QUEUE_URL")]
    notify_queue: Option<String>,
    /// The master secret, instead of the stack's
    #[arg(long, global = true, value_name = "ARN", env = "MEMBERMAIL_MASTER_SECRET")]
    master_secret: Option<String>,
    /// Another Launchpad than the stack's
    #[arg(long, global = true, value_name = "URL", env = "MEMBERMAIL_LAUNCHPAD_URL")]
    launchpad: Option<Url>,
}

/// A queue that functions read, by its output of the stack.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Inbox {
    /// Of `sync-team`.
    Sync,
    /// Of `notify`.
    Notify,
}

/// The deployed service.
pub(crate) struct Place {
    flags: Where,
    sdk: SdkConfig,
    stack: OnceCell<Stack>,
}

/// What the stack tells of itself.
struct Stack {
    outputs: BTreeMap<String, String>,
    parameters: BTreeMap<String, String>,
}

impl Place {
    pub(crate) async fn new(flags: Where) -> Self {
        let sdk = aws_config::defaults(BehaviorVersion::v2026_01_12()).load().await;
        Self { flags, sdk, stack: OnceCell::new() }
    }

    /// The table.
    pub(crate) async fn store(&self) -> Result<Store, Failure> {
        let name = match &self.flags.table {
            Some(name) => name,
            None => self.output("TableName").await?,
        };
        Ok(Store::new(aws_sdk_dynamodb::Client::new(&self.sdk), name))
    }

    /// Another table of the same account.
    pub(crate) fn table(&self, name: String) -> Store {
        Store::new(aws_sdk_dynamodb::Client::new(&self.sdk), name)
    }

    /// A parameter of the stack.
    pub(crate) async fn parameter(&self, name: &str) -> Result<Option<&str>, Failure> {
        Ok(self.stack().await?.parameters.get(name).map(String::as_str))
    }

    /// The community. A stack that does not say is of the template's default.
    pub(crate) async fn community(&self) -> Result<Community, Failure> {
        let name = match &self.flags.community {
            Some(name) => name,
            None => self.stack().await?.parameters.get("Community").map_or("ubuntu", String::as_str),
        };
        membermail_communities::community(name).map_err(|cause| Failure::Other(cause.to_string()))
    }

    /// A client of the Launchpad that the functions ask.
    pub(crate) async fn launchpad(&self, community: &Community) -> Result<launchpad::Client, Failure> {
        let api = match &self.flags.launchpad {
            Some(url) => Some(url.clone()),
            // With all the rest given directly there is no stack to be asked.
            None if self.flags.table.is_some() && self.flags.community.is_some() => None,
            None => {
                let url = self.stack().await?.parameters.get("LaunchpadUrl").filter(|url| !url.is_empty());
                let unreadable = |_| Failure::Other("the stack's LaunchpadUrl is no URL".to_owned());
                url.map(|url| url.parse().map_err(unreadable)).transpose()?
            }
        };
        launchpad::Client::new(launchpad::Settings::of(community, api, LOOKUP_TIMEOUT))
            .map_err(|cause| Failure::Other(cause.to_string()))
    }

    /// The community of the flag, or the template's default: for commands that need no AWS.
    pub(crate) fn community_without_stack(&self) -> Result<Community, Failure> {
        let name = self.flags.community.as_deref().unwrap_or("ubuntu");
        membermail_communities::community(name).map_err(|cause| Failure::Other(cause.to_string()))
    }

    /// A client of the Launchpad of the flag, or the community's: for commands that need no AWS.
    pub(crate) fn launchpad_without_stack(&self, community: &Community) -> Result<launchpad::Client, Failure> {
        let settings = launchpad::Settings::of(community, self.flags.launchpad.clone(), LOOKUP_TIMEOUT);
        launchpad::Client::new(settings).map_err(|cause| Failure::Other(cause.to_string()))
    }

    /// A queue to put work on.
    pub(crate) async fn queue(&self, inbox: Inbox) -> Result<Queue, Failure> {
        let (given, output) = match inbox {
            Inbox::Sync => (&self.flags.sync_queue, "SyncQueueUrl"),
            Inbox::Notify => (&self.flags.notify_queue, "NotifyQueueUrl"),
        };
        let url = match given {
            Some(url) => url,
            None => self.output(output).await?,
        };
        Ok(Queue::new(self.sqs(), url))
    }

    /// A client of secrets, and which of them is the master secret.
    pub(crate) async fn master_secret(&self) -> Result<(aws_sdk_secretsmanager::Client, String), Failure> {
        let arn = match &self.flags.master_secret {
            Some(arn) => arn,
            None => self.output("MasterSecretArn").await?,
        };
        Ok((aws_sdk_secretsmanager::Client::new(&self.sdk), arn.to_owned()))
    }

    /// A client of all queues.
    pub(crate) fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.sdk)
    }

    /// The queues of the stack: what the template calls them, and their URLs.
    pub(crate) async fn queues(&self) -> Result<Vec<(String, String)>, Failure> {
        let client = cloudformation::Client::new(&self.sdk);
        let mut pages = client.list_stack_resources().stack_name(&self.flags.stack).into_paginator().send();
        let mut queues = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.no_stack(&error))?;
            for resource in page.stack_resource_summaries.unwrap_or_default() {
                if let ("AWS::SQS::Queue", Some(name), Some(url)) = (
                    resource.resource_type.as_deref().unwrap_or_default(),
                    resource.logical_resource_id,
                    resource.physical_resource_id,
                ) {
                    queues.push((name, url));
                }
            }
        }
        Ok(queues)
    }

    async fn output(&self, name: &str) -> Result<&str, Failure> {
        let missing = || Failure::NotFound(format!("output {name} of the stack {}", self.flags.stack));
        self.stack().await?.outputs.get(name).map(String::as_str).ok_or_else(missing)
    }

    async fn stack(&self) -> Result<&Stack, Failure> {
        self.stack.get_or_try_init(|| self.describe()).await
    }

    async fn describe(&self) -> Result<Stack, Failure> {
        let client = cloudformation::Client::new(&self.sdk);
        let answer = client.describe_stacks().stack_name(&self.flags.stack).send().await;
        let stacks = answer.map_err(|error| self.no_stack(&error))?.stacks.unwrap_or_default();
        let missing = || Failure::NotFound(format!("stack {}", self.flags.stack));
        let stack = stacks.into_iter().next().ok_or_else(missing)?;
        let outputs = stack.outputs.unwrap_or_default().into_iter();
        let parameters = stack.parameters.unwrap_or_default().into_iter();
        Ok(Stack {
            outputs: outputs.filter_map(|one| Some((one.output_key?, one.output_value?))).collect(),
            parameters: parameters.filter_map(|one| Some((one.parameter_key?, one.parameter_value?))).collect(),
        })
    }

    /// CloudFormation answers with a validation error where there is no stack of that name.
    fn no_stack<E, R>(&self, error: &SdkError<E, R>) -> Failure
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
        R: std::fmt::Debug,
    {
        let message = error.message().unwrap_or_default();
        if message.contains("does not exist") {
            return Failure::NotFound(format!("stack {} (--stack names another)", self.flags.stack));
        }
        Failure::aws("CloudFormation", error)
    }
}

/// A domain of the community, or which there are.
pub(crate) fn domain<'a>(community: &'a Community, name: &DomainName) -> Result<&'a Domain, Failure> {
    community.domain(name).ok_or_else(|| {
        let known: Vec<_> = community.domain_names().map(DomainName::as_str).collect();
        Failure::NotFound(format!("domain {name} in the community; there are {}", known.join(", ")))
    })
}
