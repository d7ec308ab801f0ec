//! A separate stack for the runbook test, because it breaks parts of the stack.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use membermail_core::alias::Status;
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::random::OsRandom;
use membermail_test_mail_host::sink::{MailSink, SinkOptions};
use membermail_tests::gateway::{Gateway, Mapping};
use membermail_tests::peers::OwnFakes;
use membermail_tests::proxy::Proxy;
use membermail_tests::stack::Stack;
use membermail_tests::table::operator;
use membermail_tests::wait::until;
use serde_json::{Value, json};
use tokio::process::Command;

/// Seconds for deploying a stack on a busy machine.
const DEPLOY_TIMEOUT: u64 = 240;
/// Seconds for functions to start and for a few retries of a queue.
pub(crate) const TIMEOUT: u64 = 150;

pub(crate) struct World {
    /// The name of the stack.
    pub(crate) name: String,
    /// The URLs, queues and table of the stack.
    pub(crate) stack: Stack,
    /// The proxy between the functions and Launchpad.
    pub(crate) launchpad: Proxy,
    /// The mail secret, which names an unreachable server.
    pub(crate) mail_secret: String,
    /// A working mail server.
    pub(crate) mail_server: MailSink,
    _mail_folder: tempfile::TempDir,
}

impl World {
    /// Deploys the packaged stack a second time.
    pub(crate) async fn deploy() -> Result<Self> {
        // Separate fakes, so that no other test changes their people.
        let fakes = OwnFakes::start("").await?;
        let run_stack = Stack { fakes_url: fakes.root, ..Stack::of_this_run()? };
        let name = format!("operations-{}", std::process::id());
        let mail_folder = tempfile::tempdir()?;
        let mail_server = MailSink::start(mail_folder.path(), SinkOptions::default()).await?;
        let launchpad = Proxy::before(&run_stack.fakes_url).await?;
        // A port without a listener.
        let closed_port = tokio::net::TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
        let settings = mail_settings(closed_port).to_string();
        let secrets = run_stack.secrets().await;
        let secret = secrets.create_secret().name(format!("{name}-mail")).secret_string(settings).send().await?;
        let mail_secret = secret.arn.context("the secret has no ARN")?;
        let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
        let parameters = [
            ("Architecture", architecture),
            ("PublicUrl", run_stack.public_url.as_str().trim_end_matches('/')),
            ("SignInUrl", run_stack.fakes_url.as_str()),
            ("MembersUrl", launchpad.url.as_str()),
            ("MembersTimeoutSeconds", "5"),
            ("MembersRetryMilliseconds", "20"),
            ("SyncInvocationSeconds", "15"),
            ("SyncPaceMilliseconds", "5"),
            ("SyncLeaseSeconds", "20"),
            ("SyncEnabled", "false"),
            ("DomainChecksEnabled", "false"),
            ("StatusChecksEnabled", "false"),
            ("MailSecretArn", &mail_secret),
            ("DigestSeconds", "5"),
            ("ErrorIntervalSeconds", "30"),
        ];
        let parameters = parameters.map(|(name, value)| format!("ParameterKey={name},ParameterValue={value}"));
        let mut create = vec!["cloudformation", "create-stack", "--stack-name", &name];
        create.extend(["--template-url", &run_stack.template_url]);
        create.extend(["--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND", "--parameters"]);
        create.extend(parameters.iter().map(String::as_str));
        aws(&run_stack, &create).await?;
        let outputs = until("the stack", DEPLOY_TIMEOUT, async || outputs(&run_stack, &name).await).await?;
        let stack = Stack {
            table: text(&outputs, "TableName")?,
            verify_queue_url: text(&outputs, "VerifyQueueUrl")?,
            write_queue_url: text(&outputs, "WriteQueueUrl")?,
            sync_queue_url: text(&outputs, "SyncQueueUrl")?,
            notify_queue_url: text(&outputs, "NotifyQueueUrl")?,
            write_dead_letters_url: text(&outputs, "WriteDeadLettersUrl")?,
            master_secret_arn: text(&outputs, "MasterSecretArn")?,
            ..run_stack
        };
        let store = stack.store().await;
        for domain in membermail_communities::community("ubuntu")?.domain_names() {
            store.verify_domain(domain, operator(SystemClock.now()), &OsRandom).await?;
        }
        Ok(Self { name, stack, launchpad, mail_secret, mail_server, _mail_folder: mail_folder })
    }

