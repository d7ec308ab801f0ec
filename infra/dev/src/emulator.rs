//! The one place that names the emulators; whichever it is, it is handed on as an address.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::ValueEnum;
use membermail_localstack::Flavour;
use membermail_toolbox::service::Service;

use crate::aws::cli;

/// Names the emulator that commands take when they are told of none.
pub(crate) const VARIABLE: &str = "MEMBERMAIL_EMULATOR";

/// Which emulator stands for AWS.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Emulator {
    /// LocalStack as processes of this machine
    #[default]
    Localstack,
    /// LocalStack's own image in Docker
    Docker,
    /// MiniStack: everything of it under the MIT licence, without DynamoDB Local
    Ministack,
}

impl Emulator {
    /// As it is written after `--emulator`.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// Installs what it is made of; instant when that is there.
pub(crate) fn install(emulator: Emulator) -> Result<()> {
    match emulator {
        Emulator::Localstack => membermail_localstack::install(),
        Emulator::Docker => Ok(()),
        Emulator::Ministack => membermail_ministack::install(),
    }
}

/// Starts it on a port of its own. Functions see AWS at `seen_by_functions`, which is the emulator itself unless
/// somebody counts their calls; it is told the emulator's address.
pub(crate) async fn start(
    emulator: Emulator,
    state: &Path,
    port: u16,
    seen_by_functions: Option<String>,
) -> Result<Service> {
    let state_dir = state.to_owned();
    let flavour = match emulator {
        Emulator::Ministack => {
            let options = membermail_ministack::Options { state_dir, port, seen_by_functions };
            return membermail_ministack::start(&options).await;
        }
        Emulator::Localstack => Flavour::Host,
        Emulator::Docker => Flavour::Docker,
    };
    membermail_localstack::start(&membermail_localstack::Options { state_dir, port, flavour, seen_by_functions }).await
}

/// Takes out of a packaged template what its CloudFormation refuses.
pub(crate) fn adapt(emulator: Emulator, packaged: &Path) -> Result<()> {
    match emulator {
        Emulator::Localstack | Emulator::Docker => Ok(()),
        Emulator::Ministack => membermail_ministack::adapt(packaged),
    }
}

/// Catches up on what its CloudFormation leaves out of the template.
pub(crate) fn complete(emulator: Emulator, endpoint: &str, stack: &str) -> Result<()> {
    match emulator {
        Emulator::Localstack | Emulator::Docker => Ok(()),
        Emulator::Ministack => membermail_ministack::complete(&|| cli(Some(endpoint)), stack),
    }
}

/// Where a REST API is answered, which is the same for all: after the stage comes the path that the function sees.
pub(crate) fn invoke_url(endpoint: &str, api_id: &str, stage: &str) -> String {
    format!("{endpoint}/_aws/execute-api/{api_id}/{stage}")
}

/// Where the log files of functions are.
pub(crate) fn logs(state: &Path) -> PathBuf {
    state.join("logs")
}

/// Where LocalStack notes what functions ask of AWS; the other emulators do not.
pub(crate) fn calls(state: &Path) -> PathBuf {
    state.join("calls.jsonl")
}

/// A port that nobody listens on now.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
