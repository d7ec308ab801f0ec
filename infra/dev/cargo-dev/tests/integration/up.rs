//! `cargo dev watch`, and `cargo dev up` on MiniStack: sign-in works as on the deployed stack of the other tests.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use membermail_tests::browser::Browser;
use membermail_tests::stack::Stack;
use membermail_tests::wait::{TIMEOUT, until};
use membermail_toolbox::process::Process;
use membermail_toolbox::{folder, workspace};
use tokio::time::{Instant, sleep};

use crate::workflows::commands;

/// Long, because the machine is busy with the other tests.
const START_TIMEOUT: Duration = Duration::from_secs(240);

/// A running `cargo dev` command on free ports.
struct Running {
    child: Child,
    process: Process,
    name: String,
    log: PathBuf,
}

fn command(arguments: &[&str], name: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_membermail-dev"));
    command.args(arguments).args(["--name", name, "--port", "0", "--fakes-port", "0"]);
    command
}

impl Running {
    fn start(arguments: &[&str]) -> Result<Self> {
        let name = format!("{}-test-{}", arguments[0], std::process::id());
        let log = folder().join("run").join(format!("{name}.log"));
        let file = File::create(&log)?;
        let child = command(arguments, &name).stdout(file.try_clone()?).stderr(file).spawn()?;
        let process =
            i32::try_from(child.id()).ok().and_then(Process::find).context("the command exited immediately")?;
        Ok(Self { child, process, name, log })
    }

    fn file(&self) -> PathBuf {
        folder().join("run").join(format!("{}.json", self.name))
    }

    /// The file of recorded processes.
    fn processes_file(&self) -> PathBuf {
        folder().join("run").join(format!("{}.processes", self.name))
    }

    /// Polls until there is a value; fails if the command exits.
    async fn wait_for<T>(&mut self, what: &str, poll: impl Fn(&Self) -> Result<Option<T>>) -> Result<T> {
        let started = Instant::now();
        while started.elapsed() < START_TIMEOUT {
            if let Some(value) = poll(self)? {
                return Ok(value);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the command exited with {status}:\n{}", fs::read_to_string(&self.log)?);
            }
            sleep(Duration::from_millis(20)).await;
        }
        bail!("no {what} after {START_TIMEOUT:?}:\n{}", fs::read_to_string(&self.log)?)
    }

    /// Waits until the command has started a service.
    async fn first_service(&mut self) -> Result<Vec<Process>> {
        self.wait_for("service", |run| {
            Ok(Some(Process::recorded(&run.processes_file())?).filter(|recorded| recorded.len() > 1))
        })
        .await
    }

