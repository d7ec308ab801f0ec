//! Remembers which lock files a set of tools was installed from, so that a second run does nothing.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// The stamp of one set of tools.
pub(crate) struct Stamp {
    file: PathBuf,
    hash: String,
}

impl Stamp {
    /// Hashes the lock files and the install folder: a moved folder needs a new install.
    pub(crate) fn of(name: &str, locks: &[&Path]) -> Result<Self> {
        let folder = crate::folder();
        let mut hasher = Sha256::new();
        hasher.update(folder.as_os_str().as_encoded_bytes());
        for lock in locks {
            hasher.update(fs::read(lock).with_context(|| format!("cannot read {}", lock.display()))?);
        }
        let hash = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { file: folder.join("stamps").join(name), hash })
    }

    /// Whether the set is installed from the current lock files.
    pub(crate) fn is_current(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|hash| hash == self.hash)
    }

    /// Marks the set as installed.
    pub(crate) fn write(&self) -> Result<()> {
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder)?;
        }
        // Replaces the file instead of writing into it: a copy of this folder may consist of hard links.
        let new = self.file.with_extension("new");
        fs::write(&new, &self.hash).with_context(|| format!("cannot write {}", new.display()))?;
        fs::rename(&new, &self.file).with_context(|| format!("cannot write {}", self.file.display()))
    }
}
