//! A community of a given size: DynamoDB Local, the fakes for Launchpad and the provider, a mail server, and all
//! functions. Messages are delivered until all queues are empty.

use std::collections::VecDeque;
use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use membermail_store::{Consistency, Store};
use membermail_test_mail_host::sink::MailSink;
use membermail_toolbox::net::{free_port, http_client};
use membermail_toolbox::service::Service;
use membermail_toolbox::step;
use serde::Deserialize;
use serde_json::{Value, json};

use super::cloud::{Cloud, Sent};
use super::lambda::Lambda;
use super::status;
use super::template::{Function, Template};
use super::usage::Usage;
use crate::bench::figures::float;
use crate::bench::name_server;
use crate::bench::runtime_api::sqs_event;
use crate::builds::Profile;
use crate::dynamodb::{BENCHMARK_HEAP, Background, start_dynamodb, with_dynamodb};
use crate::functions::program_of;
use crate::{aws, fakes, mailbox, site};

/// Assumed response times in seconds; docs/growth.md explains them.
pub(crate) const LAUNCHPAD_SECONDS: f64 = 2.0;
const AWS_SECONDS: f64 = 0.01;
const PROVIDER_SECONDS: f64 = 1.0;
const MAIL_SECONDS: f64 = 1.0;
/// Assumed own time of an invocation in seconds.
const OWN_SECONDS: f64 = 0.05;
/// Assumed outgoing bytes: headers of a response, a request to Launchpad or the provider, a mail.
const HEADER_BYTES: f64 = 600.0;
const REQUEST_BYTES: f64 = 1_000.0;
const MAIL_BYTES: f64 = 6_000.0;

pub(crate) const TABLE: &str = "bench";
pub(crate) const DOMAIN: &str = "ubuntu.com";
const TEAM: &str = "ubuntumembers";

/// All services and functions.
pub(crate) struct World {
    pub(crate) cloud: Cloud,
    pub(crate) launchpad: Service,
    pub(crate) client: reqwest::Client,
    functions: Vec<Function>,
    running: Vec<Lambda>,
    overrides: Vec<(String, String)>,
    /// The site that `check-status` probes.
    site: String,
    dynamodb: Background,
    _mail_sink: MailSink,
}

/// Requests to the fakes so far.
#[derive(Clone, Copy, Deserialize)]
struct RequestCounts {
    launchpad: f64,
    provider: f64,
}

impl World {
    /// Starts the services, with `people` at Launchpad and all team members in the table.
    pub(crate) async fn start(people: usize, template: &Template) -> Result<Self> {
        let state = site::empty_state("bench-growth")?;
        let dynamodb = start_dynamodb(&state, BENCHMARK_HEAP).await?;
        let people = ["--people", &people.to_string(), "--all-in", "ubuntumembers"].map(str::to_owned);
        let launchpad = fakes::start_with_people(free_port()?, &people, &state, Profile::Dev).await?;
        let mail_sink = mailbox::start(&state).await?;
        let cloud = Cloud::start(dynamodb.port, &mailbox::settings(&mail_sink).to_string()).await?;
        let name_server: SocketAddr = name_server::start(Vec::new()).await?;
        let url = format!("{}/", launchpad.url);
        let overrides = [
            ("AWS_ENDPOINT_URL", cloud.url.clone()),
            ("TABLE_NAME", TABLE.to_owned()),
            ("MASTER_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:000000000000:secret:master".to_owned()),
            ("MAIL_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:000000000000:secret:mail".to_owned()),
            ("PUBLIC_URL", "https://mail.example.org".to_owned()),
            ("SIGN_IN_URL", url.clone()),
            ("MEMBERS_URL", url.clone()),
            ("DNS_SERVERS", name_server.to_string()),
            ("SYNC_PACE_MILLISECONDS", "0".to_owned()),
            // What the template's mappings select with its default parameters.
            ("SYNC_SCHEDULE_SECONDS", "3600".to_owned()),
        ];
        let overrides = overrides.map(|(name, value)| (name.to_owned(), value)).to_vec();
        let functions = template.functions()?;
        let client = http_client()?;
        let running = Vec::new();
        let site = status::start_site().await?;
        let world =
            Self { cloud, launchpad, client, functions, running, overrides, site, dynamodb, _mail_sink: mail_sink };
        let mut fill = with_dynamodb(program_of("examples/measure", Profile::Dev), world.dynamodb.port);
        fill.args(["fill", "--source", "launchpad", "--root", &url, "--sign-in", &url]);
        tokio::task::spawn_blocking(move || step::capture(&mut fill)).await??;
        Ok(world)
    }

    /// Restarts all functions with this sync period in seconds, which sets the share of the rolling check per run.
    pub(crate) async fn restart(&mut self, period: u32, more: &[(&str, &str)]) -> Result<()> {
        self.running.clear();
        let mut overrides = self.overrides.clone();
        overrides.push(("SYNC_PERIOD_SECONDS".to_owned(), period.to_string()));
        overrides.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        for function in &self.functions {
            let mut variables = overrides.clone();
            if function.name == "check-status" {
                variables.push(("PUBLIC_URL".to_owned(), self.site.clone()));
            }
            self.running.push(Lambda::start(function, &variables).await?);
        }
        Ok(())
    }

    /// The table, read as `alias-map` does.
    pub(crate) async fn store(&self) -> Store {
        Store::new(dynamodb_client(&self.cloud.url).await, TABLE).with_consistency(Consistency::Eventual)
    }

