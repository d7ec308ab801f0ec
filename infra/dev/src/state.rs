//! What runs under a name: one command at a time, with every process that it starts noted as it starts, so that
//! `cargo dev down` ends that and nothing else, also where the command itself was killed half way.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use membermail_toolbox::process::Process;
use membermail_toolbox::service;
use serde_json::{Value, json};

/// A name that is taken, with its folder, until this value is dropped or the process ends, however it ends.
pub(crate) struct Run {
    name: String,
    /// The processes, this one first; locked by this one.
    notes: File,
}

impl Run {
    /// Takes the name of this state folder. Fails while another has it, or while something of a former one still runs.
    pub(crate) fn begin(state: &Path) -> Result<Self> {
        let name = state.file_name().context("a folder without a name")?.to_string_lossy().into_owned();
        let file = notes(&name);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        let Some(notes) = locked(&file)? else {
            let place = url(&name).map(|url| format!(" at {url}")).unwrap_or_default();
            bail!("{name} runs already{place}; `cargo dev down --name {name}` stops it");
        };
        if Process::noted(&file)?.iter().any(Process::runs) {
            bail!("{name} was killed and left something that runs: `cargo dev down --name {name}` stops it");
        }
        notes.set_len(0)?;
        let this = i32::try_from(std::process::id()).ok().and_then(Process::now).context("no /proc")?;
        this.note(&file)?;
        service::note_starts_in(Some(file));
        Ok(Self { name, notes })
    }

    /// Notes what was started in other ways than as a [`service::Service`].
    pub(crate) fn note(&self, processes: &[Process]) -> Result<()> {
        processes.iter().try_for_each(|process| process.note(&notes(&self.name)))
    }

    /// Tells others where everything is, once all of it is there.
    pub(crate) fn announce(&self, mut description: Value, url: &str) -> Result<()> {
        description["url"] = json!(url);
        // In one step: whoever waits for the file must not read half of it.
        let (file, half) = (announcement(&self.name), announcement(&self.name).with_extension("json.new"));
        fs::write(&half, serde_json::to_vec_pretty(&description)?)?;
        fs::rename(&half, &file).with_context(|| format!("writing {}", file.display()))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        service::note_starts_in(None);
        let _ = fs::remove_file(announcement(&self.name));
        let _ = self.notes.set_len(0);
    }
}

/// What is there of a name, seen from another command.
pub(crate) struct Left {
    name: String,
    /// Where the site is; none is known of one that is not up yet.
    pub(crate) url: Option<String>,
    processes: Vec<Process>,
}

impl Left {
    /// Reads it, if anything of it still runs.
    pub(crate) fn read(name: &str) -> Result<Option<Self>> {
        let processes = Process::noted(&notes(name))?;
        let left = Self { name: name.to_owned(), url: url(name), processes };
        Ok(left.processes.iter().any(Process::runs).then_some(left))
    }

    /// Ends all of it: the command first, which ends what it started in order.
    pub(crate) fn stop(&self) -> Result<()> {
        for process in &self.processes {
            process.stop(Duration::from_secs(20))?;
        }
        forget(&self.name)
    }
}

/// Removes what a command left that was killed.
pub(crate) fn forget(name: &str) -> Result<()> {
    if let Some(notes) = locked(&notes(name))? {
        notes.set_len(0)?;
        let _ = fs::remove_file(announcement(name));
    }
    Ok(())
}

/// The file, if nobody has locked it.
fn locked(file: &Path) -> Result<Option<File>> {
    let opened = File::options().create(true).append(true).open(file);
    let opened = opened.with_context(|| format!("writing {}", file.display()))?;
    match opened.try_lock() {
        Ok(()) => Ok(Some(opened)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("locking {}", file.display())),
    }
}

fn url(name: &str) -> Option<String> {
    let value: Value = serde_json::from_str(&fs::read_to_string(announcement(name)).ok()?).ok()?;
    Some(value["url"].as_str()?.to_owned())
}

fn notes(name: &str) -> PathBuf {
    folder().join(format!("{name}.processes"))
}

fn announcement(name: &str) -> PathBuf {
    folder().join(format!("{name}.json"))
}

fn folder() -> PathBuf {
    membermail_toolbox::folder().join("run")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_anothers_until_it_is_dropped() {
        let name = format!("state-test-{}", std::process::id());
        let begin = || Run::begin(&folder().join(&name));
        let run = begin().unwrap();
        assert!(begin().err().unwrap().to_string().contains("runs already; `cargo dev down --name state-test-"));
        run.announce(json!({}), "http://localhost:1").unwrap();
        assert!(begin().err().unwrap().to_string().contains("runs already at http://localhost:1;"));
        assert_eq!(Left::read(&name).unwrap().unwrap().processes.len(), 1);
        drop(run);
        assert!(Left::read(&name).unwrap().is_none());
        drop(begin().unwrap());
        fs::remove_file(notes(&name)).unwrap();
    }

    #[tokio::test]
    async fn what_a_killed_run_left_is_found_and_ended() {
        let name = format!("state-left-{}", std::process::id());
        let mut orphan = std::process::Command::new("sleep").arg("100").spawn().unwrap();
        let process = Process::now(i32::try_from(orphan.id()).unwrap()).unwrap();
        fs::create_dir_all(folder()).unwrap();
        process.note(&notes(&name)).unwrap();
        let refused = Run::begin(&folder().join(&name)).err().unwrap().to_string();
        assert!(refused.contains("was killed and left something that runs"), "{refused}");
        Left::read(&name).unwrap().unwrap().stop().unwrap();
        orphan.wait().unwrap();
        assert!(!process.runs());
        drop(Run::begin(&folder().join(&name)).unwrap());
        fs::remove_file(notes(&name)).unwrap();
    }
}
