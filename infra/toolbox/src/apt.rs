//! Debian's packages, where a program is missing.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::{find_program, step};

/// A program and the package that has it.
#[derive(Clone, Copy, Debug)]
pub struct Needed<'a> {
    /// Any of these will do.
    pub programs: &'a [&'a str],
    /// Debian's name.
    pub package: &'a str,
}

/// Installs what is missing, and nothing where nothing is; who may not install is told the command. No service of what
/// is installed is started: a name server or a mail server runs where a test starts it.
pub fn install(needed: &[Needed<'_>]) -> Result<()> {
    install_with(&missing(needed), || Ok(()))
}

/// Installs a package in the same way unless this command ends well: for what is no program of its own.
pub fn install_unless(probe: &[&str], package: &str) -> Result<()> {
    if works(probe) { Ok(()) } else { install_with(&[package], || Ok(())) }
}

/// Installs like [`install`], and answers the packages' questions (debconf-set-selections(1)) beforehand.
pub fn install_answered(needed: &[Needed<'_>], answers: &str) -> Result<()> {
    install_with(&missing(needed), || {
        let mut preseed = Command::new("debconf-set-selections");
        let mut child = preseed.stdin(Stdio::piped()).spawn().context("cannot start debconf-set-selections")?;
        child.stdin.take().context("no pipe")?.write_all(answers.as_bytes())?;
        ensure!(child.wait()?.success(), "debconf does not take {answers:?}");
        Ok(())
    })
}

fn missing<'a>(needed: &[Needed<'a>]) -> Vec<&'a str> {
    needed.iter().filter(|one| find_program(one.programs).is_none()).map(|one| one.package).collect()
}

fn works(probe: &[&str]) -> bool {
    let Some((program, arguments)) = probe.split_first() else { return false };
    step::quietly(Command::new(program).args(arguments)).is_ok()
}

fn install_with(missing: &[&str], prepare: impl FnOnce() -> Result<()>) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    let root = step::quietly(Command::new("id").arg("-u"))?.trim() == "0";
    if !root || find_program(&["apt-get"]).is_none() {
        bail!("these packages are missing; install them with: sudo apt-get install {names}");
    }
    prepare()?;
    let _idle = NoServices::begin()?;
    step::run("look for Debian's packages", Command::new("apt-get").args(["update", "--quiet"]))?;
    let mut install = Command::new("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive").args(["install", "--yes", "--no-install-recommends"]);
    step::run(&format!("install {names}"), install.args(missing))?;
    Ok(())
}

/// While it lives, no package starts a service: invoke-rc.d asks this file (invoke-rc.d(8)). One that is there already
/// is the machine's own and stays as it is.
struct NoServices;

/// Where invoke-rc.d looks.
const POLICY: &str = "/usr/sbin/policy-rc.d";

impl NoServices {
    fn begin() -> Result<Option<Self>> {
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
    fn a_part_is_there_if_it_can_be_used() {
        assert!(works(&["sh", "-c", "exit 0"]));
        // Such as a Python without what makes virtual environments.
        assert!(!works(&["sh", "-c", "exit 1"]));
        assert!(!works(&["no-such-program"]));
    }

    #[test]
    fn only_what_is_missing_is_asked_for() {
        let shell = Needed { programs: &["no-such-shell", "sh"], package: "shell" };
        let other = Needed { programs: &["no-such-program"], package: "other" };
        assert_eq!(missing(&[shell, other]), ["other"]);
    }
}
