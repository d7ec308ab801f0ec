//! The AWS emulator LocalStack. Other code only knows its endpoint, the standard `AWS_ENDPOINT_URL`.
//!
//! LocalStack and, by a plugin in `python/`, the functions run as host processes, without Docker. [`Flavour::Docker`] runs
//! LocalStack's Docker image with the same template instead.

use std::path::PathBuf;

mod docker;
mod dynamodb;
mod host;
mod install;
mod running;

pub use dynamodb::dynamodb;
pub use install::{install, install_build_tools, install_tools};
pub use running::start;

/// How the emulator runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flavour {
    /// LocalStack and the functions as host processes.
    #[default]
    Host,
    /// LocalStack's Docker image.
    Docker,
}

/// Options of an emulator.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder of all files; separate for each emulator.
    pub state_dir: PathBuf,
    /// Loopback port.
    pub port: u16,
    /// AWS endpoint of the functions, if not the emulator itself.
    pub functions_endpoint: Option<String>,
    /// How the emulator runs.
    pub flavour: Flavour,
}

impl Options {
    /// Folder with a log file per function.
    pub fn logs(&self) -> PathBuf {
        self.state_dir.join("logs")
    }

    /// The distinct AWS calls of the functions, one JSON line each: role, action, resource and partitions.
    pub fn calls(&self) -> PathBuf {
        self.state_dir.join("calls.jsonl")
    }
}

/// The folder of this crate.
fn here() -> PathBuf {
    membermail_toolbox::workspace().join("infra/dev/localstack")
}
