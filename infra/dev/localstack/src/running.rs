//! Starts an emulator.

use std::time::Duration;

use anyhow::Result;
use membermail_toolbox::service::{HealthCheck, Service, ServiceConfig};

use crate::{Flavour, Options, docker, host};

/// Starts an emulator and waits until it is healthy.
pub async fn start(options: &Options) -> Result<Service> {
    std::fs::create_dir_all(options.logs())?;
    let command = match options.flavour {
        Flavour::Host => host::command(options)?,
        Flavour::Docker => docker::command(options),
    };
    Service::start(ServiceConfig {
        name: "the emulator",
        command,
        url: format!("http://127.0.0.1:{}", options.port),
        health: HealthCheck::HttpSuccess("/_localstack/health"),
        log: Some(options.state_dir.join("emulator.log")),
        startup_timeout: Duration::from_secs(90),
    })
    .await
}
