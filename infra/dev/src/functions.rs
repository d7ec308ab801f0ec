//! Building the functions to where the template looks for them, `target/lambda/<name>/bootstrap.zip`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, anyhow, bail};
use membermail_toolbox::{find_program, step, venv_program, workspace};

use crate::archive::{Effort, archive, holds};

/// The packages, which are named as their functions.
pub(crate) const NAMES: [&str; 8] =
    ["sso", "account", "verify-member", "write-aliases", "start-sync", "sync-team", "check-domains", "notify"];

/// What a function is shipped as.
const ZIP: &str = "bootstrap.zip";

/// How something is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Soon.
    Dev,
    /// Small and fast, as it is shipped.
    Release,
}

impl Profile {
    /// Its folder below `target`.
    fn folder(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            Self::Release => "release",
        }
    }
}

/// The function, and so the package, of a logical id in the template: `VerifyMember` is `verify-member`.
pub(crate) fn of_logical_id(id: &str) -> String {
    let mut name = String::with_capacity(id.len() + 4);
    for (at, letter) in id.char_indices() {
        if letter.is_ascii_uppercase() && at > 0 {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// For this machine: plain cargo, so that nothing that tests have compiled is compiled again.
pub(crate) fn build_here(profile: Profile) -> Result<()> {
    build(&["stand-ins", "membermail-alias-map"], Profile::Dev)?;
    build(&NAMES, profile)?;
    step::during("lay the functions out", || side_by_side(|name| lay_out(name, profile)))
}

/// Compiles programs of this workspace for this machine.
pub(crate) fn build(programs: &[&str], profile: Profile) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(workspace()).arg("build");
    let choose = match profile {
        // By program, cargo takes the features of the whole workspace, as `cargo lambda watch` does.
        Profile::Dev => "--bin",
        // By package, it takes those of the functions alone, as they are shipped.
        Profile::Release => "--package",
    };
    cargo.args(programs.iter().flat_map(|name| [choose, name]));
    if profile == Profile::Release {
        cargo.arg("--release");
    }
    said(&mut cargo)
}

/// For AWS: small, for its C library and for this architecture. Gives the zips that are shipped.
pub(crate) fn build_for_aws(architecture: &str) -> Result<Vec<(&'static str, PathBuf)>> {
    let mut cargo = Command::new(venv_program("cargo-lambda"));
    // Not where the template looks: a build that fails must not leave half of the functions of another there.
    let built = target().join("lambda").join(architecture);
    cargo.current_dir(workspace()).args(["lambda", "build", "--release", "--lambda-dir"]).arg(&built);
    cargo.arg(if architecture == "arm64" { "--arm64" } else { "--x86-64" });
    cargo.args(NAMES.iter().flat_map(|name| ["--package", name]));
    // zig lies beside it in the virtual environment and is found by the path.
    said(with_tools_in_path(&mut cargo)?)?;
    step::during("zip the functions as small as can be", || {
        side_by_side(|name| {
            archive_if_changed(&built.join(name).join("bootstrap"), &built.join(name).join(ZIP), Effort::Small)
        })
    })?;
    Ok(NAMES.map(|name| (name, built.join(name).join(ZIP))).to_vec())
}

/// Puts what was built for AWS where the template looks.
pub(crate) fn lay_out_for_aws(architecture: &str) -> Result<()> {
    for (name, zip) in build_for_aws(architecture)? {
        let folder = laid_out(name);
        fs::create_dir_all(&folder)?;
        // What lies there is no longer what was laid out for this machine.
        let _ = fs::remove_file(origin(name));
        fs::copy(&zip, folder.join(ZIP)).with_context(|| format!("copying {}", zip.display()))?;
    }
    Ok(())
}

/// Does this for every function, as many at once as there are processors.
fn side_by_side(each: impl Fn(&str) -> Result<()> + Sync) -> Result<()> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let worker = || -> Result<()> {
            while let Some(name) = NAMES.get(next.fetch_add(1, Ordering::Relaxed)) {
                each(name)?;
            }
            Ok(())
        };
        let all: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        all.into_iter().try_for_each(|one| one.join().map_err(|_| anyhow!("a zip was given up"))?)
    })
}

