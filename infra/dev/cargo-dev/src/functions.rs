//! Builds and packages the functions.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use anyhow::{Context, Result, anyhow};
use membermail_toolbox::{find_program, step, venv_program, workspace};

use crate::archive::{Effort, archive, contains};
use crate::builds::{self, NAMES, Profile, target, zip_in};

/// The package name of a function's logical id in the template: `VerifyMember` is `verify-member`.
pub(crate) fn package_of_logical_id(id: &str) -> String {
    let mut name = String::with_capacity(id.len() + 4);
    for (at, letter) in id.char_indices() {
        if letter.is_ascii_uppercase() && at > 0 {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// Builds the functions for this machine, and returns the folder of their zips. Uses plain cargo, which shares compiled
/// crates with the tests.
pub(crate) fn build_for_host(profile: Profile) -> Result<PathBuf> {
    build(&["fakes", "membermail-alias-map", "membermail-bounce"], Profile::Dev)?;
    build(&NAMES, profile)?;
    let folder = builds::for_host(profile);
    step::with_progress("package the functions", || {
        fs::create_dir_all(&folder)?;
        let lock = folder.join("lock");
        let lock = File::create(&lock).with_context(|| format!("cannot write {}", lock.display()))?;
        // Several runs start at the same time; only the first one packages.
        lock.lock().context("cannot lock the packaged functions")?;
        for_each_function(&NAMES, |name| package_for_host(name, profile))
    })?;
    Ok(folder)
}

/// Compiles programs of this workspace for this machine.
pub(crate) fn build(programs: &[&str], profile: Profile) -> Result<()> {
    let mut cargo = step::cargo();
    cargo.arg("build");
    let selector = match profile {
        // `--bin` selects the features of the whole workspace, as `cargo lambda watch` does.
        Profile::Dev => "--bin",
        // `--package` selects the features of the functions alone, as they are shipped.
        Profile::Release => {
            cargo.arg("--release");
            "--package"
        }
        Profile::Host => {
            cargo.args(["--profile", "host"]);
            "--package"
        }
    };
    cargo.args(programs.iter().flat_map(|name| [selector, name]));
    step::run_attached(&mut cargo)
}

/// Builds these functions for AWS and this architecture, in a folder for this architecture. Returns the zip files.
pub(crate) fn build_for_aws(architecture: &str, names: &[&'static str]) -> Result<Vec<(&'static str, PathBuf)>> {
    let tools = membermail_localstack::install_build_tools()?;
    let mut cargo = Command::new(tools.join("cargo-lambda"));
    // Not the folder of the template: a failed build must not leave a mix of two builds there.
    let built = builds::for_aws().join(architecture);
    cargo.current_dir(workspace()).args(["lambda", "build", "--release", "--lambda-dir"]).arg(&built);
    // cargo-lambda's own zips are larger.
    cargo.args(["--output-format", "binary"]);
    cargo.arg(if architecture == "arm64" { "--arm64" } else { "--x86-64" });
    cargo.args(names.iter().flat_map(|name| ["--package", name]));
    // cargo-lambda finds zig in the same virtual environment through the path.
    step::run_attached(with_in_path(&mut cargo, tools)?)?;
    step::with_progress("compress the functions", || {
        for_each_function(names, |name| {
            archive_if_changed(&built.join(name).join("bootstrap"), &zip_in(&built, name), Effort::Small)
        })
    })?;
    Ok(names.iter().map(|name| (*name, zip_in(&built, name))).collect())
}

/// Builds the functions for AWS, and puts them where the template expects them.
pub(crate) fn stage_for_aws(architecture: &str) -> Result<()> {
    for (name, zip) in build_for_aws(architecture, &NAMES)? {
        let staged = zip_in(&builds::for_aws(), name);
        fs::create_dir_all(builds::for_aws().join(name))?;
        fs::copy(&zip, &staged).with_context(|| format!("cannot write {}", staged.display()))?;
    }
    Ok(())
}

/// Runs `action` for each of these functions, in as many threads as there are processors.
fn for_each_function(names: &[&str], action: impl Fn(&str) -> Result<()> + Sync) -> Result<()> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers)
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                        action(name)?;
                    }
                    Ok(())
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| anyhow!("a worker thread panicked"))?)
    })
}

