//! Installs the development tools, at locked versions, in the git-ignored folder `.tools`.
//!
//! A developer needs `cargo` on Debian or Ubuntu. The registries' own clients fetch everything else, checked against the
//! hashes in the lock files. A stamp makes repeated installs instant.

use std::path::{Path, PathBuf};

pub mod apt;
pub mod net;
pub mod npm;
pub mod process;
pub mod proxy;
pub mod python;
pub mod service;
mod stamp;
pub mod step;

/// The root folder of the workspace, whatever the current folder is.
pub fn workspace() -> PathBuf {
    // The variable set by `cargo run` comes first: two copies of the sources may share a target folder.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let here = Path::new(&here);
    here.ancestors().find(|folder| folder.join("template.yaml").is_file()).unwrap_or(here).to_path_buf()
}

/// The folder of tools and of the state of running services.
pub fn folder() -> PathBuf {
    workspace().join(".tools")
}

/// A program of the shared virtual environment.
pub fn venv_program(name: &str) -> PathBuf {
    folder().join("venv/bin").join(name)
}

/// The first of these programs on the `PATH` or in `/usr/sbin`.
pub fn find_program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    // Only root has /usr/sbin on the path.
    let folders: Vec<_> = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]).collect();
    names.iter().find_map(|name| folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file()))
}
