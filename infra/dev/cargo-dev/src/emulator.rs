//! Selects the AWS emulator. All other code only knows its endpoint URL.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::ValueEnum;
use membermail_localstack::Flavour;
use membermail_toolbox::service::Service;

use crate::aws::cli;

/// Environment variable with the default emulator.
pub(crate) const VARIABLE: &str = "MEMBERMAIL_EMULATOR";

/// The AWS emulators.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Emulator {
    /// LocalStack as host processes
    #[default]
    Localstack,
    /// LocalStack's Docker image
    Docker,
    /// MiniStack: MIT licence only, without DynamoDB Local
    Ministack,
}

impl Emulator {
    /// The value of `--emulator`.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// Installs an emulator.
pub(crate) fn install(emulator: Emulator) -> Result<()> {
    match emulator {
        Emulator::Localstack => membermail_localstack::install(),
        Emulator::Docker => Ok(()),
        Emulator::Ministack => membermail_ministack::install(),
    }
}

/// Starts an emulator. Functions get `functions_endpoint` as AWS if present (a counting proxy, for example), or else the
/// emulator itself.
pub(crate) async fn start(
    emulator: Emulator,
    state: &Path,
    port: u16,
    functions_endpoint: Option<String>,
) -> Result<Service> {
    let state_dir = state.to_owned();
    let flavour = match emulator {
        Emulator::Ministack => {
            let options = membermail_ministack::Options { state_dir, port, functions_endpoint };
            return membermail_ministack::start(&options).await;
        }
        Emulator::Localstack => Flavour::Host,
        Emulator::Docker => Flavour::Docker,
    };
    let options = membermail_localstack::Options { state_dir, port, flavour, functions_endpoint };
    membermail_localstack::start(&options).await
}

/// Removes resources from a packaged template that the emulator's CloudFormation rejects.
pub(crate) fn adapt(emulator: Emulator, packaged: &Path) -> Result<()> {
    match emulator {
        Emulator::Localstack | Emulator::Docker => Ok(()),
        Emulator::Ministack => membermail_ministack::adapt(packaged),
    }
}

/// Configures what the emulator's CloudFormation ignores.
pub(crate) fn complete(emulator: Emulator, endpoint: &str, stack: &str) -> Result<()> {
    match emulator {
        Emulator::Localstack | Emulator::Docker => Ok(()),
        Emulator::Ministack => membermail_ministack::complete(&|| cli(Some(endpoint)), stack),
    }
}

/// The URL of a REST API stage, the same for all emulators.
pub(crate) fn invoke_url(endpoint: &str, api_id: &str, stage: &str) -> String {
    format!("{endpoint}/_aws/execute-api/{api_id}/{stage}")
}

/// Folder of the functions' logs.
pub(crate) fn logs(state: &Path) -> PathBuf {
    state.join("logs")
}

/// File in which LocalStack records the functions' AWS calls; the other emulators do not.
pub(crate) fn calls(state: &Path) -> PathBuf {
    state.join("calls.jsonl")
}
