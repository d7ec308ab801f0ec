//! The deployed service: a CloudFormation stack on AWS, or on an emulator by `AWS_ENDPOINT_URL`. Flags and variables replace
//! outputs and parameters of the stack, so that commands work without CloudFormation too.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_cloudformation as cloudformation;
use cloudformation::error::{ProvideErrorMetadata, SdkError};
use membermail_core::address::DomainName;
use membermail_core::clock::SystemClock;
use membermail_core::community::{Community, Domain, Members};
use membermail_membership::{SettingsError, Source, gitlab, launchpad};
use membermail_runtime::queue::Queue;
use membermail_runtime::variables::process_variable;
use membermail_store::Store;
use membermail_sync::SecretTokens;
use tokio::sync::OnceCell;
use url::Url;

use crate::failure::Failure;

/// Timeout of a look-up at the membership source. Roster pages have their own.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(60);
/// The variable with the token of the membership source. It is no flag, since other users of the machine can see flags.
const TOKEN_VARIABLE: &str = "MEMBERMAIL_MEMBERS_TOKEN";

/// Flags that select the deployment.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Deployment (region, credentials and AWS_ENDPOINT_URL as for every AWS program)")]
pub(crate) struct DeploymentArgs {
    /// The CloudFormation stack
    #[arg(long, global = true, value_name = "NAME", env = "MEMBERMAIL_STACK_NAME", default_value = "membermail")]
    stack: String,
    /// The table, instead of the stack's
    #[arg(long, global = true, value_name = "NAME", env = "MEMBERMAIL_TABLE")]
    table: Option<String>,
    /// The community, instead of the stack's
    #[arg(long, global = true, value_name = "NAME", env = "MEMBERMAIL_COMMUNITY")]
    community: Option<String>,
    /// The sync queue, instead of the stack's
    #[arg(long, global = true, value_name = "URL", env = "MEMBERMAIL_SYNC_QUEUE_URL")]
    sync_queue: Option<String>,
    /// The notify queue, instead of the stack's
    #[arg(long, global = true, value_name = "URL", env = "MEMBERMAIL_NOTIFY_QUEUE_URL")]
    notify_queue: Option<String>,
    /// The master secret, instead of the stack's
    #[arg(long, global = true, value_name = "ARN", env = "MEMBERMAIL_MASTER_SECRET")]
    master_secret: Option<String>,
    /// The API of the membership source, instead of the stack's
    #[arg(long, alias = "launchpad", global = true, value_name = "URL", env = "MEMBERMAIL_MEMBERS_URL")]
    members_url: Option<Url>,
}

/// A queue that this command sends messages to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum WorkQueue {
    /// The queue of `sync-team`.
    Sync,
    /// The queue of `notify`.
    Notify,
}

/// The deployed service.
pub(crate) struct Deployment {
    args: DeploymentArgs,
    sdk: SdkConfig,
    stack: OnceCell<Stack>,
}

/// Outputs and parameters of the stack.
struct Stack {
    outputs: BTreeMap<String, String>,
    parameters: BTreeMap<String, String>,
}

impl Deployment {
    pub(crate) async fn new(args: DeploymentArgs) -> Self {
        let sdk = aws_config::defaults(BehaviorVersion::v2026_01_12()).load().await;
        Self { args, sdk, stack: OnceCell::new() }
    }

    /// The store of the deployment.
    pub(crate) async fn store(&self) -> Result<Store, Failure> {
        let name = self.flag_or_output(self.args.table.as_ref(), "TableName").await?;
        Ok(self.other_store(name))
    }

    /// A store on another table of the same account.
    pub(crate) fn other_store(&self, name: &str) -> Store {
        Store::new(aws_sdk_dynamodb::Client::new(&self.sdk), name)
    }

    /// A parameter of the stack.
    pub(crate) async fn parameter(&self, name: &str) -> Result<Option<&str>, Failure> {
        Ok(self.stack().await?.parameters.get(name).map(String::as_str))
    }

