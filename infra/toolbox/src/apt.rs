//! Debian's packages, where a program is missing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

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
    let _quiet = NoServices::begin()?;
    let mut install = Command::new("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive").args(["install", "--yes", "--no-install-recommends"]);
    step::run(&format!("install {names}"), install.args(missing))?;
    Ok(())
}

/// Where Debian asks whether a package may start its service (`/usr/share/doc/init-system-helpers/README.policy-rc.d.gz`).
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// While this is there, what is installed starts nothing: a name server or a mail server runs where a test starts it.
struct NoServices {
    /// Whether the policy is ours; a machine that has one keeps it.
    ours: bool,
}

impl NoServices {
    fn begin() -> Result<Self> {
        let ours = !Path::new(POLICY).exists();
        if ours {
            // 101: forbidden by policy.
            fs::write(POLICY, "#!/bin/sh\nexit 101\n").with_context(|| format!("writing {POLICY}"))?;
            fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755))?;
        }
        Ok(Self { ours })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.ours {
            // It is gone already where somebody else took it away, which is what is wanted.
            let _ = fs::remove_file(POLICY);
        }
    }
}
