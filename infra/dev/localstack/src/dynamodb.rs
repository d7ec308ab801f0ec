//! DynamoDB Local without LocalStack.

use std::process::Command;

use anyhow::{Context, Result};
use membermail_toolbox::find_program;

use crate::{here, install};

/// A command that runs DynamoDB Local in the foreground, in memory and on loopback only. `heap` is its maximum in megabytes.
pub fn dynamodb(port: u16, heap: u32) -> Result<Command> {
    let home = install::dynamodb().join("emulator");
    let library = home.join("DynamoDBLocal_lib");
    let mut java = Command::new(find_program(&["java"]).context("java is missing: run `cargo dev tools`")?);
    java.current_dir(&home).arg(format!("-Xmx{heap}m")).arg(format!("-Djava.library.path={}", library.display()));
    java.arg("-cp").arg(format!("{}:{}/*", home.join("DynamoDBLocal.jar").display(), library.display()));
    java.arg("org.eclipse.jetty.xml.XmlConfiguration");
    java.arg(here().join("python/membermail_localstack/dynamodb.xml")).arg(format!("port={port}"));
    Ok(java)
}
