//! Installs npm packages.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::stamp::Stamp;
use crate::{folder, step};

/// Downloads and unpacks one package without its dependencies. The lock file has three lines: name, version and
/// integrity.
pub fn unpack(lock: &Path, into: &Path) -> Result<()> {
    let name = into.file_name().context("the folder has no name")?.to_string_lossy();
    Stamp::of(&name, into, &[lock])?.install_unless_current(|| unpack_locked(lock, into))
}

fn unpack_locked(lock: &Path, into: &Path) -> Result<()> {
    let text = fs::read_to_string(lock)?;
    let [package, version, integrity] = text.split_whitespace().collect::<Vec<_>>()[..] else {
        bail!("{} must hold name, version and integrity", lock.display());
    };
    step::with_progress(&format!("unpack {package} {version}"), || {
        let downloads = folder().join("downloads");
        fs::create_dir_all(&downloads)?;
        let mut pack = Command::new("npm");
        pack.args(["pack", "--json", &format!("{package}@{version}")]).current_dir(&downloads);
        let output = step::capture(&mut pack)?;
        // npm has verified the file against the hash that it prints; compare that hash with the locked one.
        if !output.contains(&format!("\"{integrity}\"")) {
            bail!("{package} {version} does not match the hash in {}", lock.display());
        }
        let _ = fs::remove_dir_all(into);
        fs::create_dir_all(into)?;
        let file = downloads.join(format!("{package}-{version}.tgz"));
        let mut tar = Command::new("tar");
        tar.arg("-xzf").arg(&file).arg("-C").arg(into).arg("--strip-components=1");
        step::capture(&mut tar)?;
        fs::remove_file(&file).context("cannot remove the archive")
    })
}

/// Runs `npm ci` with the lock file of `source`; the lock has integrity hashes and no registry URLs.
pub fn ci(source: &Path, into: &Path) -> Result<()> {
    let lock = source.join("package-lock.json");
    let name = into.file_name().context("the folder has no name")?.to_string_lossy();
    Stamp::of(&name, into, &[&lock])?.install_unless_current(|| {
        fs::create_dir_all(into)?;
        for file in ["package.json", "package-lock.json"] {
            fs::copy(source.join(file), into.join(file)).with_context(|| format!("cannot copy {file}"))?;
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(into);
        step::run(&format!("install the npm packages of {name}"), &mut npm)?;
        Ok(())
    })
}
