//! A stack that the runbook's story has for itself, at the emulator of this run: it may break what others need.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use membermail_core::alias::Status;
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::random::OsRandom;
use membermail_tests::gateway::{Gateway, Mapping, location};
use membermail_tests::mailbox::Mailbox;
use membermail_tests::peers::OwnStandIns;
use membermail_tests::proxy::Proxy;
use membermail_tests::stack::Stack;
use membermail_tests::table::operator;
use membermail_tests::wait::until;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

/// Long enough for a whole stack on a busy machine.
const DEPLOY: Duration = Duration::from_secs(240);
/// Long enough for functions to start, and for a few tries of a queue.
pub(crate) const PATIENCE: Duration = Duration::from_secs(150);

pub(crate) struct World {
    /// The stack's name.
    pub(crate) name: String,
    /// Everything of it, in place of this run's own.
    pub(crate) stack: Stack,
    /// Between the functions and Launchpad.
    pub(crate) launchpad: Proxy,
    /// The secret of its mail, which names a server that is not there.
    pub(crate) mail_secret: String,
    /// The server that is.
    pub(crate) mail_server: MailServer,
}

/// `tests/smtp/sink.py`.
pub(crate) struct MailServer {
    pub(crate) port: u16,
    pub(crate) mailbox: Mailbox,
    _folder: tempfile::TempDir,
    _child: Child,
}

impl World {
    /// Deploys what this run has packaged, once more.
    pub(crate) async fn deploy() -> Result<Self> {
        // People of its own too: nobody else signs in as them, or changes their teams.
        let stand_ins = OwnStandIns::start("").await?;
        let of_this_run = Stack { stand_ins_url: stand_ins.root, ..Stack::of_this_run()? };
        let name = format!("operations-{}", std::process::id());
        let mail_server = MailServer::start(&of_this_run).await?;
        let launchpad = Proxy::before(&of_this_run.stand_ins_url).await?;
        // A port that was free a moment ago, and where nobody listens.
        let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
        let settings = mail_settings(nobody).to_string();
        let secrets = of_this_run.secrets().await;
        let secret = secrets.create_secret().name(format!("{name}-mail")).secret_string(settings).send().await?;
        let mail_secret = secret.arn.context("a secret without an ARN")?;
        let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
        let parameters = [
            ("Architecture", architecture),
            ("PublicUrl", of_this_run.public_url.as_str().trim_end_matches('/')),
            ("SignInUrl", of_this_run.stand_ins_url.as_str()),
            ("LaunchpadUrl", launchpad.url.as_str()),
            ("LaunchpadTimeoutSeconds", "5"),
            ("LaunchpadRetryMilliseconds", "20"),
            ("SyncInvocationSeconds", "15"),
            ("SyncPaceMilliseconds", "5"),
            ("SyncLeaseSeconds", "20"),
            ("SyncEnabled", "false"),
            ("DomainChecksEnabled", "false"),
            ("MailSecretArn", &mail_secret),
            ("DigestSeconds", "5"),
            ("ErrorIntervalSeconds", "30"),
        ];
        let parameters = parameters.map(|(name, value)| format!("ParameterKey={name},ParameterValue={value}"));
        let mut create = vec!["cloudformation", "create-stack", "--stack-name", &name];
        create.extend(["--template-url", &of_this_run.template_url]);
        create.extend(["--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND", "--parameters"]);
        create.extend(parameters.iter().map(String::as_str));
        aws(&of_this_run, &create).await?;
        let outputs = until("the stack", DEPLOY, async || outputs(&of_this_run, &name).await).await?;
        let output = |name: &str| outputs[name].as_str().map(str::to_owned).with_context(|| format!("no {name}"));
        let stack = Stack {
            table: output("TableName")?,
            verify_queue_url: output("VerifyQueueUrl")?,
            write_queue_url: output("WriteQueueUrl")?,
            sync_queue_url: output("SyncQueueUrl")?,
            notify_queue_url: output("NotifyQueueUrl")?,
            write_dead_letters_url: output("WriteDeadLettersUrl")?,
            master_secret_arn: output("MasterSecretArn")?,
            ..of_this_run
        };
        let (store, now) = (stack.store().await, SystemClock.now());
        for domain in membermail_communities::community("ubuntu")?.domain_names() {
            store.verify_domain(domain, operator(now), &OsRandom).await?;
        }
        Ok(Self { name, stack, launchpad, mail_secret, mail_server })
    }

    /// Takes it away again.
    pub(crate) async fn delete(self) -> Result<()> {
        aws(&self.stack, &["cloudformation", "delete-stack", "--stack-name", &self.name]).await.map(drop)
    }

    /// The site, as one long-lived process of each function that answers browsers.
    pub(crate) async fn site(&self) -> Result<Gateway> {
        Gateway::new(&self.stack, Mapping::Stage).await
    }

    /// Signs somebody in; what becomes of it is the queues'.
    pub(crate) async fn sign_in(&self, name: &str) -> Result<Gateway> {
        sign_in(&self.stack, name).await
    }

    /// Waits until an address is in this state.
    pub(crate) async fn address_is(&self, address: &str, status: Status) -> Result<()> {
        until(&format!("{address} {}", status.as_str()), PATIENCE, async || {
            let stored = self.stack.alias(address).await?;
            Ok(stored.filter(|stored| stored.alias.status == status).map(drop))
        })
        .await
    }

    /// A stack's output as it is now.
    pub(crate) async fn output(&self, name: &str) -> Result<String> {
        let outputs = outputs(&self.stack, &self.name).await?.context("the stack is not complete")?;
        outputs[name].as_str().map(str::to_owned).with_context(|| format!("no {name}"))
    }
}

/// Signs somebody in at a site that has this table and these queues.
pub(crate) async fn sign_in(stack: &Stack, name: &str) -> Result<Gateway> {
    let mut site = Gateway::new(stack, Mapping::Stage).await?;
    let away = location(&site.get(&Mapping::Stage.url("/sign-in")?).await?)?;
    let callback = stack.choose(&away, name).await?;
    let landed = site.get(&callback).await?;
    ensure!(landed.status == 303, "{name}: {} {}", landed.status, landed.text);
    Ok(site)
}

/// What a mail secret holds.
pub(crate) fn mail_settings(port: u16) -> Value {
    json!({
        "relay": format!("smtp://127.0.0.1:{port}"),
        "from": "Ubuntu mail <noreply@notices.example>",
        "reply-to": "Ubuntu mail help <help@notices.example>",
        "operators": "operators@notices.example",
    })
}

/// All outputs by name, once the stack is as it was asked to be.
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

/// The AWS command line at this run's emulator.
async fn aws(stack: &Stack, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(stack.python.with_file_name("aws"));
    command.args(["--output", "json", "--region", "us-east-1", "--endpoint-url", stack.endpoint_url.as_str()]);
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test").env_remove("AWS_PROFILE");
    let output = command.args(arguments).stdin(Stdio::null()).kill_on_drop(true).output().await?;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "aws {arguments:?}: {out}{err}");
    Ok(out.into_owned())
}

impl MailServer {
    async fn start(stack: &Stack) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/smtp/sink.py");
        let mut command = Command::new(&stack.smtp_python);
        let child = command.arg(script).arg(folder.path()).stdin(Stdio::null()).kill_on_drop(true).spawn()?;
        let port = until("the mail server", Duration::from_secs(30), async || {
            Ok(std::fs::read_to_string(folder.path().join("port")).ok().and_then(|port| port.parse().ok()))
        })
        .await?;
        Ok(Self { port, mailbox: Mailbox::in_folder(folder.path()), _folder: folder, _child: child })
    }
}