    /// The community; a stack without the parameter has the template's default.
    pub(crate) async fn community(&self) -> Result<Community, Failure> {
        let name = match &self.args.community {
            Some(name) => name,
            None => self.parameter("Community").await?.unwrap_or("ubuntu"),
        };
        load_community(name)
    }

    /// A client for the membership source that the functions use.
    pub(crate) async fn source(&self, community: &Community) -> Result<Box<dyn Source>, Failure> {
        let community = self.relocated(community).await?;
        Ok(match &community.members {
            Members::Launchpad(_) => Box::new(new_launchpad(&community)?),
            Members::GitLab(_) => Box::new(self.gitlab_of(&community).await?),
        })
    }

    /// The community with the URLs of the stack. They also replace the issuers of identities, on which the authority of a
    /// source depends.
    async fn relocated(&self, community: &Community) -> Result<Community, Failure> {
        let mut community = community.clone();
        let mut members = self.args.members_url.clone();
        // With these flags there may be no stack.
        if self.args.table.is_none() || self.args.community.is_none() {
            let sign_in = self.url_parameter("SignInUrl").await?;
            let former = self.url_parameter("FormerSignInUrl").await?;
            community.relocate(sign_in.as_ref(), former.as_ref(), None).map_err(Failure::other)?;
            if members.is_none() {
                members = self.url_parameter("MembersUrl").await?;
            }
        }
        community.relocate(None, None, members.as_ref()).map_err(Failure::other)?;
        Ok(community)
    }

    async fn url_parameter(&self, name: &str) -> Result<Option<Url>, Failure> {
        let url = self.parameter(name).await?.filter(|url| !url.is_empty());
        let url = url.map(str::parse).transpose();
        url.map_err(|_: url::ParseError| Failure::Other(format!("the stack parameter {name} is not a valid URL")))
    }

    /// A GitLab client with the token of the environment, or else of the stack's secret.
    async fn gitlab_of(&self, community: &Community) -> Result<gitlab::Client, Failure> {
        let tokens: Arc<dyn gitlab::Tokens> = match process_variable(TOKEN_VARIABLE) {
            Some(text) => Arc::new(gitlab::Token::parse(&text).map_err(Failure::other)?),
            None => {
                let arn = self.parameter("MembersSecretArn").await?.filter(|arn| !arn.is_empty());
                let arn = arn.ok_or_else(|| {
                    Failure::Usage(format!("set {TOKEN_VARIABLE}: the stack has no secret with a token"))
                })?;
                Arc::new(SecretTokens::new(aws_sdk_secretsmanager::Client::new(&self.sdk), arn))
            }
        };
        let settings = gitlab::Settings::for_community(community, LOOKUP_TIMEOUT);
        let settings = settings.ok_or(SettingsError::OtherSource).map_err(Failure::other)?;
        gitlab::Client::new(settings, tokens, Arc::new(SystemClock)).map_err(Failure::other)
    }

    /// The community from the flag or the template's default, for commands that need no AWS.
    pub(crate) fn community_without_stack(&self) -> Result<Community, Failure> {
        load_community(self.args.community.as_deref().unwrap_or("ubuntu"))
    }

    /// A client for the Launchpad of the flag or of the community, for commands that need no AWS.
    pub(crate) fn launchpad_without_stack(&self, community: &Community) -> Result<launchpad::Client, Failure> {
        new_launchpad(&self.moved_by_flag(community)?)
    }

    /// A client for the GitLab server of the flag or of the community. It needs AWS only for the stack's token.
    pub(crate) async fn gitlab_without_stack(&self, community: &Community) -> Result<gitlab::Client, Failure> {
        self.gitlab_of(&self.moved_by_flag(community)?).await
    }

    fn moved_by_flag(&self, community: &Community) -> Result<Community, Failure> {
        let mut community = community.clone();
        community.relocate(None, None, self.args.members_url.as_ref()).map_err(Failure::other)?;
        Ok(community)
    }