    /// Deletes the stack.
    pub(crate) async fn delete(self) -> Result<()> {
        aws(&self.stack, &["cloudformation", "delete-stack", "--stack-name", &self.name]).await.map(drop)
    }

    /// The site, with one long-lived process of each function.
    pub(crate) async fn site(&self) -> Result<Gateway> {
        Gateway::new(&self.stack, Mapping::Stage).await
    }

    /// Signs a member in. The queues process the sign-in.
    pub(crate) async fn sign_in(&self, name: &str) -> Result<Gateway> {
        sign_in(&self.stack, name).await
    }

    /// Adds a person to the team, signs them in, and waits for their address at its domain.
    pub(crate) async fn resident(&self, domain: &str, team: &str, name: &str) -> Result<()> {
        self.stack.add_person(json!({ "name": name, "teams": [team] })).await?;
        self.sign_in(name).await?;
        self.address_is(&format!("{name}@{domain}"), Status::Active).await
    }

    /// Waits until an address has this status.
    pub(crate) async fn address_is(&self, address: &str, status: Status) -> Result<()> {
        until(&format!("{address} {status}"), TIMEOUT, async || {
            let stored = self.stack.alias(address).await?;
            Ok(stored.filter(|stored| stored.alias.status == status).map(drop))
        })
        .await
    }

    /// The current value of an output.
    pub(crate) async fn output(&self, name: &str) -> Result<String> {
        let outputs = outputs(&self.stack, &self.name).await?.context("the stack is not complete")?;
        text(&outputs, name)
    }
}

fn text(outputs: &Value, name: &str) -> Result<String> {
    outputs[name].as_str().map(str::to_owned).with_context(|| format!("no {name}"))
}

/// Signs a member in at the site of this stack, and confirms their destination.
pub(crate) async fn sign_in(stack: &Stack, name: &str) -> Result<Gateway> {
    let mut site = Gateway::new(stack, Mapping::Stage).await?;
    let away = site.get(&Mapping::Stage.url("/sign-in")?).await?.location()?;
    let callback = stack.choose(&away, name).await?;
    let landed = site.get(&callback).await?;
    ensure!(landed.status == 303, "{name}: {} {}", landed.status, landed.text);
    let session = site.cookies.get("__Host-session").context("no session")?;
    stack.confirm_destination_of_session(session).await?;
    Ok(site)
}

/// The content of a mail secret.
pub(crate) fn mail_settings(port: u16) -> Value {
    json!({
        "relay": format!("smtp://127.0.0.1:{port}"),
        "from": "Ubuntu mail <noreply@notices.example>",
        "reply-to": "Ubuntu mail help <help@notices.example>",
        "operators": "operators@notices.example",
    })
}

/// All outputs by name, once the deployment is complete.
async fn outputs(stack: &Stack, name: &str) -> Result<Option<Value>> {
    let answer = aws(stack, &["cloudformation", "describe-stacks", "--stack-name", name]).await?;
    let answer: Value = serde_json::from_str(&answer)?;
    let described = &answer["Stacks"][0];
    let status = described["StackStatus"].as_str().unwrap_or_default();
    ensure!(!status.contains("FAILED") && !status.contains("ROLLBACK"), "the stack is {status}: {described}");
    let pairs = described["Outputs"].as_array().into_iter().flatten();
    let pairs = pairs.filter_map(|one| Some((one["OutputKey"].as_str()?.to_owned(), one["OutputValue"].clone())));
    Ok(status.ends_with("_COMPLETE").then(|| Value::Object(pairs.collect())))
}

/// Runs the AWS command line against the emulator.
async fn aws(stack: &Stack, arguments: &[&str]) -> Result<String> {
    let mut command = Command::from(stack.aws_cli());
    let output = command.args(arguments).stdin(Stdio::null()).kill_on_drop(true).output().await?;
    let out = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "aws {arguments:?}: {out}{err}");
    Ok(out.into_owned())
}
