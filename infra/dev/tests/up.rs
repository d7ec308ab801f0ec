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

/// Another emulator, on a machine that is busy with all other tests.
const START: Duration = Duration::from_secs(240);

/// A command of `cargo dev` that stays, on ports of its own.
struct Running {
    child: Child,
    process: Process,
    name: String,
    log: PathBuf,
}

impl Running {
    fn start(arguments: &[&str]) -> Result<Self> {
        let name = format!("{}-test-{}", arguments[0], std::process::id());
        let log = folder().join("run").join(format!("{name}.log"));
        let file = File::create(&log)?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_membermail-dev"));
        command.args(arguments).args(["--name", &name, "--port", "0", "--stand-ins-port", "0"]);
        let child = command.stdout(file.try_clone()?).stderr(file).spawn()?;
        let process = i32::try_from(child.id()).ok().and_then(Process::now).context("it ended at once")?;
        Ok(Self { child, process, name, log })
    }

    fn file(&self) -> PathBuf {
        folder().join("run").join(format!("{}.json", self.name))
    }

    async fn stack(&mut self) -> Result<Stack> {
        let begin = tokio::time::Instant::now();
        while begin.elapsed() < START {
            if let Ok(text) = fs::read_to_string(self.file()) {
                return Ok(serde_json::from_str(&text)?);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status}:\n{}", fs::read_to_string(&self.log)?);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
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
        let _ = fs::remove_file(self.file());
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
    Stack::of_this_run()?;
    let mut up = Running::start(&["up", "--emulator", "ministack"])?;
    let stack = up.stack().await?;
    let (browser, _) = stack.sign_in("alice").await?;
    stack.page_with(&browser, "alice@ubuntu.com now forwards to alice@mail.example", 120).await?;
    let left = up.interrupt()?;
    ensure!(left.is_empty(), "still there after Ctrl-C: {left:?}");
    Ok(())
}
