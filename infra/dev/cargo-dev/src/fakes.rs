//! Starts the fakes of sign-in providers and membership sources (`infra/dev/fakes`).

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use membermail_toolbox::service::{HealthCheck, Service, ServiceConfig};

use crate::builds::Profile;
use crate::functions::{program, program_of};

/// Starts the fakes with their default people.
pub(crate) async fn start(port: u16, state: &Path) -> Result<Service> {
    serve(Command::new(program("fakes")), port, state).await
}

/// Starts the fakes with options for their people, for benchmarks.
pub(crate) async fn start_with_people(port: u16, people: &[String], state: &Path, profile: Profile) -> Result<Service> {
    let mut command = Command::new(program_of("fakes", profile));
    command.args(people);
    serve(command, port, state).await
}

async fn serve(mut command: Command, port: u16, state: &Path) -> Result<Service> {
    command.args(["--listen", &format!("127.0.0.1:{port}")]);
    Service::start(ServiceConfig {
        name: "the fakes",
        command,
        // Not 127.0.0.1 as for the site: browsers share cookies between ports of one host.
        url: format!("http://localhost:{port}"),
        health: HealthCheck::HttpSuccess("/health"),
        log: Some(state.join("fakes.log")),
        startup_timeout: Duration::from_secs(20),
    })
    .await
}
