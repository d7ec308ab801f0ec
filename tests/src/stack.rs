//! The stack that `cargo dev test` deployed for this run.

use std::path::PathBuf;

use anyhow::{Context, Result};
use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::config::Credentials;
use membermail_store::{Sealer, Store};
use serde::Deserialize;
use url::Url;

use crate::mailbox::Mailbox;

/// Where everything is; written by `cargo dev test`, which names the file in `MEMBERMAIL_STACK`.
#[derive(Clone, Debug, Deserialize)]
pub struct Stack {
    /// The AWS endpoint.
    pub endpoint_url: Url,
    /// The bucket of the functions' code.
    pub code_bucket: String,
    /// The packaged template, which is too large for a request.
    pub template_url: String,
    /// The site, as a browser sees it.
    pub public_url: Url,
    /// The REST API itself, under its stage.
    pub api_url: Url,
    /// The stand-ins for Ubuntu One and Launchpad.
    pub stand_ins_url: Url,
    /// The DynamoDB table.
    pub table: String,
    /// The queue in front of `verify-member`.
    pub verify_queue_url: String,
    /// The queue in front of `write-aliases`.
    pub write_queue_url: String,
    /// The queue in front of `sync-team`.
    pub sync_queue_url: String,
    /// The secret that keys are derived from.
    pub master_secret_arn: String,
    /// The process that everything of this run descends from.
    pub pid: i32,
    /// Packages of npm that look at pages.
    pub node_modules: PathBuf,
    /// Chromium.
    pub chromium: PathBuf,
    /// Its driver.
    pub chromedriver: PathBuf,
    /// The function that looks at domains.
    pub check_domains_function: String,
    /// The function that asks for syncs.
    pub start_sync_function: String,
    /// The topic that alarms go to.
    pub alarm_topic_arn: String,
    /// The dashboard's name.
    pub dashboard: String,
    /// The Python of the locked tools; the AWS command line lies beside it.
    pub python: PathBuf,
    /// Knot DNS.
    pub knotd: PathBuf,
    /// The queue in front of `notify`.
    pub notify_queue_url: String,
    /// Where messages of `write-aliases` go that failed for good.
    pub write_dead_letters_url: String,
    /// The folder of the mail server that notices go to.
    pub mailbox: PathBuf,
    /// A Python that has aiosmtpd.
    pub smtp_python: PathBuf,
    /// One log file a function.
    pub logs: PathBuf,
    /// Programs of others to speak with.
    pub peers: Peers,
}

/// What the scripts of `tests/peers` run with.
#[derive(Clone, Debug, Deserialize)]
pub struct Peers {
    /// A Python that has their packages.
    pub python: PathBuf,
    /// The packages of Node.
    pub node_modules: PathBuf,
}

impl Stack {
    /// Reads the file; says how to get one where there is none.
    pub fn of_this_run() -> Result<Self> {
        let path = std::env::var("MEMBERMAIL_STACK").context("no MEMBERMAIL_STACK: run this by `cargo dev test`")?;
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        serde_json::from_str(&text).with_context(|| format!("the stack in {path}"))
    }

    /// A client of the table, at the stack's endpoint.
    pub async fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.aws().await)
    }

    /// A client of the queues, at the stack's endpoint.
    pub async fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.aws().await)
    }

    /// A client of the secrets, at the stack's endpoint.
    pub async fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.aws().await)
    }

    /// The table, as the functions use it.
    pub async fn store(&self) -> Store {
        Store::new(self.dynamodb().await, &self.table)
    }

    /// What arrived at the mail server.
    pub fn mailbox(&self) -> Mailbox {
        Mailbox::in_folder(&self.mailbox)
    }

    /// Seals and opens as the functions do.
    pub async fn sealer(&self) -> Result<Sealer> {
        let secret = self.secrets().await.get_secret_value().secret_id(&self.master_secret_arn).send().await?;
        Ok(Sealer::new(secret.secret_string().context("no master secret")?.as_bytes()))
    }

    async fn aws(&self) -> aws_config::SdkConfig {
        aws_config::defaults(BehaviorVersion::v2026_01_12())
            .endpoint_url(self.endpoint_url.as_str())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "the local stack"))
            .load()
            .await
    }
}