    /// Invokes a function. Returns its response, the usage, and the messages that it sent.
    pub(crate) async fn invoke(&self, name: &str, event: &Value) -> Result<(Value, Usage, Vec<Sent>)> {
        let lambda = self.running.iter().find(|lambda| lambda.function.name == name);
        let lambda = lambda.with_context(|| format!("no function {name}"))?;
        let before = self.request_counts().await?;
        self.cloud.reset();
        let (response, logged) = lambda.invoke(event).await?;
        let counted = self.cloud.reset();
        let after = self.request_counts().await?;
        let launchpad = after.launchpad - before.launchpad;
        let provider = after.provider - before.provider;
        let seconds = OWN_SECONDS
            + counted.calls * AWS_SECONDS
            + launchpad * LAUNCHPAD_SECONDS
            + provider * PROVIDER_SECONDS
            + logged.mails * MAIL_SECONDS;
        let mut usage = counted.usage + &logged.usage;
        usage.add("invocations", 1.0);
        usage.add(&format!("invocations of {name}"), 1.0);
        usage.add("GB-seconds", seconds * f64::from(lambda.function.memory) / 1024.0);
        usage.add("Launchpad requests", launchpad);
        usage.add("bytes out", (launchpad + provider) * REQUEST_BYTES + logged.mails * MAIL_BYTES);
        usage.add("checkpoint units", counted.checkpoints);
        if name == "sync-team" {
            usage.add("sync seconds", seconds);
        }
        if response["statusCode"].is_u64() {
            usage.add("API requests", 1.0);
            let body = response["body"].as_str().unwrap_or_default();
            usage.add("bytes out", float(body.len()) + HEADER_BYTES);
        }
        Ok((response, usage, counted.sent))
    }

    /// Delivers these messages and all follow-up messages; delayed messages come last.
    pub(crate) async fn deliver(&self, messages: Vec<Sent>) -> Result<Usage> {
        let mut usage = Usage::default();
        let mut delayed = VecDeque::new();
        let mut waiting: VecDeque<_> = messages.into();
        while let Some(message) = waiting.pop_front().or_else(|| delayed.pop_front()) {
            let mut functions = self.functions.iter();
            let function =
                functions.find(|function| function.queues.iter().any(|source| source.queue == message.queue));
            let function = function.with_context(|| format!("no function reads the queue of {message:?}"))?;
            let (_, invocation, sent) = self.invoke(&function.name, &sqs_event([message.body.as_str()])).await?;
            usage += &invocation;
            // One request to receive and one to delete.
            usage.add("messages", 2.0);
            for message in sent {
                if message.is_delayed { delayed.push_back(message) } else { waiting.push_back(message) }
            }
        }
        Ok(usage)
    }

    /// Syncs the domain and delivers all follow-up messages.
    pub(crate) async fn sync(&self) -> Result<Usage> {
        let body = json!({ "domain": DOMAIN, "request_id": "bench" }).to_string();
        self.deliver(vec![Sent { queue: "SyncQueue".to_owned(), body, is_delayed: false }]).await
    }

    async fn request_counts(&self) -> Result<RequestCounts> {
        let response = self.client.get(format!("{}/control/counts", self.launchpad.url)).send().await?;
        Ok(response.error_for_status()?.json().await?)
    }

    /// Adds a person to the team who has not signed in.
    pub(crate) async fn add_to_team(&self, name: &str) -> Result<()> {
        let url = format!("{}/control/people", self.launchpad.url);
        let response = self.client.post(url).json(&json!({ "name": name, "teams": [TEAM] })).send().await?;
        ensure!(response.status().is_success(), "{name}: {}", response.text().await?);
        Ok(())
    }

    pub(crate) async fn remove_from_team(&self, name: &str) -> Result<()> {
        let url = format!("{}/control/people/{name}", self.launchpad.url);
        let response = self.client.patch(url).json(&json!({ "leave": [TEAM] })).send().await?;
        ensure!(response.status().is_success(), "{name}: {}", response.text().await?);
        Ok(())
    }

    /// Number of entries on the team's pages.
    pub(crate) async fn participants(&self) -> Result<f64> {
        let url = format!("{}/control/teams/{TEAM}", self.launchpad.url);
        let team: Value = self.client.get(url).send().await?.error_for_status()?.json().await?;
        team["participants"].as_f64().context("no participants")
    }

    /// Number of aliases, and size of the table in bytes.
    pub(crate) async fn table_size(&self) -> Result<(f64, f64)> {
        let client = dynamodb_client(&self.dynamodb.url()).await;
        let mut pages = client.scan().table_name(TABLE).into_paginator().items().send();
        let mut aliases = 0.0;
        let mut bytes = 0.0;
        while let Some(item) = pages.next().await {
            let item = item?;
            let item_bytes: usize = item.iter().map(|(name, value)| name.len() + value_bytes(value)).sum();
            let is_alias = item.get("sk").and_then(|sk| sk.as_s().ok()).is_some_and(|sk| sk.starts_with("ALIAS#"));
            // The index contains each alias a second time, and DynamoDB adds 100 bytes per item.
            let copies = if is_alias { 2.0 } else { 1.0 };
            aliases += copies - 1.0;
            bytes += copies * float(item_bytes + 100);
        }
        Ok((aliases, bytes))
    }
}

/// The approximate size of a value.
fn value_bytes(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::B(blob) => blob.as_ref().len(),
        _ => 16,
    }
}

async fn dynamodb_client(url: &str) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(&aws::local(url).await)
}
