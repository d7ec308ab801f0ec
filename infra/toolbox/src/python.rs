//! Python's packages, in one virtual environment, each checked against a hash of a lock.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::stamp::Stamp;
use crate::{folder, step, venv_program};

/// Installs the sets of these locks; `installer` is the lock of uv, which does it in seconds.
pub fn install(what: &str, installer: &Path, locks: &[&Path]) -> Result<()> {
    let all: Vec<_> = std::iter::once(installer).chain(locks.iter().copied()).collect();
    let stamp = Stamp::of("python", &all)?;
    if stamp.holds() {
        return Ok(());
    }
    let venv = folder().join("venv");
    step::run("make a virtual environment", Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    let mut pip = Command::new(venv_program("python"));
    pip.args(["-m", "pip", "install", "--quiet", "--require-hashes", "-r"]).arg(installer);
    step::run("install uv", &mut pip)?;
    let mut uv = Command::new(venv_program("uv"));
    uv.args(["pip", "install", "--require-hashes", "--python"]).arg(venv_program("python"));
    for lock in locks {
        uv.arg("-r").arg(lock);
    }
    step::run(&format!("install {what}"), &mut uv)?;
    stamp.set()
}
