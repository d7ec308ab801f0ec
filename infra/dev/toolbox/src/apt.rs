//! Installs Debian packages for missing programs.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::{find_program, step};

/// A required program and the Debian package that contains it.
#[derive(Clone, Copy, Debug)]
pub struct Requirement<'a> {
    /// Alternative program names.
    pub programs: &'a [&'a str],
    /// Name of the Debian package.
    pub package: &'a str,
}

/// Installs the missing packages, or fails with the command to run if this user may not. Package services are not
/// started: tests start their own name and mail servers.
pub fn install(requirements: &[Requirement<'_>]) -> Result<()> {
    install_with(&missing(requirements), || Ok(()))
}

/// Installs a package unless `probe` succeeds, for packages without a program of their own.
pub fn install_unless(probe: &[&str], package: &str) -> Result<()> {
    if succeeds(probe) { Ok(()) } else { install_with(&[package], || Ok(())) }
}

/// Like [`install`], but first presets the answers to the packages' questions (debconf-set-selections(1)).
pub fn install_preseeded(requirements: &[Requirement<'_>], answers: &str) -> Result<()> {
    install_with(&missing(requirements), || {
        let mut preseed = Command::new("debconf-set-selections");
        let mut child = preseed.stdin(Stdio::piped()).spawn().context("cannot start debconf-set-selections")?;
        child.stdin.take().context("no pipe")?.write_all(answers.as_bytes())?;
        ensure!(child.wait()?.success(), "debconf rejected {answers:?}");
        Ok(())
    })
}

fn missing<'a>(requirements: &[Requirement<'a>]) -> Vec<&'a str> {
    let missing = requirements.iter().filter(|requirement| find_program(requirement.programs).is_none());
    missing.map(|requirement| requirement.package).collect()
}

fn succeeds(probe: &[&str]) -> bool {
    let Some((program, arguments)) = probe.split_first() else { return false };
    step::capture(Command::new(program).args(arguments)).is_ok()
}

fn install_with(missing: &[&str], prepare: impl FnOnce() -> Result<()>) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    let root = step::capture(Command::new("id").arg("-u"))?.trim() == "0";
    if !root || find_program(&["apt-get"]).is_none() {
        bail!("packages are missing; run: sudo apt-get install {names}");
    }
    prepare()?;
    let _policy = NoServices::install()?;
    step::run("update the package lists", Command::new("apt-get").args(["update", "--quiet"]))?;
    let mut install = Command::new("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive").args(["install", "--yes", "--no-install-recommends"]);
    step::run(&format!("install {names}"), install.args(missing))?;
    Ok(())
}

/// Prevents packages from starting services while it lives, by a policy file (invoke-rc.d(8)). An existing file belongs
/// to the machine and is kept.
struct NoServices;

/// The policy file of invoke-rc.d.
const POLICY: &str = "/usr/sbin/policy-rc.d";

impl NoServices {
    fn install() -> Result<Option<Self>> {
        let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o755).open(POLICY);
        match file {
            Ok(mut file) => {
                file.write_all(b"#!/bin/sh\nexit 101\n").context(POLICY)?;
                Ok(Some(Self))
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(None),
            Err(error) => Err(error).context(POLICY),
        }
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        let _ = fs::remove_file(POLICY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probe_succeeds_by_exit_status() {
        assert!(succeeds(&["sh", "-c", "exit 0"]));
        assert!(!succeeds(&["sh", "-c", "exit 1"]));
        assert!(!succeeds(&["no-such-program"]));
    }

    #[test]
    fn only_missing_packages_are_installed() {
        let shell = Requirement { programs: &["no-such-shell", "sh"], package: "shell" };
        let other = Requirement { programs: &["no-such-program"], package: "other" };
        assert_eq!(missing(&[shell, other]), ["other"]);
    }
}
