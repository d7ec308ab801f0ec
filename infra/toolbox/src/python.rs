//! Python's packages, in virtual environments, each package checked against a hash of a lock.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::stamp::Stamp;
use crate::{folder, step, venv_program};

/// Installs the sets of these locks into the environment that all commands share; `installer` is the lock of uv,
/// which does it in seconds.
pub fn install(what: &str, installer: &Path, locks: &[&Path]) -> Result<()> {
    let all: Vec<_> = std::iter::once(installer).chain(locks.iter().copied()).collect();
    let stamp = Stamp::of("python", &all)?;
    if stamp.holds() {
        return Ok(());
    }
    make(&folder().join("venv"))?;
    let mut pip = Command::new(venv_program("python"));
    pip.args(["-m", "pip", "install", "--quiet", "--require-hashes", "-r"]).arg(installer);
    step::run("install uv", &mut pip)?;
    fill(what, &venv_program("python"), locks)?;
    stamp.set()
}

/// Installs the set of a lock into an environment of its own, for what would not agree with the shared one. The
/// shared one is there already, and its uv does it.
pub fn install_apart(name: &str, what: &str, lock: &Path) -> Result<()> {
    let stamp = Stamp::of(name, &[lock])?;
    if stamp.holds() {
        return Ok(());
    }
    make(&folder().join(name))?;
    fill(what, &program_apart(name, "python"), &[lock])?;
    stamp.set()
}

/// A program of an environment of its own.
pub fn program_apart(name: &str, program: &str) -> PathBuf {
    folder().join(name).join("bin").join(program)
}

fn make(venv: &Path) -> Result<()> {
    step::run("make a virtual environment", Command::new("python3").args(["-m", "venv", "--clear"]).arg(venv))?;
    Ok(())
}

fn fill(what: &str, python: &Path, locks: &[&Path]) -> Result<()> {
    let mut uv = Command::new(venv_program("uv"));
    uv.args(["pip", "install", "--require-hashes", "--python"]).arg(python);
    for lock in locks {
        uv.arg("-r").arg(lock);
    }
    step::run(&format!("install {what}"), &mut uv)?;
    Ok(())
}
