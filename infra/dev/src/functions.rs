//! Building the functions to where the template looks for them, `target/lambda/<name>/bootstrap`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use membermail_toolbox::{find_program, step, venv_program, workspace};

/// The packages, which are named as their functions.
pub(crate) const NAMES: [&str; 7] =
    ["sso", "account", "verify-member", "write-aliases", "start-sync", "sync-team", "notify"];

/// For this machine: plain cargo, so that nothing that tests have compiled is compiled again.
pub(crate) fn build_here() -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(workspace()).args(["build", "--package", "membermail-stand-ins"]);
    cargo.args(NAMES.iter().flat_map(|name| ["--package", name]));
    said(&mut cargo)?;
    step::during("lay the functions out", || NAMES.iter().try_for_each(|name| lay_out(name)))
}

/// For AWS: small, for its C library and for ARM.
pub(crate) fn build_for_aws(architecture: &str) -> Result<()> {
    let mut cargo = Command::new(venv_program("cargo-lambda"));
    cargo.current_dir(workspace()).args(["lambda", "build", "--release"]);
    if architecture == "arm64" {
        cargo.arg("--arm64");
    }
    cargo.args(NAMES.iter().flat_map(|name| ["--package", name]));
    // zig lies beside it in the virtual environment and is found by the path.
    let mut path = venv_program("").into_os_string();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    said(cargo.env("PATH", path))
}

/// A program that cargo built.
pub(crate) fn program(name: &str) -> PathBuf {
    target().join("debug").join(name)
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}

/// Without symbols where that can be: a tenth of the size to zip and to start.
fn lay_out(name: &str) -> Result<()> {
    let (from, folder) = (program(name), workspace().join("target/lambda").join(name));
    let to = folder.join("bootstrap");
    if !is_older(&to, &from) {
        return Ok(());
    }
    fs::create_dir_all(&folder)?;
    if find_program(&["strip"]).is_some() {
        step::quietly(Command::new("strip").arg("-o").arg(&to).arg(&from))?;
    } else {
        fs::copy(&from, &to).with_context(|| format!("copying {}", from.display()))?;
    }
    Ok(())
}

fn is_older(one: &Path, other: &Path) -> bool {
    let time = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    time(one).is_none_or(|one| time(other).is_none_or(|other| one < other))
}

/// Runs a command that tells its progress itself.
pub(crate) fn said(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {:?}", command.get_program()))?;
    if !status.success() {
        bail!("{:?} ended with {status}", command.get_program());
    }
    Ok(())
}
