//! DynamoDB Local by itself, for benchmarks: what lies between it and an emulator's gateway is not to be measured.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use membermail_toolbox::service::{Health, Plan, Service};
use membermail_toolbox::workspace;

/// A program that is measured, or measured against, and its port.
pub(crate) struct Background {
    /// Where it listens.
    pub(crate) port: u16,
    /// It, until this value is dropped.
    pub(crate) service: Service,
}

impl Background {
    /// Starts it and waits until it listens.
    pub(crate) async fn start(name: &'static str, command: Command, port: u16, log: PathBuf) -> Result<Self> {
        let (url, health, patience) = (String::new(), Health::Port(port), Duration::from_secs(30));
        let service = Service::start(Plan { name, command, url, health, log: Some(log), patience }).await?;
        Ok(Self { port, service })
    }
}

/// Starts it with an empty memory, on a port that is free.
pub(crate) async fn dynamodb(state: &Path) -> Result<Background> {
    let port = free_port()?;
    Background::start("DynamoDB Local", membermail_localstack::dynamodb(port)?, port, state.join("dynamodb.log")).await
}

/// Gives a command the address and credentials of a DynamoDB at this port.
pub(crate) fn aws(mut command: Command, port: u16) -> Command {
    command.env_remove("AWS_PROFILE").envs([
        ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}").as_str()),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ]);
    command
}

/// A program that cargo built in this profile: `release` as functions are shipped, `host` as programs of a mail host are.
pub(crate) fn built(profile: &str, name: &str) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| workspace().join("target"), PathBuf::from)
        .join(profile)
        .join(name)
}

/// A port that nobody has.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