    /// The queue, to send messages to.
    pub(crate) async fn queue(&self, queue: WorkQueue) -> Result<Queue, Failure> {
        let (flag, output) = match queue {
            WorkQueue::Sync => (&self.args.sync_queue, "SyncQueueUrl"),
            WorkQueue::Notify => (&self.args.notify_queue, "NotifyQueueUrl"),
        };
        Ok(Queue::new(self.sqs(), self.flag_or_output(flag.as_ref(), output).await?))
    }

    /// A client for Secrets Manager, and the ARN of the master secret.
    pub(crate) async fn master_secret(&self) -> Result<(aws_sdk_secretsmanager::Client, String), Failure> {
        let arn = self.flag_or_output(self.args.master_secret.as_ref(), "MasterSecretArn").await?;
        Ok((aws_sdk_secretsmanager::Client::new(&self.sdk), arn.to_owned()))
    }

    /// A client for SQS.
    pub(crate) fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.sdk)
    }

    /// Logical ids and URLs of all queues of the stack.
    pub(crate) async fn list_queues(&self) -> Result<Vec<(String, String)>, Failure> {
        let client = cloudformation::Client::new(&self.sdk);
        let mut pages = client.list_stack_resources().stack_name(&self.args.stack).into_paginator().send();
        let mut queues = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.stack_failure(&error))?;
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

    /// The value of a flag, or else of an output of the stack.
    async fn flag_or_output<'a>(&'a self, flag: Option<&'a String>, name: &str) -> Result<&'a str, Failure> {
        if let Some(value) = flag {
            return Ok(value);
        }
        let value = self.stack().await?.outputs.get(name).map(String::as_str);
        value.ok_or_else(|| Failure::NotFound(format!("output {name} of stack {}", self.args.stack)))
    }

    async fn stack(&self) -> Result<&Stack, Failure> {
        self.stack.get_or_try_init(|| self.describe()).await
    }

    async fn describe(&self) -> Result<Stack, Failure> {
        let client = cloudformation::Client::new(&self.sdk);
        let response = client.describe_stacks().stack_name(&self.args.stack).send().await;
        let stacks = response.map_err(|error| self.stack_failure(&error))?.stacks.unwrap_or_default();
        let Some(stack) = stacks.into_iter().next() else {
            return Err(Failure::NotFound(format!("stack {}", self.args.stack)));
        };
        let outputs = stack.outputs.unwrap_or_default().into_iter();
        let parameters = stack.parameters.unwrap_or_default().into_iter();
        Ok(Stack {
            outputs: outputs.filter_map(|output| Some((output.output_key?, output.output_value?))).collect(),
            parameters: parameters
                .filter_map(|parameter| Some((parameter.parameter_key?, parameter.parameter_value?)))
                .collect(),
        })
    }

    /// CloudFormation reports a missing stack as a validation error.
    fn stack_failure<E>(&self, error: &SdkError<E>) -> Failure
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        let message = error.message().unwrap_or_default();
        if message.contains("does not exist") {
            return Failure::NotFound(format!("stack {}; select another one with --stack", self.args.stack));
        }
        Failure::aws("CloudFormation", error)
    }
}

fn load_community(name: &str) -> Result<Community, Failure> {
    membermail_communities::community(name).map_err(Failure::other)
}

fn new_launchpad(community: &Community) -> Result<launchpad::Client, Failure> {
    let settings = launchpad::Settings::for_community(community, LOOKUP_TIMEOUT);
    let settings = settings.ok_or(SettingsError::OtherSource).map_err(Failure::other)?;
    launchpad::Client::new(settings).map_err(Failure::other)
}

/// Finds a domain of the community. The error lists all domains.
pub(crate) fn find_domain<'a>(community: &'a Community, name: &DomainName) -> Result<&'a Domain, Failure> {
    community.domain(name).ok_or_else(|| {
        let known: Vec<_> = community.domain_names().map(DomainName::as_str).collect();
        Failure::NotFound(format!("domain {name} in the community; its domains are {}", known.join(", ")))
    })
}
