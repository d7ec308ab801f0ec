//! `cargo dev watch`, by functions that follow the sources, and `cargo dev up` on the other emulator: the same story as on
//! the deployed stack.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use membermail_tests::stack::Stack;
use membermail_tests::wait::until;
use membermail_toolbox::process::Process;
use membermail_toolbox::{folder, workspace};
use tokio::time::{Instant, sleep};

/// Another emulator, on a machine that is busy with all other tests.
const START: Duration = Duration::from_secs(240);

/// A command of `cargo dev` that stays, on ports of its own.
struct Running {
    child: Child,
    process: Process,
    name: String,
    log: PathBuf,
}

fn command(arguments: &[&str], name: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_membermail-dev"));
    command.args(arguments).args(["--name", name, "--port", "0", "--stand-ins-port", "0"]);
    command
}

impl Running {
    fn start(arguments: &[&str]) -> Result<Self> {
        let name = format!("{}-test-{}", arguments[0], std::process::id());
        let log = folder().join("run").join(format!("{name}.log"));
        let file = File::create(&log)?;
        let child = command(arguments, &name).stdout(file.try_clone()?).stderr(file).spawn()?;
        let process = i32::try_from(child.id()).ok().and_then(Process::now).context("it ended at once")?;
        Ok(Self { child, process, name, log })
    }

    fn file(&self) -> PathBuf {
        folder().join("run").join(format!("{}.json", self.name))
    }

    /// Where it notes what it has started.
    fn notes(&self) -> PathBuf {
        folder().join("run").join(format!("{}.processes", self.name))
    }

    /// Waits until it has started something.
    async fn first_service(&mut self) -> Result<Vec<Process>> {
        let begin = Instant::now();
        while begin.elapsed() < START {
            let noted = Process::noted(&self.notes())?;
            if noted.len() > 1 {
                return Ok(noted);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status}:\n{}", fs::read_to_string(&self.log)?);
            }
            sleep(Duration::from_millis(20)).await;
        }
        bail!("it has started nothing after {START:?}:\n{}", fs::read_to_string(&self.log)?)
    }

    /// `cargo dev down` of this name; what it says.
    fn down(&self) -> Result<String> {
        let output =
            Command::new(env!("CARGO_BIN_EXE_membermail-dev")).args(["down", "--name", &self.name]).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    }

    async fn stack(&mut self) -> Result<Stack> {
        let begin = Instant::now();
        while begin.elapsed() < START {
            if let Ok(text) = fs::read_to_string(self.file()) {
                return Ok(serde_json::from_str(&text)?);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status}:\n{}", fs::read_to_string(&self.log)?);
            }
            sleep(Duration::from_millis(200)).await;
        }
        bail!("it is not up after {START:?}:\n{}", fs::read_to_string(&self.log)?)
    }

    /// The process of a function just now.
    fn function(&self, name: &str) -> Option<Process> {
        self.process.family().into_iter().find(|process| process.name().as_deref() == Some(name))
    }

    /// Ctrl-C, and what is left of all that ran after it has ended.
    fn interrupt(&mut self) -> Result<Vec<Process>> {
        let family = self.process.family();
        ensure!(family.len() > 3, "emulator, stand-ins and functions are more than {}", family.len());
        let interrupt = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status()?;
        ensure!(interrupt.success());
        self.child.wait()?;
        Ok(family.into_iter().filter(Process::runs).collect())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Only where the test failed in between.
        let _ = self.process.stop(Duration::from_secs(10));
        let _ = self.child.wait();
        for process in Process::noted(&self.notes()).into_iter().flatten() {
            let _ = process.stop(Duration::from_secs(3));
        }
        let _ = fs::remove_file(self.file());
        let _ = fs::remove_file(self.notes());
        let _ = fs::remove_dir_all(folder().join("run").join(&self.name));
        let _ = fs::remove_file(&self.log);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn watching_serves_the_same_story_and_follows_the_sources() -> Result<()> {
    // Says how to run this, where it is run otherwise.
    Stack::of_this_run()?;
    let mut watch = Running::start(&["watch"])?;
    let stack = watch.stack().await?;

    // Open, sign in, and the address appears: both queues are pumped.
    let (browser, _) = stack.sign_in("alice").await?;
    stack.page_with(&browser, "alice@ubuntu.com now forwards to alice@mail.example", 120).await?;

    // A function whose source is saved runs anew and goes on answering. Only the time of the file changes, not a byte.
    let before = watch.function("account").context("no account process")?;
    let source = workspace().join("functions/account/src/main.rs");
    fs::write(&source, fs::read(&source)?)?;
    until("a new process of account", Duration::from_secs(120), || {
        let now = watch.function("account");
        async move { Ok(now.filter(|now| *now != before)) }
    })
    .await?;
    stack.page_with(&browser, "alice@ubuntu.com now forwards to alice@mail.example", 120).await?;

    let left = watch.interrupt()?;
    ensure!(left.is_empty(), "still there after Ctrl-C: {left:?}");
    ensure!(!watch.file().exists(), "`cargo dev down` would still find it");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ministack_serves_the_same_story() -> Result<()> {
    let others = Stack::of_this_run()?;
    let mut up = Running::start(&["up", "--emulator", "ministack"])?;
    let stack = up.stack().await?;
    let (browser, _) = stack.sign_in("alice").await?;
    stack.page_with(&browser, "alice@ubuntu.com now forwards to alice@mail.example", 120).await?;

    // One run has a name, and another that wants it leaves the first alone.
    let again = command(&["up", "--emulator", "ministack"], &up.name).output()?;
    let said = String::from_utf8_lossy(&again.stderr);
    ensure!(!again.status.success() && said.contains("runs already at http://"), "{said}");

    // `cargo dev down` ends all of it, and nothing else: neither a program of somebody's nor the site of other tests.
    let mut bystander = Command::new("sleep").arg("1000").spawn()?;
    let family = up.process.family();
    ensure!(family.len() > 3, "emulator, stand-ins and functions are more than {}", family.len());
    ensure!(up.down()?.starts_with("stopped what was at http://localhost:"));
    up.child.wait()?;
    let left: Vec<_> = family.into_iter().filter(Process::runs).collect();
    ensure!(left.is_empty(), "still there after `cargo dev down`: {left:?}");
    ensure!(bystander.try_wait()?.is_none(), "it ended what it had not started");
    bystander.kill()?;
    bystander.wait()?;
    ensure!(reqwest::get(others.public_url.join("health")?).await?.status().is_success(), "another site is gone");
    ensure!(!up.file().exists() && up.down()? == "nothing runs\n");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_killed_while_it_started_is_found_and_ended() -> Result<()> {
    Stack::of_this_run()?;
    let mut up = Running::start(&["up", "--emulator", "ministack"])?;
    let noted = up.first_service().await?;
    // Without a word, so that it ends nothing itself.
    up.child.kill()?;
    up.child.wait()?;
    ensure!(!noted[0].runs() && noted[1].runs(), "nothing is left that could be found: {noted:?}");
    ensure!(up.down()? == "stopped what was starting\n");
    ensure!(!noted.iter().any(Process::runs), "still there after `cargo dev down`: {noted:?}");
    ensure!(up.down()? == "nothing runs\n");
    Ok(())
}
