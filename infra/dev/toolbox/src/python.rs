//! Installs Python packages in virtual environments, checked against the hashes of lock files.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::stamp::Stamp;
use crate::{folder, step, venv_program};

/// Installs the packages of these lock files into the shared environment. `installer` is the lock file of uv, which
/// installs the rest.
pub fn install(what: &str, installer: &Path, locks: &[&Path]) -> Result<()> {
    install_with_uv(&shared_stamp(installer, locks)?, &folder().join("venv"), what, installer, locks)
}

/// Installs packages that the shared environment may have into a separate one with its own uv, unless the shared one is
/// installed. Returns the folder of the programs.
pub fn install_or_reuse(name: &str, what: &str, installer: &Path, lock: &Path, shared: &[&Path]) -> Result<PathBuf> {
    if shared_stamp(installer, shared)?.is_current() {
        return Ok(folder().join("venv/bin"));
    }
    let venv = folder().join(name);
    install_with_uv(&Stamp::of(name, &venv, &[installer, lock])?, &venv, what, installer, &[lock])?;
    Ok(venv.join("bin"))
}

fn shared_stamp(installer: &Path, locks: &[&Path]) -> Result<Stamp> {
    let all: Vec<_> = std::iter::once(installer).chain(locks.iter().copied()).collect();
    Stamp::of("python", &folder().join("venv"), &all)
}

fn install_with_uv(stamp: &Stamp, venv: &Path, what: &str, installer: &Path, locks: &[&Path]) -> Result<()> {
    stamp.install_unless_current(|| {
        create_venv(venv)?;
        let [python, uv] = ["python", "uv"].map(|program| venv.join("bin").join(program));
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--require-hashes", "-r"]).arg(installer);
        step::run("install uv", &mut pip)?;
        install_locks(what, &uv, &python, locks)
    })
}

/// Installs the packages of a lock file into a separate environment, because they conflict with the shared one. Uses the
/// uv of the shared environment, which must exist.
pub fn install_isolated(name: &str, what: &str, lock: &Path) -> Result<()> {
    let venv = folder().join(name);
    Stamp::of(name, &venv, &[lock])?.install_unless_current(|| {
        create_venv(&venv)?;
        install_locks(what, &venv_program("uv"), &isolated_program(name, "python"), &[lock])
    })
}

/// A program of a separate environment.
pub fn isolated_program(name: &str, program: &str) -> PathBuf {
    folder().join(name).join("bin").join(program)
}

fn create_venv(venv: &Path) -> Result<()> {
    step::run("create a virtual environment", Command::new("python3").args(["-m", "venv", "--clear"]).arg(venv))?;
    Ok(())
}

fn install_locks(what: &str, uv: &Path, python: &Path, locks: &[&Path]) -> Result<()> {
    let mut uv = Command::new(uv);
    uv.args(["pip", "install", "--require-hashes", "--python"]).arg(python);
    for lock in locks {
        uv.arg("-r").arg(lock);
    }
    step::run(&format!("install {what}"), &mut uv)?;
    Ok(())
}
