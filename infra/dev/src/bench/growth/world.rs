//! A community of a given size: DynamoDB Local, the stand-ins for Launchpad and the provider, a mail server, and all
//! functions. Messages go from queue to queue until none is left.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::config::Credentials;
use membermail_store::Store;
use membermail_toolbox::service::Service;
use membermail_toolbox::step;
use serde_json::{Value, json};

use super::cloud::{Cloud, Sent};
use super::lambda::Lambda;
use super::template::{Function, Template};
use super::usage::Usage;
use crate::bench::dynamodb::{Background, aws, built, dynamodb, free_port};
use crate::bench::name_server;
use crate::functions::Profile;
use crate::mailbox::Mailbox;
use crate::{site, stand_ins};

/// Seconds that others take to answer; docs/growth.md says why so long.
pub(crate) const LAUNCHPAD_SECONDS: f64 = 2.0;
const AWS_SECONDS: f64 = 0.01;
const PROVIDER_SECONDS: f64 = 1.0;
const MAIL_SECONDS: f64 = 1.0;
/// Of an invocation itself.
const OWN_SECONDS: f64 = 0.05;
/// Bytes that leave AWS: headers of an answer, a request to Launchpad or the provider, a mail.
const HEADER_BYTES: f64 = 600.0;
const REQUEST_BYTES: f64 = 1_000.0;
const MAIL_BYTES: f64 = 6_000.0;

pub(crate) const TABLE: &str = "bench";
pub(crate) const DOMAIN: &str = "ubuntu.com";
const TEAM: &str = "ubuntumembers";

/// All of it.
pub(crate) struct World {
    pub(crate) cloud: Cloud,
    pub(crate) launchpad: Service,
    pub(crate) client: reqwest::Client,
    functions: Vec<Function>,
    running: Vec<Lambda>,
    overrides: Vec<(String, String)>,
    dynamodb: Background,
    _mailbox: Mailbox,
}

/// What others were asked for.
#[derive(Clone, Copy)]
struct Asked {
    launchpad: f64,
    provider: f64,
}

impl World {
    /// With so many people at Launchpad, and those of the team as members with their addresses.
    pub(crate) async fn start(people: usize, template: &Template) -> Result<Self> {
        let state = site::state("bench-growth");
        let _ = std::fs::remove_dir_all(&state);
        std::fs::create_dir_all(&state)?;
        let dynamodb = dynamodb(&state).await?;
        let launchpad = stand_ins::crowd(free_port()?, people, &state, Profile::Dev).await?;
        let mailbox = Mailbox::start(&state).await?;
        let cloud = Cloud::start(dynamodb.port, &mailbox.settings().to_string()).await?;
        let name_server: SocketAddr = name_server::start().await?;
        let url = format!("{}/", launchpad.url);
        let overrides = [
            ("AWS_ENDPOINT_URL", cloud.url.clone()),
            ("TABLE_NAME", TABLE.to_owned()),
            ("MASTER_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:000000000000:secret:master".to_owned()),
            ("MAIL_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:000000000000:secret:mail".to_owned()),
            ("PUBLIC_URL", "https://mail.example.org".to_owned()),
            ("SIGN_IN_URL", url.clone()),
            ("LAUNCHPAD_URL", url.clone()),
            ("DNS_SERVERS", name_server.to_string()),
            ("SYNC_PACE_MILLISECONDS", "0".to_owned()),
        ];
        let overrides = overrides.map(|(name, value)| (name.to_owned(), value)).to_vec();
        let functions = template.functions()?;
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
        let running = Vec::new();
        let world = Self { cloud, launchpad, client, functions, running, overrides, dynamodb, _mailbox: mailbox };
        let mut fill = aws(Command::new(built("debug", "examples/measure")), world.dynamodb.port);
        fill.args(["fill", "--launchpad", &url]);
        tokio::task::spawn_blocking(move || step::quietly(&mut fill)).await??;
        Ok(world)
    }

    /// Starts all functions anew, with runs of this many seconds' share of the rolling check.
    pub(crate) async fn restart(&mut self, period: u32, more: &[(&str, &str)]) -> Result<()> {
        self.running.clear();
        let mut overrides = self.overrides.clone();
        overrides.push(("SYNC_PERIOD_SECONDS".to_owned(), period.to_string()));
        overrides.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        for function in &self.functions {
            self.running.push(Lambda::start(function, &overrides).await?);
        }
        Ok(())
    }

    /// The table as `alias-map` reads it.
    pub(crate) async fn store(&self) -> Store {
        Store::new(table_at(&self.cloud.url).await, TABLE).eventually()
    }

