//! Debian's packages, where a program is missing.

use std::process::Command;

use anyhow::{Result, bail};

use crate::{find_program, step};

/// A program and the package that has it.
#[derive(Clone, Copy, Debug)]
pub struct Needed<'a> {
    /// Any of these will do.
    pub programs: &'a [&'a str],
    /// Debian's name.
    pub package: &'a str,
}

/// Installs what is missing, and nothing where nothing is; who may not install is told the command.
pub fn install(needed: &[Needed<'_>]) -> Result<()> {
    let missing: Vec<_> =
        needed.iter().filter(|one| find_program(one.programs).is_none()).map(|one| one.package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    let root = step::quietly(Command::new("id").arg("-u"))?.trim() == "0";
    if !root || find_program(&["apt-get"]).is_none() {
        bail!("these packages are missing; install them with: sudo apt-get install {names}");
    }
    step::run("look for Debian's packages", Command::new("apt-get").args(["update", "--quiet"]))?;
    let mut install = Command::new("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive").args(["install", "--yes", "--no-install-recommends"]);
    step::run(&format!("install {names}"), install.args(missing))?;
    Ok(())
}
