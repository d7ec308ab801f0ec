//! The tools of this project at the versions that are locked, in the git-ignored folder `.tools`.
//!
//! A developer has `cargo` and a Debian or Ubuntu; everything else is fetched by the registries' own clients and
//! checked against the hashes in the lock files. What is there already costs one look at a stamp.

use std::path::{Path, PathBuf};

pub mod apt;
pub mod npm;
pub mod process;
pub mod python;
pub mod service;
mod stamp;
pub mod step;

/// The folder of the workspace: tools and state are found from it, wherever a command is started.
pub fn workspace() -> PathBuf {
    // `cargo run` tells where it was started; two copies of the sources may share what was compiled of one.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let here = Path::new(&here);
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// Where tools and the state of what runs are kept.
pub fn folder() -> PathBuf {
    workspace().join(".tools")
}

/// A program of the virtual environment.
pub fn venv_program(name: &str) -> PathBuf {
    folder().join("venv/bin").join(name)
}

/// The first of these programs that is on the `PATH`, or where Debian has its servers.
pub fn find_program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    // Only root has this folder on the path.
    let folders: Vec<_> = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]).collect();
    names.iter().find_map(|name| folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file()))
}
