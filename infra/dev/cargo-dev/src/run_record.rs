//! The record of a named run. A lock allows one command per name. Every started process is recorded, so that
//! `cargo dev down` stops exactly these, even if the command itself was killed.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use membermail_toolbox::process::Process;
use membermail_toolbox::service;
use serde_json::{Value, json};

/// Default name of a run.
pub(crate) const DEFAULT_NAME: &str = "up";

/// Selects a run.
#[derive(Debug, clap::Args)]
pub(crate) struct Name {
    /// Name of the run; runs with different names are independent
    #[arg(long, default_value = DEFAULT_NAME)]
    pub(crate) name: String,
}

/// An exclusive lock on the name of a run, until this value is dropped or the process exits.
pub(crate) struct RunLock {
    name: String,
    /// The recorded processes, this one first; locked by this process.
    processes: File,
}

impl RunLock {
    /// Locks the name of this state folder. Fails if another run holds the lock or left processes behind.
    pub(crate) fn acquire(state: &Path) -> Result<Self> {
        let name = state.file_name().context("the state folder has no name")?.to_string_lossy().into_owned();
        let file = processes_file(&name);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        let Some(processes) = try_lock(&file)? else {
            let address = published_url(&name).map(|url| format!(" at {url}")).unwrap_or_default();
            bail!("{name} is already running{address}; stop it with `cargo dev down --name {name}`");
        };
        if Process::recorded(&file)?.iter().any(Process::is_running) {
            bail!("{name} was killed and left processes behind; stop them with `cargo dev down --name {name}`");
        }
        processes.set_len(0)?;
        let this = i32::try_from(std::process::id()).ok().and_then(Process::find).context("cannot read /proc")?;
        this.record(&file)?;
        service::record_processes_in(Some(file));
        Ok(Self { name, processes })
    }

    /// Records processes that were not started as a [`service::Service`].
    pub(crate) fn record_processes(&self, processes: &[Process]) -> Result<()> {
        processes.iter().try_for_each(|process| process.record(&processes_file(&self.name)))
    }

    /// Publishes the description of the site once it is ready.
    pub(crate) fn publish(&self, mut description: Value, url: &str) -> Result<()> {
        description["url"] = json!(url);
        // Rename, so that a process that waits for the file never reads a part of it.
        let file = description_file(&self.name);
        let unfinished = file.with_extension("json.new");
        fs::write(&unfinished, serde_json::to_vec_pretty(&description)?)?;
        fs::rename(&unfinished, &file).with_context(|| format!("cannot write {}", file.display()))
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        service::record_processes_in(None);
        let _ = fs::remove_file(description_file(&self.name));
        let _ = self.processes.set_len(0);
    }
}

/// A run as seen by another command.
pub(crate) struct RecordedRun {
    name: String,
    /// URL of the site, once it is up.
    pub(crate) url: Option<String>,
    processes: Vec<Process>,
}

impl RecordedRun {
    /// Reads the record if any of its processes is running.
    pub(crate) fn read(name: &str) -> Result<Option<Self>> {
        let processes = Process::recorded(&processes_file(name))?;
        let run = Self { name: name.to_owned(), url: published_url(name), processes };
        Ok(run.processes.iter().any(Process::is_running).then_some(run))
    }

    /// Stops all processes. The command comes first and stops its services in order.
    pub(crate) fn stop(&self) -> Result<()> {
        for process in &self.processes {
            process.stop(Duration::from_secs(20))?;
        }
        clean_up(&self.name)
    }
}

/// Removes the files of a command that was killed.
pub(crate) fn clean_up(name: &str) -> Result<()> {
    if let Some(processes) = try_lock(&processes_file(name))? {
        processes.set_len(0)?;
        let _ = fs::remove_file(description_file(name));
    }
    Ok(())
}

/// Opens and locks a file, unless another process holds the lock.
fn try_lock(file: &Path) -> Result<Option<File>> {
    let opened = File::options().create(true).append(true).open(file);
    let opened = opened.with_context(|| format!("cannot write {}", file.display()))?;
    match opened.try_lock() {
        Ok(()) => Ok(Some(opened)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", file.display())),
    }
}

fn published_url(name: &str) -> Option<String> {
    let value: Value = serde_json::from_str(&fs::read_to_string(description_file(name)).ok()?).ok()?;
    Some(value["url"].as_str()?.to_owned())
}

fn processes_file(name: &str) -> PathBuf {
    folder().join(format!("{name}.processes"))
}

fn description_file(name: &str) -> PathBuf {
    folder().join(format!("{name}.json"))
}

fn folder() -> PathBuf {
    membermail_toolbox::folder().join("run")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_lock_is_exclusive() {
        let name = format!("state-test-{}", std::process::id());
        let state = folder().join(&name);
        let run = RunLock::acquire(&state).unwrap();
        let error = RunLock::acquire(&state).err().unwrap().to_string();
        assert!(error.contains("is already running; stop it with `cargo dev down --name state-test-"), "{error}");
        run.publish(json!({}), "http://localhost:1").unwrap();
        let error = RunLock::acquire(&state).err().unwrap().to_string();
        assert!(error.contains("is already running at http://localhost:1;"), "{error}");
        assert_eq!(RecordedRun::read(&name).unwrap().unwrap().processes.len(), 1);
        drop(run);
        assert!(RecordedRun::read(&name).unwrap().is_none());
        drop(RunLock::acquire(&state).unwrap());
        fs::remove_file(processes_file(&name)).unwrap();
    }

    #[tokio::test]
    async fn processes_of_killed_run_are_stopped() {
        let name = format!("state-left-{}", std::process::id());
        let mut orphan = std::process::Command::new("sleep").arg("100").spawn().unwrap();
        let process = Process::find(i32::try_from(orphan.id()).unwrap()).unwrap();
        fs::create_dir_all(folder()).unwrap();
        process.record(&processes_file(&name)).unwrap();
        let error = RunLock::acquire(&folder().join(&name)).err().unwrap().to_string();
        assert!(error.contains("was killed and left processes behind"), "{error}");
        RecordedRun::read(&name).unwrap().unwrap().stop().unwrap();
        orphan.wait().unwrap();
        assert!(!process.is_running());
        drop(RunLock::acquire(&folder().join(&name)).unwrap());
        fs::remove_file(processes_file(&name)).unwrap();
    }
}
