//! Programs and users of the machine.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use membermail_core::random::{self, OsRandom};
use membermail_toolbox::find_program;
use nix::unistd::User;

/// A program in `/usr/sbin`, which is not on every user's path.
pub(crate) fn sbin(name: &str) -> Result<PathBuf> {
    let file = Path::new("/usr/sbin").join(name);
    if file.is_file() { Ok(file) } else { find_program(&[name]).with_context(|| format!("{name} is not installed")) }
}

pub(crate) fn user(name: &str) -> Result<User> {
    User::from_name(name)?.with_context(|| format!("there is no user {name}"))
}

pub(crate) fn random_hex<const BYTES: usize>() -> String {
    random::bytes::<BYTES>(&OsRandom).iter().map(|byte| format!("{byte:02x}")).collect()
}