    /// Runs `cargo dev down` for this name and returns its output.
    fn down(&self) -> Result<String> {
        let output =
            Command::new(env!("CARGO_BIN_EXE_membermail-dev")).args(["down", "--name", &self.name]).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Waits until the site is up.
    async fn stack(&mut self) -> Result<Stack> {
        let text = self.wait_for("site", |run| Ok(fs::read_to_string(run.file()).ok())).await?;
        Ok(serde_json::from_str(&text)?)
    }

    /// The current process of a function.
    fn function(&self, name: &str) -> Option<Process> {
        self.process.with_descendants().into_iter().find(|process| process.name().as_deref() == Some(name))
    }

    /// Sends SIGINT, waits for the command to exit, and returns the processes that are still running.
    fn interrupt(&mut self) -> Result<Vec<Process>> {
        let processes = self.process.with_descendants();
        ensure!(processes.len() > 3, "expected emulator, fakes and functions, found {}", processes.len());
        let interrupt = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status()?;
        ensure!(interrupt.success());
        self.child.wait()?;
        Ok(processes.into_iter().filter(Process::is_running).collect())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Does nothing unless the test failed.
        let _ = self.process.stop(Duration::from_secs(10));
        let _ = self.child.wait();
        for process in Process::recorded(&self.processes_file()).into_iter().flatten() {
            let _ = process.stop(Duration::from_secs(3));
        }
        let _ = fs::remove_file(self.file());
        let _ = fs::remove_file(self.processes_file());
        let _ = fs::remove_dir_all(folder().join("run").join(&self.name));
        let _ = fs::remove_file(&self.log);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the local stack (cargo dev test)"]
async fn watch_rebuilds_changed_function() -> Result<()> {
    Stack::of_this_run()?;
    let mut watch = Running::start(&["watch"])?;
    let stack = watch.stack().await?;

    // The address appears after sign-in: both queues have an event source.
    let browser = stack.sign_in_until("alice", "alice@ubuntu.com now forwards to alice@mail.example").await?;

    // Saving a source restarts its function. The content stays the same.
    let before = watch.function("account").context("no account process")?;
    let source = workspace().join("functions/account/src/main.rs");
    fs::write(&source, fs::read(&source)?)?;
    until("a new process of account", TIMEOUT, || {
        let now = watch.function("account");
        async move { Ok(now.filter(|now| *now != before)) }
    })
    .await?;
    stack.page_with(&browser, "alice@ubuntu.com now forwards to alice@mail.example").await?;

    let left = watch.interrupt()?;
    ensure!(left.is_empty(), "still running after Ctrl-C: {left:?}");
    ensure!(!watch.file().exists(), "`cargo dev down` would still find the run");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the local stack (cargo dev test)"]
async fn up_works_on_ministack() -> Result<()> {
    let others = Stack::of_this_run()?;
    // The first command of README.md.
    let typed = commands("Try it")?;
    let up = typed.first().and_then(|typed| typed.strip_prefix("cargo dev ")).context("README.md begins otherwise")?;
    let mut up = Running::start(&[up, "--emulator", "ministack"])?;
    let stack = up.stack().await?;
    // This emulator limits the functions to the permissions of their roles.
    stack.sign_in_until("alice", "alice@ubuntu.com now forwards to alice@mail.example").await?;
    missing_permission_fails(&stack).await?;

    // A second run of the same name is rejected and leaves the first one alone.
    let again = command(&["up", "--emulator", "ministack"], &up.name).output()?;
    let error = String::from_utf8_lossy(&again.stderr);
    ensure!(!again.status.success() && error.contains("is already running at http://"), "{error}");

    // `cargo dev down` stops all processes of the run and nothing else: no foreign program and no other site.
    let mut bystander = Command::new("sleep").arg("1000").spawn()?;
    let processes = up.process.with_descendants();
    ensure!(processes.len() > 3, "expected emulator, fakes and functions, found {}", processes.len());
    ensure!(up.down()?.starts_with("stopped http://localhost:"));
    up.child.wait()?;
    let left: Vec<_> = processes.into_iter().filter(Process::is_running).collect();
    ensure!(left.is_empty(), "still running after `cargo dev down`: {left:?}");
    ensure!(bystander.try_wait()?.is_none(), "`cargo dev down` stopped a foreign process");
    bystander.kill()?;
    bystander.wait()?;
    ensure!(reqwest::get(others.public_url.join("health")?).await?.status().is_success(), "another site was stopped");
    ensure!(!up.file().exists() && up.down()? == "nothing is running\n");
    Ok(())
}

/// `cargo dev smoke` passes, and without one permission it names it, and sign-ins fail.
async fn missing_permission_fails(stack: &Stack) -> Result<()> {
    let roles = ["--role", "SsoRole", "--role", "WriteAliasesRole"];
    let (is_ok, report) = smoke(stack, &roles)?;
    ensure!(is_ok && report.contains("SsoRole may not change the audit log |  | passed"), "{report}");

    let role = stack.physical_id("SsoRole")?;
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"dynamodb:PutItem","Resource":"*",
        "Condition":{"ForAnyValue:StringLike":{"dynamodb:LeadingKeys":"NONCE#*"}}}]}"#;
    let put = ["iam", "put-role-policy", "--role-name", &role, "--policy-name", "deny", "--policy-document", deny];
    ensure!(stack.aws_cli().args(put).status()?.success());
    let (is_ok, report) = smoke(stack, &roles)?;
    ensure!(!is_ok && report.contains("denied: transaction of PutItem NONCE#, STATE#"), "{report}");
    ensure!(report.contains("| WriteAliasesRole | 16 of 16 kinds of requests allowed | passed |"), "{report}");
    let mut browser = Browser::new()?;
    let callback = stack.start_sign_in(&mut browser, "alice").await?;
    let page = browser.open(callback).await?;
    ensure!(page.status.is_server_error(), "the sign-in was not denied: {} {}", page.status, page.text);
    Ok(())
}

/// Runs `cargo dev smoke`. Returns whether it passed, and its output.
fn smoke(stack: &Stack, arguments: &[&str]) -> Result<(bool, String)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_membermail-dev"));
    command.args(["smoke", "--yes", "--url", stack.public_url.as_str()]).args(arguments);
    command.envs([
        ("AWS_ENDPOINT_URL", stack.endpoint_url.as_str().trim_end_matches('/')),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ]);
    let output = command.env_remove("AWS_PROFILE").output()?;
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    Ok((output.status.success(), text))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the local stack (cargo dev test)"]
async fn down_stops_killed_start() -> Result<()> {
    Stack::of_this_run()?;
    let mut up = Running::start(&["up", "--emulator", "ministack"])?;
    let recorded = up.first_service().await?;
    // SIGKILL: the command cannot stop its services.
    up.child.kill()?;
    up.child.wait()?;
    ensure!(!recorded[0].is_running() && recorded[1].is_running(), "no service was left running: {recorded:?}");
    ensure!(up.down()? == "stopped a run that was still starting\n");
    ensure!(!recorded.iter().any(Process::is_running), "still running after `cargo dev down`: {recorded:?}");
    ensure!(up.down()? == "nothing is running\n");
    Ok(())
}
