//! The stack that `cargo dev test` deployed for this run.

use std::path::PathBuf;

use anyhow::{Context, Result};
use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::config::Credentials;
use membermail_core::master::MasterKeys;
use membermail_store::{Sealer, Store};
use membermail_test_mail_host::mailbox::Mailbox;
use serde::Deserialize;
use url::Url;

/// The description of the stack, from the file that `cargo dev test` names in `MEMBERMAIL_STACK`.
#[derive(Clone, Debug, Deserialize)]
pub struct Stack {
    /// The AWS endpoint.
    pub endpoint_url: Url,
    /// A DynamoDB for tables that only a test uses.
    pub dynamodb_url: Url,
    /// The bucket of the functions' code.
    pub code_bucket: String,
    /// The packaged template, which is too large for a request.
    pub template_url: String,
    /// The site, as a browser sees it.
    pub public_url: Url,
    /// The REST API itself, under its stage.
    pub api_url: Url,
    /// The fakes of the sign-in provider and the membership source.
    pub fakes_url: Url,
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
    /// The process of `cargo dev test`, the ancestor of all processes of this run.
    pub pid: i32,
    /// The folder of npm packages for page checks.
    pub node_modules: PathBuf,
    /// Chromium.
    pub chromium: PathBuf,
    /// Its driver.
    pub chromedriver: PathBuf,
    /// The name of the deployed `check-domains`.
    pub check_domains_function: String,
    /// The name of the deployed `check-status`.
    pub check_status_function: String,
    /// The name of the deployed `start-sync`.
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
    /// The dead-letter queue of `write-aliases`.
    pub write_dead_letters_url: String,
    /// The folder of the mail server that notices go to.
    pub mailbox: PathBuf,
    /// The folder with one log file per function.
    pub logs: PathBuf,
    /// Third-party peers.
    pub peers: Peers,
    /// Programs and settings of the tests' mail hosts.
    pub mail: Mail,
}

/// Programs and settings of the tests' mail hosts.
#[derive(Clone, Debug, Deserialize)]
pub struct Mail {
    /// The folder of the hosts.
    pub folder: PathBuf,
    /// The program `alias-map`.
    pub alias_map: PathBuf,
    /// The program `membermail-bounce`.
    pub bounce: PathBuf,
}

/// The interpreters and packages of the scripts in `tests/peers`.
#[derive(Clone, Debug, Deserialize)]
pub struct Peers {
    /// A Python that has their packages.
    pub python: PathBuf,
    /// A Python that has canaille.
    pub canaille: PathBuf,
    /// The packages of Node.
    pub node_modules: PathBuf,
}

impl Stack {
    /// Reads the description; the error says how to get one.
    pub fn of_this_run() -> Result<Self> {
        let path = std::env::var("MEMBERMAIL_STACK").context("no MEMBERMAIL_STACK: run this by `cargo dev test`")?;
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        serde_json::from_str(&text).with_context(|| format!("the stack in {path}"))
    }

    /// A client of the table, at the stack's endpoint.
    pub async fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.aws().await)
    }

    /// A client of tables that only a test uses.
    pub async fn own_dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let config = self.aws().await.into_builder().endpoint_url(self.dynamodb_url.as_str()).build();
        aws_sdk_dynamodb::Client::new(&config)
    }

    /// A client of the queues, at the stack's endpoint.
    pub async fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.aws().await)
    }

    /// A client of the secrets, at the stack's endpoint.
    pub async fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.aws().await)
    }

    /// A client of the functions, at the stack's endpoint.
    pub async fn lambda(&self) -> aws_sdk_lambda::Client {
        aws_sdk_lambda::Client::new(&self.aws().await)
    }

    /// The table, as the functions use it.
    pub async fn store(&self) -> Store {
        Store::new(self.dynamodb().await, &self.table)
    }

    /// What arrived at the mail server.
    pub fn mailbox(&self) -> Mailbox {
        Mailbox::in_folder(&self.mailbox)
    }

    /// The sealer of the functions.
    pub async fn sealer(&self) -> Result<Sealer> {
        Ok(Sealer::of(&self.master_keys().await?))
    }

    /// The keys of the functions and of the mail host.
    pub async fn master_keys(&self) -> Result<MasterKeys> {
        let secret = self.secrets().await.get_secret_value().secret_id(&self.master_secret_arn).send().await?;
        let secret = secret.secret_string().context("no master secret")?.as_bytes().to_vec();
        Ok(MasterKeys::new(secret.into(), None))
    }

    /// The settings of clients, at the stack's endpoint.
    pub(crate) async fn aws(&self) -> aws_config::SdkConfig {
        aws_config::defaults(BehaviorVersion::v2026_01_12())
            .endpoint_url(self.endpoint_url.as_str())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "the local stack"))
            .load()
            .await
    }
}
