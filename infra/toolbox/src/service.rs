//! A program that runs in the background and is ready when it answers.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process::Process;

/// What to start, and how to know that it is ready.
#[derive(Debug)]
pub struct Plan {
    /// Its name, for messages.
    pub name: &'static str,
    /// The program in the foreground.
    pub command: Command,
    /// Where it answers.
    pub url: String,
    /// What it answers once all is ready.
    pub health: Health,
    /// What it has to say for itself; without a file it says it on this terminal.
    pub log: Option<PathBuf>,
    /// How long it may take until it answers.
    pub patience: Duration,
}

/// How a program shows that it is ready.
#[derive(Clone, Copy, Debug)]
pub enum Health {
    /// This path is answered with 2xx.
    Good(&'static str),
    /// This path is answered, with whatever status.
    Any(&'static str),
}

/// A program that answers, until this value is dropped.
#[derive(Debug)]
pub struct Service {
    /// Where it answers.
    pub url: String,
    /// The process; everything else of it is a descendant.
    pub process: Process,
    name: &'static str,
    log: Option<PathBuf>,
    child: Child,
}

impl Service {
    /// Starts it and waits until it answers.
    pub async fn start(plan: Plan) -> Result<Self> {
        let Plan { name, mut command, url, health, log, patience } = plan;
        command.stdin(Stdio::null());
        if let Some(log) = &log {
            if let Some(folder) = log.parent() {
                fs::create_dir_all(folder)?;
            }
            let file = File::create(log).with_context(|| format!("writing {}", log.display()))?;
            command.stdout(file.try_clone()?).stderr(file);
        }
        // A group of its own: a Ctrl-C in the terminal is for us, and we stop it in order.
        command.process_group(0);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let process = i32::try_from(child.id()).ok().and_then(Process::now);
        let process = process.with_context(|| format!("{name} ended at once"))?;
        let mut service = Self { url, process, name, log, child };
        // Where it does not answer it ends here, as the value is dropped.
        service.wait(health, patience).await?;
        Ok(service)
    }

    /// Ends it with everything that it started.
    pub fn stop(&mut self) -> Result<()> {
        self.process.stop(Duration::from_secs(10))?;
        self.child.wait().with_context(|| format!("waiting for {}", self.name))?;
        Ok(())
    }

    async fn wait(&mut self, health: Health, patience: Duration) -> Result<()> {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
        let (Health::Good(path) | Health::Any(path)) = health;
        let (url, start) = (format!("{}{path}", self.url), Instant::now());
        while start.elapsed() < patience {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status}{}", self.name, self.see());
            }
            let answer = client.get(&url).send().await;
            if answer.is_ok_and(|answer| matches!(health, Health::Any(_)) || answer.status().is_success()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("{} does not answer{}", self.name, self.see())
    }

    fn see(&self) -> String {
        self.log.as_ref().map(|log| format!(": see {}", log.display())).unwrap_or_default()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Only where an error came in between; whoever stops in order has done it already.
        let _ = self.process.stop(Duration::from_secs(3));
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_ends_before_it_answers_is_told_with_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut command = Command::new("sh");
        command.args(["-c", "echo no; exit 3"]);
        let plan = Plan {
            name: "it",
            command,
            url: "http://127.0.0.1:9".to_owned(),
            health: Health::Good("/"),
            log: Some(log.clone()),
            patience: Duration::from_secs(5),
        };
        let error = Service::start(plan).await.unwrap_err().to_string();
        assert!(error.starts_with("it ended with exit status: 3: see "), "{error}");
        assert_eq!(fs::read_to_string(log).unwrap(), "no\n");
    }
}
