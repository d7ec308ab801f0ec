//! What `cargo dev up` started, in a file, so that `cargo dev down` ends that and nothing else.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use membermail_toolbox::process::Process;
use serde_json::{Value, json};

/// `cargo dev up` as it runs.
pub(crate) struct Started {
    /// Where the site is.
    pub(crate) url: String,
    /// `cargo dev up` first, and then what it started.
    pub(crate) processes: Vec<Process>,
}

impl Started {
    /// Reads the file, if there is one and anything of it still runs.
    pub(crate) fn read() -> Result<Option<Self>> {
        let Ok(text) = fs::read_to_string(file()) else { return Ok(None) };
        let value: Value = serde_json::from_str(&text).with_context(|| format!("in {}", file().display()))?;
        let process = |value: &Value| {
            Some(Process { pid: value["pid"].as_i64()?.try_into().ok()?, start: value["start"].as_u64()? })
        };
        let processes: Vec<_> = value["processes"].as_array().into_iter().flatten().filter_map(process).collect();
        let url = value["url"].as_str().unwrap_or_default().to_owned();
        Ok(processes.iter().any(Process::runs).then_some(Self { url, processes }))
    }

    /// Writes the file.
    pub(crate) fn write(&self) -> Result<()> {
        let process = |process: &Process| json!({ "pid": process.pid, "start": process.start });
        let processes: Vec<_> = self.processes.iter().map(process).collect();
        let file = file();
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&file, json!({ "url": self.url, "processes": processes }).to_string())
            .with_context(|| format!("writing {}", file.display()))
    }

    /// Removes the file.
    pub(crate) fn forget() -> Result<()> {
        match fs::remove_file(file()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

fn file() -> PathBuf {
    membermail_toolbox::folder().join("run/up.json")
}
