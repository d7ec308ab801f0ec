//! A second stack from the same packaged template, for the example community: OpenID Connect and GitLab groups.
//!
//! The first test that needs it creates it. Tests use it one after the other, since they choose its sign-in provider.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use aws_sdk_cloudformation::types::{Capability, Parameter, StackStatus};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::community::Community;
use membermail_core::random::OsRandom;
use membermail_fakes::gitlab::{CLIENT_SECRET, TOKEN};
use membermail_toolbox::net::free_port;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use crate::front::Front;
use crate::functions::set_variable;
use crate::stack::Stack;
use crate::table::operator;
use crate::wait::{TIMEOUT, until};

/// The stack of the other tests.
const FIRST: &str = "membermail";
/// The stack of the example community.
const NAME: &str = "membermail-example";
const COMMUNITY: &str = "example";
/// Functions that know the address of the sign-in provider, by their logical ids.
const WITH_PROVIDER: [&str; 6] = ["Sso", "Account", "Admin", "VerifyMember", "SyncTeam", "CheckStatus"];
const SIGN_IN_URL: &str = "SIGN_IN_URL";

/// The site of the example community, for one test at a time.
pub struct Example {
    /// Its stack: tables, queues and URLs are those of the example community, the rest is shared.
    pub stack: Stack,
    /// The community, with its services at the fakes.
    pub community: Community,
    deployment: Deployment,
    _front: Front,
    /// Locked while this exists.
    _lock: File,
}

/// What later tests need to know of the stack.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Deployment {
    port: u16,
    api: String,
    outputs: BTreeMap<String, String>,
    /// Names of the functions by logical id.
    functions: BTreeMap<String, String>,
}

impl Example {
    /// Waits until no other test uses the site, and creates it if there is none. Its provider is the fake GitLab.
    pub async fn start() -> Result<Self> {
        let first = Stack::of_this_run()?;
        let lock = lock(&first).await?;
        let file = folder(&first).join("example.json");
        let (deployment, is_new) = match std::fs::read(&file) {
            Ok(text) => (serde_json::from_slice(&text)?, false),
            Err(_) => (deploy(&first).await.context("the stack of the example community")?, true),
        };
        let stack = second(&first, &deployment)?;
        if is_new {
            let store = stack.store().await;
            for domain in membermail_communities::community(COMMUNITY)?.domain_names() {
                store.verify_domain(domain, operator(SystemClock.now()), &OsRandom).await?;
            }
            std::fs::write(&file, serde_json::to_vec_pretty(&deployment)?)?;
        }
        let front = Front::start(deployment.port, &deployment.api).await?;
        let community = community(&stack, &stack.fakes_url)?;
        let mut example = Self { stack, community, deployment, _front: front, _lock: lock };
        if !is_new {
            let fakes = example.stack.fakes_url.clone();
            example.use_provider(&fakes).await?;
        }
        Ok(example)
    }

    /// Makes the provider at this address the one of the community, and waits until the functions know it.
    pub async fn use_provider(&mut self, root: &Url) -> Result<()> {
        let lambda = aws_sdk_lambda::Client::new(&self.stack.aws().await);
        for logical in WITH_PROVIDER {
            let name = self.deployment.functions.get(logical).with_context(|| format!("no function {logical}"))?;
            set_variable(&lambda, name, SIGN_IN_URL, root.as_str())
                .await
                .with_context(|| format!("the provider of {logical}"))?;
        }
        self.community = community(&self.stack, root)?;
        Ok(())
    }

    /// The URL that the provider at this root returns to, with `{port}` for its port in the path.
    pub fn callback(&self, host: &str) -> Result<String> {
        Ok(format!("{}callback/{host}-{{port}}", self.stack.public_url))
    }

    /// The id of a user of the fake GitLab, which is the subject at every provider.
    pub async fn user_id(&self, username: &str) -> Result<String> {
        let id = self.stack.control(&format!("gitlab/users/{username}")).await?["id"].as_u64();
        Ok(id.with_context(|| format!("{username} has no id"))?.to_string())
    }

    /// Changes a user of the fake GitLab, by id or username.
    pub async fn change_user(&self, user: &str, change: Value) -> Result<()> {
        self.stack.send_control(Method::PATCH, &format!("gitlab/users/{user}"), change).await
    }

    /// Adds a member of the group of the first domain, whose name starts with this text; returns username and id. Each
    /// provider of a test is another issuer, so a person of an earlier run would be a stranger who has the address.
    pub async fn new_member(&self, prefix: &str) -> Result<(String, String)> {
        let username = format!("{prefix}{}", std::process::id());
        self.add_user(&username, json!({ "join": { "community/members": 30 } })).await?;
        let id = self.user_id(&username).await?;
        Ok((username, id))
    }

    /// Adds a user to the fake GitLab.
    pub async fn add_user(&self, username: &str, change: Value) -> Result<()> {
        self.stack.send_control(Method::POST, &format!("gitlab/users/{username}"), change).await
    }
}

/// The community with the sign-in provider at this address, as the functions see it.
fn community(stack: &Stack, provider: &Url) -> Result<Community> {
    let mut community = membermail_communities::community(COMMUNITY)?;
    let fakes = &stack.fakes_url;
    community.relocate(Some(provider), Some(fakes), Some(fakes))?;
    Ok(community)
}

