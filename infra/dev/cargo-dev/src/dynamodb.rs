//! DynamoDB Local without an emulator's gateway: for benchmarks, and for tests that create their own tables.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use membermail_toolbox::net::free_port;
use membermail_toolbox::service::{HealthCheck, Service, ServiceConfig};

use crate::aws::keep_local;

/// A background program of a benchmark, with its port.
pub(crate) struct Background {
    pub(crate) port: u16,
    /// Dropping it stops the program.
    pub(crate) service: Service,
}

impl Background {
    /// Starts a program and waits until it accepts connections.
    pub(crate) async fn start(name: &'static str, command: Command, port: u16, log: PathBuf) -> Result<Self> {
        let service = Service::start(ServiceConfig {
            name,
            command,
            url: String::new(),
            health: HealthCheck::Port(port),
            log: Some(log),
            startup_timeout: Duration::from_secs(30),
        })
        .await?;
        Ok(Self { port, service })
    }

    /// The URL of a program that speaks HTTP.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// The maximum heap in megabytes for tables of a million items.
pub(crate) const BENCHMARK_HEAP: u32 = 4096;

/// Starts an empty DynamoDB Local on a free port. `heap` is its maximum in megabytes.
pub(crate) async fn start_dynamodb(state: &Path, heap: u32) -> Result<Background> {
    let port = free_port()?;
    let command = membermail_localstack::dynamodb(port, heap)?;
    Background::start("DynamoDB Local", command, port, state.join("dynamodb.log")).await
}

/// A command that uses the DynamoDB at this port.
pub(crate) fn with_dynamodb(program: PathBuf, port: u16) -> Command {
    let mut command = Command::new(program);
    keep_local(&mut command, &format!("http://127.0.0.1:{port}"));
    command
}