    /// Invokes a function once: its answer, what that took, and the messages that it sent.
    pub(crate) async fn invoke(&self, name: &str, event: &Value) -> Result<(Value, Usage, Vec<Sent>)> {
        let lambda = self.running.iter().find(|one| one.function.name == name);
        let lambda = lambda.with_context(|| format!("no function {name}"))?;
        let before = self.asked().await?;
        drop(self.cloud.take());
        let (answer, logged) = lambda.invoke(event).await?;
        let (counted, after) = (self.cloud.take(), self.asked().await?);
        let (launchpad, provider) = (after.launchpad - before.launchpad, after.provider - before.provider);
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
        if let Some(body) = answer["body"].as_str() {
            let bytes = u32::try_from(body.len()).map_or(f64::MAX, f64::from);
            usage.add("API requests", 1.0);
            usage.add("bytes out", bytes + HEADER_BYTES);
        }
        Ok((answer, usage, counted.sent))
    }

    /// Delivers these messages, and those that they lead to, until none is left.
    pub(crate) async fn deliver(&self, messages: Vec<Sent>) -> Result<Usage> {
        let (mut usage, mut later) = (Usage::default(), VecDeque::new());
        let mut waiting: VecDeque<_> = messages.into();
        while let Some(message) = waiting.pop_front().or_else(|| later.pop_front()) {
            let takes = |one: &&Function| one.queues.iter().any(|(queue, _)| *queue == message.queue);
            let function =
                self.functions.iter().find(takes).with_context(|| format!("no function reads {message:?}"))?;
            let (_, spent, sent) = self.invoke(&function.name, &Lambda::message(&message.body)).await?;
            usage += &spent;
            // It was received and is deleted, each by a request.
            usage.add("messages", 2.0);
            for one in sent {
                if one.is_delayed { later.push_back(one) } else { waiting.push_back(one) }
            }
        }
        Ok(usage)
    }

    /// One sync of the domain, with all that it leads to.
    pub(crate) async fn sync(&self) -> Result<Usage> {
        let body = json!({ "domain": DOMAIN, "request_id": "bench" }).to_string();
        self.deliver(vec![Sent { queue: "SyncQueue".to_owned(), body, is_delayed: false }]).await
    }

    async fn asked(&self) -> Result<Asked> {
        let counts = self.client.get(format!("{}/control/counts", self.launchpad.url)).send().await?;
        let counts: Value = counts.error_for_status()?.json().await?;
        let number = |name: &str| counts[name].as_f64().with_context(|| format!("no count of {name}"));
        Ok(Asked { launchpad: number("launchpad")?, provider: number("provider")? })
    }

    /// Somebody new in the team, who has not signed in.
    pub(crate) async fn joins(&self, name: &str) -> Result<()> {
        let url = format!("{}/control/people", self.launchpad.url);
        let answer = self.client.post(url).json(&json!({ "name": name, "teams": [TEAM] })).send().await?;
        ensure!(answer.status().is_success(), "{name}: {}", answer.text().await?);
        Ok(())
    }

    pub(crate) async fn leaves(&self, name: &str) -> Result<()> {
        let url = format!("{}/control/people/{name}", self.launchpad.url);
        let answer = self.client.patch(url).json(&json!({ "leave": [TEAM] })).send().await?;
        ensure!(answer.status().is_success(), "{name}: {}", answer.text().await?);
        Ok(())
    }

    /// Entries on the team's pages.
    pub(crate) async fn participants(&self) -> Result<f64> {
        let url = format!("{}/control/teams/{TEAM}", self.launchpad.url);
        let team: Value = self.client.get(url).send().await?.error_for_status()?.json().await?;
        team["participants"].as_f64().context("no participants")
    }

    /// Items below a key, and the bytes of the whole table.
    pub(crate) async fn table(&self) -> Result<(f64, f64)> {
        let client = table_at(&format!("http://127.0.0.1:{}", self.dynamodb.port)).await;
        let mut pages = client.scan().table_name(TABLE).into_paginator().items().send();
        let (mut aliases, mut bytes) = (0.0, 0.0);
        while let Some(item) = pages.next().await {
            let item = item?;
            let text = |value: &aws_sdk_dynamodb::types::AttributeValue| match (value.as_s(), value.as_b()) {
                (Ok(text), _) => text.len(),
                (_, Ok(blob)) => blob.as_ref().len(),
                _ => 16,
            };
            let of_item: usize = item.iter().map(|(name, value)| name.len() + text(value)).sum();
            let is_alias = item.get("sk").and_then(|sk| sk.as_s().ok()).is_some_and(|sk| sk.starts_with("ALIAS#"));
            // An alias is in the index too, and DynamoDB adds 100 bytes to each item.
            let copies = if is_alias { 2.0 } else { 1.0 };
            aliases += copies - 1.0;
            bytes += copies * f64::from(u32::try_from(of_item + 100)?);
        }
        Ok((aliases, bytes))
    }
}

/// DynamoDB Local keeps a table by the key that it was made with.
async fn table_at(url: &str) -> aws_sdk_dynamodb::Client {
    let config = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .endpoint_url(url)
        .region(aws_config::Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "bench"))
        .load()
        .await;
    aws_sdk_dynamodb::Client::new(&config)
}
