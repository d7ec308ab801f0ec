//! What a command started that stays up, in a file a name, so that `cargo dev down` ends that and nothing else.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use membermail_toolbox::process::Process;
use serde_json::{Value, json};

use crate::site::Site;

/// A site as it runs.
pub(crate) struct Started {
    name: String,
    /// Where the site is.
    pub(crate) url: String,
    /// The command first, and then what it started.
    pub(crate) processes: Vec<Process>,
}

impl Started {
    /// Reads the file of this name, if there is one and anything of it still runs.
    pub(crate) fn read(name: &str) -> Result<Option<Self>> {
        let file = file(name);
        let Ok(text) = fs::read_to_string(&file) else { return Ok(None) };
        let value: Value = serde_json::from_str(&text).with_context(|| format!("in {}", file.display()))?;
        let process = |value: &Value| {
            Some(Process { pid: value["pid"].as_i64()?.try_into().ok()?, start: value["start"].as_u64()? })
        };
        let processes: Vec<_> = value["processes"].as_array().into_iter().flatten().filter_map(process).collect();
        let url = value["url"].as_str().unwrap_or_default().to_owned();
        Ok(processes.iter().any(Process::runs).then_some(Self { name: name.to_owned(), url, processes }))
    }

    /// Fails while something of this name runs.
    pub(crate) fn refuse_second(name: &str) -> Result<()> {
        match Self::read(name)? {
            Some(started) => bail!("it runs already, at {}; `cargo dev down` stops it", started.url),
            None => Ok(()),
        }
    }

    /// Writes the file: how the site is described, and the processes of the site and of what else was started for it.
    pub(crate) fn write(name: &str, description: Value, site: &Site, more: &[Process]) -> Result<()> {
        let this = i32::try_from(std::process::id()).ok().and_then(Process::now).context("no /proc")?;
        let services =
            more.iter().copied().chain([site.stand_ins.process, site.mailbox.service.process, site.emulator.process]);
        let processes: Vec<_> = std::iter::once(this)
            .chain(services)
            .map(|process| json!({ "pid": process.pid, "start": process.start }))
            .collect();
        let mut description = description;
        description["url"] = json!(site.url);
        description["processes"] = json!(processes);
        let file = file(name);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        // In one step: whoever waits for the file must not read half of it.
        let half = file.with_extension("json.new");
        fs::write(&half, serde_json::to_vec_pretty(&description)?)?;
        fs::rename(&half, &file).with_context(|| format!("writing {}", file.display()))
    }

    /// Removes the file.
    pub(crate) fn forget(name: &str) -> Result<()> {
        match fs::remove_file(file(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Ends all of it.
    pub(crate) fn stop(&self) -> Result<()> {
        for process in &self.processes {
            process.stop(std::time::Duration::from_secs(20))?;
        }
        Self::forget(&self.name)
    }
}

fn file(name: &str) -> PathBuf {
    membermail_toolbox::folder().join("run").join(format!("{name}.json"))
}
