//! AWS on this machine: LocalStack, behind an address and nothing else. Nothing outside this folder knows which
//! emulator it is; functions and tools see only the standard `AWS_ENDPOINT_URL`.
//!
//! LocalStack runs here as a process of this machine, and so do the functions, by a plugin in `python/`: a developer
//! needs no Docker. Where Docker is at hand, [`Flavour::Docker`] takes LocalStack's own image with the same template.

use std::path::PathBuf;

mod docker;
mod host;
mod install;
mod running;

pub use install::install;
pub use running::{Running, start};

/// How the emulator runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flavour {
    /// As a process, functions too.
    #[default]
    Host,
    /// LocalStack's own image.
    Docker,
}

/// What one emulator is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Everything that it writes goes here; two emulators have two.
    pub state_dir: PathBuf,
    /// A free port is found where none is given.
    pub port: Option<u16>,
    /// How it runs.
    pub flavour: Flavour,
}

impl Options {
    /// Where each function has a log file.
    pub fn logs(&self) -> PathBuf {
        self.state_dir.join("logs")
    }
}

/// Where a REST API is answered: what comes after the stage is the path that the function sees.
pub fn invoke_url(endpoint: &str, api_id: &str, stage: &str) -> String {
    format!("{endpoint}/_aws/execute-api/{api_id}/{stage}")
}

/// The folder of this crate, with the locks and the plugin.
fn here() -> PathBuf {
    membermail_toolbox::workspace().join("infra/localstack")
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_api_is_found_by_its_id_and_stage() {
        let url = super::invoke_url("http://127.0.0.1:4566", "abc", "live");
        assert_eq!(url, "http://127.0.0.1:4566/_aws/execute-api/abc/live");
    }
}