/// Puts the programs of the virtual environment before those of the machine.
pub(crate) fn with_tools_in_path(command: &mut Command) -> Result<&mut Command> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(venv_program("")).chain(std::env::split_paths(&path));
    Ok(command.env("PATH", std::env::join_paths(folders)?))
}

/// A program that cargo built.
pub(crate) fn program(name: &str) -> PathBuf {
    program_of(name, Profile::Dev)
}

/// A program that cargo built in this profile.
pub(crate) fn program_of(name: &str, profile: Profile) -> PathBuf {
    target().join(profile.folder()).join(name)
}

/// Functions run on this machine, so they are built for it.
pub(crate) fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" }
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}

/// Without symbols where that can be: a tenth of the size to zip and to start.
fn lay_out(name: &str, profile: Profile) -> Result<()> {
    let (from, folder, origin) = (program_of(name, profile), laid_out(name), origin(name));
    let (program, same) =
        (folder.join("bootstrap"), fs::read_to_string(&origin).is_ok_and(|of| of == profile.folder()));
    if same && !is_older(&folder.join(ZIP), &from) {
        return Ok(());
    }
    fs::create_dir_all(&folder)?;
    if find_program(&["strip"]).is_some() {
        step::quietly(Command::new("strip").arg("-o").arg(&program).arg(&from))?;
    } else {
        fs::copy(&from, &program).with_context(|| format!("copying {}", from.display()))?;
    }
    archive(&program, &folder.join(ZIP), Effort::Quick)?;
    fs::write(&origin, profile.folder()).with_context(|| format!("writing {}", origin.display()))
}

/// Makes the zip of a program that has changed since.
pub(crate) fn archive_if_changed(program: &Path, zip: &Path, effort: Effort) -> Result<()> {
    if holds(zip, program)? { Ok(()) } else { archive(program, zip, effort) }
}

/// Where the template looks.
fn laid_out(name: &str) -> PathBuf {
    workspace().join("target/lambda").join(name)
}

/// Tells the profile of what is laid out.
fn origin(name: &str) -> PathBuf {
    workspace().join("target/lambda").join(format!("{name}.profile"))
}

fn is_older(one: &Path, other: &Path) -> bool {
    let time = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    time(one).is_none_or(|one| time(other).is_none_or(|other| one < other))
}

/// Runs a command that tells its progress itself.
pub(crate) fn said(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {:?}", command.get_program()))?;
    if !status.success() {
        bail!("{:?} ended with {status}", command.get_program());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The list here, the folder of functions and the template must not part.
    #[test]
    fn the_template_deploys_every_function() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let template = fs::read_to_string(root.join("template.yaml")).unwrap();
        let lines: Vec<_> = template.lines().collect();
        let in_template = lines.iter().enumerate().filter(|(_, line)| line.trim() == "Type: AWS::Serverless::Function");
        let mut in_template: Vec<_> = in_template
            .map(|(at, _)| of_logical_id(lines[at - 1].trim().trim_end_matches(':')))
            .inspect(|name| {
                assert!(template.contains(&format!("CodeUri: target/lambda/{name}/bootstrap.zip")), "{name}")
            })
            .collect();
        let folders = fs::read_dir(root.join("functions")).unwrap();
        let mut folders: Vec<_> = folders.map(|one| one.unwrap().file_name().into_string().unwrap()).collect();
        let mut names = NAMES.map(str::to_owned).to_vec();
        for list in [&mut in_template, &mut folders, &mut names] {
            list.sort_unstable();
        }
        assert_eq!(in_template, names);
        assert_eq!(folders, names);
    }
}
