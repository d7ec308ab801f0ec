//! AWS on this machine: LocalStack, behind an address and nothing else. Nothing outside this folder knows which
//! emulator it is; functions and tools see only the standard `AWS_ENDPOINT_URL`.
//!
//! LocalStack runs here as a process of this machine, and so do the functions, by a plugin in `python/`: a developer
//! needs no Docker. Where Docker is at hand, [`Flavour::Docker`] takes LocalStack's own image with the same template.

use std::path::PathBuf;

mod docker;
mod dynamodb;
mod host;
mod install;
mod running;

pub use dynamodb::dynamodb;
pub use install::{install, install_tools};
pub use running::start;

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
    /// Where it listens.
    pub port: u16,
    /// What functions see as AWS, where that is not the emulator itself.
    pub seen_by_functions: Option<String>,
    /// How it runs.
    pub flavour: Flavour,
}

impl Options {
    /// Where each function has a log file.
    pub fn logs(&self) -> PathBuf {
        self.state_dir.join("logs")
    }

    /// What functions asked of AWS, each kind of call once: role, action, resource and partitions as a line of JSON.
    pub fn calls(&self) -> PathBuf {
        self.state_dir.join("calls.jsonl")
    }
}

/// The folder of this crate, with the locks and the plugin.
fn here() -> PathBuf {
    membermail_toolbox::workspace().join("infra/localstack")
}