/// The folder of the run.
fn folder(stack: &Stack) -> PathBuf {
    stack.logs.parent().unwrap_or(&stack.logs).to_owned()
}

async fn lock(stack: &Stack) -> Result<File> {
    let file = File::create(folder(stack).join("example.lock"))?;
    tokio::task::spawn_blocking(move || file.lock().map(|()| file)).await?.context("cannot lock the example site")
}

/// The stack of the example community, with what it shares with the first one.
fn second(first: &Stack, deployment: &Deployment) -> Result<Stack> {
    let output = |name: &str| deployment.outputs.get(name).cloned().with_context(|| format!("no output {name}"));
    Ok(Stack {
        public_url: format!("http://localhost:{}/", deployment.port).parse()?,
        api_url: format!("{}/", deployment.api).parse()?,
        table: output("TableName")?,
        verify_queue_url: output("VerifyQueueUrl")?,
        write_queue_url: output("WriteQueueUrl")?,
        sync_queue_url: output("SyncQueueUrl")?,
        notify_queue_url: output("NotifyQueueUrl")?,
        write_dead_letters_url: output("WriteDeadLettersUrl")?,
        master_secret_arn: output("MasterSecretArn")?,
        check_domains_function: output("CheckDomainsFunction")?,
        check_status_function: output("CheckStatusFunction")?,
        start_sync_function: output("StartSyncFunction")?,
        alarm_topic_arn: output("AlarmTopicArn")?,
        dashboard: output("DashboardName")?,
        ..first.clone()
    })
}

/// Creates the stack: the parameters of the first one, with another community and its secrets.
async fn deploy(first: &Stack) -> Result<Deployment> {
    let config = first.aws().await;
    let client = aws_sdk_cloudformation::Client::new(&config);
    let model = describe(&client, FIRST).await?;
    let port = free_port()?;
    let fakes = first.fakes_url.to_string();
    let mut parameters: BTreeMap<_, _> = model
        .parameters()
        .iter()
        .filter_map(|one| Some((one.parameter_key()?.to_owned(), one.parameter_value()?.to_owned())))
        .collect();
    parameters.extend(
        [
            ("Community", COMMUNITY.to_owned()),
            ("PublicUrl", format!("http://localhost:{port}")),
            ("SignInUrl", fakes.clone()),
            ("FormerSignInUrl", fakes.clone()),
            ("MembersUrl", fakes),
            ("SignInSecretArn", secret(first, "example-sign-in", CLIENT_SECRET).await?),
            ("MembersSecretArn", secret(first, "example-members", TOKEN).await?),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    let parameters = parameters
        .into_iter()
        .map(|(name, value)| Parameter::builder().parameter_key(name).parameter_value(value).build())
        .collect();
    client
        .create_stack()
        .stack_name(NAME)
        .template_url(&first.template_url)
        .capabilities(Capability::CapabilityIam)
        .capabilities(Capability::CapabilityAutoExpand)
        .set_parameters(Some(parameters))
        .send()
        .await?;
    let stack = until("the stack to be created", TIMEOUT, async || {
        let stack = describe(&client, NAME).await?;
        match stack.stack_status() {
            Some(StackStatus::CreateComplete) => Ok(Some(stack)),
            Some(StackStatus::CreateInProgress) => Ok(None),
            other => bail!("{other:?}: {:?}", stack.stack_status_reason()),
        }
    })
    .await?;
    let resources = client.list_stack_resources().stack_name(NAME).into_paginator().items().send();
    let resources = resources.collect::<Result<Vec<_>, _>>().await?;
    let functions = resources.into_iter().filter(|one| one.resource_type() == Some("AWS::Lambda::Function"));
    let functions = functions.filter_map(|one| Some((one.logical_resource_id?, one.physical_resource_id?))).collect();
    let [old, new] = [&model, &stack].map(outputs);
    // The API's URL differs only in its id.
    let api = first.api_url.as_str().trim_end_matches('/').replace(id_of(&old)?, id_of(&new)?);
    Ok(Deployment { port, api, functions, outputs: new })
}

async fn describe(client: &aws_sdk_cloudformation::Client, name: &str) -> Result<aws_sdk_cloudformation::types::Stack> {
    let mut found = client.describe_stacks().stack_name(name).send().await?.stacks.unwrap_or_default();
    found.pop().with_context(|| format!("no stack {name}"))
}

fn outputs(stack: &aws_sdk_cloudformation::types::Stack) -> BTreeMap<String, String> {
    let outputs = stack.outputs().iter();
    outputs.filter_map(|one| Some((one.output_key()?.to_owned(), one.output_value()?.to_owned()))).collect()
}

fn id_of(outputs: &BTreeMap<String, String>) -> Result<&str> {
    Ok(outputs.get("ApiId").context("no output ApiId")?)
}

async fn secret(stack: &Stack, name: &str, value: &str) -> Result<String> {
    let created = stack.secrets().await.create_secret().name(name).secret_string(value).send().await?;
    created.arn.context("the secret has no ARN")
}
