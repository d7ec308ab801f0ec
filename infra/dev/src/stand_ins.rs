//! Ubuntu One and Launchpad to run against offline: the program of `infra/stand-ins`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use membermail_toolbox::service::{Health, Plan, Service};

use crate::functions::{Profile, program, program_of};

/// Starts them and waits until they answer.
pub(crate) async fn start(port: u16, state: &Path) -> Result<Service> {
    serve(Command::new(program("stand-ins")), port, state).await
}

/// The build of this profile with a team of this size, for benchmarks.
pub(crate) async fn crowd(port: u16, people: usize, state: &Path, profile: Profile) -> Result<Service> {
    let mut command = Command::new(program_of("stand-ins", profile));
    command.args(["--people", &people.to_string(), "--all-in", "ubuntumembers"]);
    serve(command, port, state).await
}

async fn serve(mut command: Command, port: u16, state: &Path) -> Result<Service> {
    command.args(["--listen", &format!("127.0.0.1:{port}")]);
    Service::start(Plan {
        name: "the stand-ins",
        command,
        // A name, as browsers keep cookies by it and not by the port.
        url: format!("http://localhost:{port}"),
        health: Health::Good("/health"),
        log: Some(state.join("stand-ins.log")),
        patience: Duration::from_secs(20),
    })
    .await
}
