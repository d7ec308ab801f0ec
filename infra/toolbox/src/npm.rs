//! npm's packages.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::stamp::Stamp;
use crate::{folder, step};

/// Unpacks one package without its dependencies, if it is the one that this lock names:
/// three lines with name, version and integrity.
pub fn unpack(lock: &Path, into: &Path) -> Result<()> {
    let name = into.file_name().context("a folder without a name")?.to_string_lossy();
    let stamp = Stamp::of(&name, &[lock])?;
    if stamp.holds() && into.is_dir() {
        return Ok(());
    }
    let text = fs::read_to_string(lock)?;
    let [package, version, integrity] = text.split_whitespace().collect::<Vec<_>>()[..] else {
        bail!("{} must hold name, version and integrity", lock.display());
    };
    step::during(&format!("unpack {package} {version}"), || {
        let downloads = folder().join("downloads");
        fs::create_dir_all(&downloads)?;
        let mut pack = Command::new("npm");
        pack.args(["pack", "--json", &format!("{package}@{version}")]).current_dir(&downloads);
        let said = step::quietly(&mut pack)?;
        // npm has checked the file against this hash; here it is checked that it is the hash we know.
        if !said.contains(&format!("\"{integrity}\"")) {
            bail!("{package} {version} is not what {} says", lock.display());
        }
        let _ = fs::remove_dir_all(into);
        fs::create_dir_all(into)?;
        let file = downloads.join(format!("{package}-{version}.tgz"));
        let mut tar = Command::new("tar");
        tar.arg("-xzf").arg(&file).arg("-C").arg(into).arg("--strip-components=1");
        step::quietly(&mut tar)?;
        fs::remove_file(&file).context("removing the archive")
    })?;
    stamp.set()
}

/// `npm ci` in a folder with a lock; the lock has integrities and no addresses of a registry.
pub fn ci(source: &Path, into: &Path) -> Result<()> {
    let lock = source.join("package-lock.json");
    let name = into.file_name().context("a folder without a name")?.to_string_lossy();
    let stamp = Stamp::of(&name, &[&lock])?;
    if stamp.holds() {
        return Ok(());
    }
    fs::create_dir_all(into)?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(source.join(file), into.join(file)).with_context(|| format!("copying {file}"))?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(into);
    step::run(&format!("install the npm packages of {name}"), &mut npm)?;
    stamp.set()
}