/// Prepends the virtual environment to the `PATH`.
pub(crate) fn with_tools_in_path(command: &mut Command) -> Result<&mut Command> {
    with_in_path(command, venv_program(""))
}

fn with_in_path(command: &mut Command, folder: PathBuf) -> Result<&mut Command> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder).chain(std::env::split_paths(&path));
    Ok(command.env("PATH", std::env::join_paths(folders)?))
}

/// A program of the development build.
pub(crate) fn program(name: &str) -> PathBuf {
    program_of(name, Profile::Dev)
}

/// A program, or an example (`examples/NAME`), of a build profile.
pub(crate) fn program_of(name: &str, profile: Profile) -> PathBuf {
    target().join(profile.folder()).join(name)
}

/// The Lambda architecture of this machine.
pub(crate) fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" }
}

/// Packages a function that was built for this machine. Strips it if possible, which makes zip and start much faster.
fn package_for_host(name: &str, profile: Profile) -> Result<()> {
    let source = program_of(name, profile);
    let folder = builds::for_host(profile);
    let zip = zip_in(&folder, name);
    // Read before packaging: a program that is replaced meanwhile has another time.
    let built = modified(&source)?;
    if modified(&zip).is_ok_and(|packaged| packaged == built) {
        return Ok(());
    }
    fs::create_dir_all(folder.join(name))?;
    let program = folder.join(name).join("bootstrap");
    if find_program(&["strip"]).is_some() {
        step::capture(Command::new("strip").arg("-o").arg(&program).arg(&source))?;
    } else {
        fs::copy(&source, &program).with_context(|| format!("cannot copy {}", source.display()))?;
    }
    archive(&program, &zip, Effort::Quick)?;
    let packaged = File::options().write(true).open(&zip).and_then(|zip| zip.set_modified(built));
    packaged.with_context(|| format!("cannot write {}", zip.display()))
}

/// Writes the zip of a program unless it is up to date.
pub(crate) fn archive_if_changed(program: &Path, zip: &Path, effort: Effort) -> Result<()> {
    if contains(zip, program)? { Ok(()) } else { archive(program, zip, effort) }
}

fn modified(file: &Path) -> Result<SystemTime> {
    let modified = fs::metadata(file).and_then(|data| data.modified());
    modified.with_context(|| format!("cannot read {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `NAMES`, the folder `functions` and the template list the same functions.
    #[test]
    fn template_deploys_every_function() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
        let template = fs::read_to_string(root.join("template.yaml")).unwrap();
        let lines: Vec<_> = template.lines().collect();
        let in_template = lines.iter().enumerate().filter(|(_, line)| line.trim() == "Type: AWS::Serverless::Function");
        let mut in_template: Vec<_> =
            in_template.map(|(at, _)| package_of_logical_id(lines[at - 1].trim().trim_end_matches(':'))).collect();
        let folders = fs::read_dir(root.join("functions")).unwrap();
        let mut folders: Vec<_> = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let mut names = NAMES.map(str::to_owned).to_vec();
        for list in [&mut in_template, &mut folders, &mut names] {
            list.sort_unstable();
        }
        assert_eq!(in_template, names);
        assert_eq!(folders, names);
    }

    /// Without `link.rs`, a function would be a tenth larger.
    #[test]
    fn every_function_uses_the_link_script() {
        for name in NAMES {
            let manifest = workspace().join("functions").join(name).join("Cargo.toml");
            let manifest: toml::Table = fs::read_to_string(manifest).unwrap().parse().unwrap();
            assert_eq!(manifest["package"]["build"].as_str(), Some("../../shared/runtime/link.rs"), "{name}");
        }
    }
}
