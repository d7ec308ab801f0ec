//! Python's packages, in one virtual environment, each checked against a hash of a lock.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::stamp::Stamp;
use crate::{folder, step};

/// Installs the sets of these locks; `installer` is the lock of uv, which does it in seconds.
pub fn install(what: &str, installer: &Path, locks: &[&Path]) -> Result<()> {
    install_at(&folder().join("venv"), "python", what, installer, locks)
}

/// The same in a virtual environment of its own, named in the folder of tools.
pub fn install_into(name: &str, what: &str, installer: &Path, locks: &[&Path]) -> Result<()> {
    install_at(&folder().join(name), name, what, installer, locks)
}

fn install_at(venv: &Path, stamp: &str, what: &str, installer: &Path, locks: &[&Path]) -> Result<()> {
    let all: Vec<_> = std::iter::once(installer).chain(locks.iter().copied()).collect();
    let stamp = Stamp::of(stamp, &all)?;
    if stamp.holds() {
        return Ok(());
    }
    let program = |name: &str| venv.join("bin").join(name);
    step::run("make a virtual environment", Command::new("python3").args(["-m", "venv", "--clear"]).arg(venv))?;
    let mut pip = Command::new(program("python"));
    pip.args(["-m", "pip", "install", "--quiet", "--require-hashes", "-r"]).arg(installer);
    step::run("install uv", &mut pip)?;
    let mut uv = Command::new(program("uv"));
    uv.args(["pip", "install", "--require-hashes", "--python"]).arg(program("python"));
    for lock in locks {
        uv.arg("-r").arg(lock);
    }
    step::run(&format!("install {what}"), &mut uv)?;
    stamp.set()
}
