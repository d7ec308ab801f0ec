//! The one place that names the emulator; it is handed on as an address.

use std::path::{Path, PathBuf};

use anyhow::Result;
use membermail_localstack::{Flavour, Options, Running};

/// Which emulator is taken.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
pub(crate) enum Emulator {
    /// Processes of this machine
    #[default]
    Host,
    /// LocalStack's image in Docker
    Docker,
}

/// Starts it on a port of its own.
pub(crate) async fn start(emulator: Emulator, state: &Path) -> Result<Running> {
    membermail_localstack::start(&options(emulator, state)).await
}

/// Where the log files of functions are.
pub(crate) fn logs(state: &Path) -> PathBuf {
    options(Emulator::Host, state).logs()
}

fn options(emulator: Emulator, state: &Path) -> Options {
    let flavour = match emulator {
        Emulator::Host => Flavour::Host,
        Emulator::Docker => Flavour::Docker,
    };
    Options { state_dir: state.to_owned(), port: None, flavour }
}
