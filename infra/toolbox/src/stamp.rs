//! Remembers which lock a set of tools was installed from, so that a second run does nothing.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// The stamp of one set.
pub(crate) struct Stamp {
    file: PathBuf,
    hash: String,
}

impl Stamp {
    /// Over the content of all locks of the set, and where it was installed: a moved folder is another one.
    pub(crate) fn of(name: &str, locks: &[&Path]) -> Result<Self> {
        let folder = crate::folder();
        let mut hasher = Sha256::new();
        hasher.update(folder.as_os_str().as_encoded_bytes());
        for lock in locks {
            hasher.update(fs::read(lock).with_context(|| format!("reading {}", lock.display()))?);
        }
        let hash = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { file: folder.join("stamps").join(name), hash })
    }

    /// Whether the set is there as locked.
    pub(crate) fn holds(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|hash| hash == self.hash)
    }

    /// Says that it is there now.
    pub(crate) fn set(&self) -> Result<()> {
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder)?;
        }
        // A new file each time: a copy of this folder may be made of links, and is not to be told what happened here.
        let new = self.file.with_extension("new");
        fs::write(&new, &self.hash).with_context(|| format!("writing {}", new.display()))?;
        fs::rename(&new, &self.file).with_context(|| format!("writing {}", self.file.display()))
    }
}
