//! Remembers which lock files a set of tools was installed from, so that a second run does nothing.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// The stamp of one set of tools.
pub(crate) struct Stamp {
    /// The folder that the set is installed in. Without it, the set is not installed.
    into: PathBuf,
    file: PathBuf,
    hash: String,
}

impl Stamp {
    /// Hashes the lock files and the install folder: a moved folder needs a new install.
    pub(crate) fn of(name: &str, into: &Path, locks: &[&Path]) -> Result<Self> {
        let folder = crate::folder();
        let mut hasher = Sha256::new();
        hasher.update(folder.as_os_str().as_encoded_bytes());
        for lock in locks {
            hasher.update(fs::read(lock).with_context(|| format!("cannot read {}", lock.display()))?);
        }
        let hash = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { into: into.to_owned(), file: folder.join("stamps").join(name), hash })
    }

    /// Whether the set is installed from the current lock files.
    pub(crate) fn is_current(&self) -> bool {
        self.into.is_dir() && fs::read_to_string(&self.file).is_ok_and(|hash| hash == self.hash)
    }

    /// Installs the set unless it is current. Of several processes that start at the same time, one installs and the others
    /// wait for it.
    pub(crate) fn install_unless_current(&self, install: impl FnOnce() -> Result<()>) -> Result<()> {
        if self.is_current() {
            return Ok(());
        }
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder)?;
        }
        let lock = self.file.with_extension("lock");
        let lock = File::create(&lock).with_context(|| format!("cannot write {}", lock.display()))?;
        lock.lock().context("cannot lock the installed tools")?;
        if self.is_current() {
            return Ok(());
        }
        install()?;
        self.write()
    }

    /// Marks the set as installed.
    fn write(&self) -> Result<()> {
        // Replaces the file instead of writing into it: a copy of this folder may consist of hard links.
        let new = self.file.with_extension("new");
        fs::write(&new, &self.hash).with_context(|| format!("cannot write {}", new.display()))?;
        fs::rename(&new, &self.file).with_context(|| format!("cannot write {}", self.file.display()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::*;

    fn stamp(folder: &Path) -> Stamp {
        Stamp { into: folder.to_owned(), file: folder.join("stamps/set"), hash: "1".to_owned() }
    }

    #[test]
    fn set_is_installed_once_when_concurrent() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let (start, installs) = (Barrier::new(2), AtomicUsize::new(0));
        let install = || {
            start.wait();
            stamp(folder.path()).install_unless_current(|| {
                installs.fetch_add(1, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(50));
                Ok(())
            })
        };
        thread::scope(|scope| {
            let threads = [scope.spawn(install), scope.spawn(install)];
            threads.into_iter().try_for_each(|thread| thread.join().expect("a thread panicked"))
        })?;
        assert_eq!(installs.into_inner(), 1);
        Ok(())
    }

    #[test]
    fn failed_install_is_repeated() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let stamp = stamp(folder.path());
        stamp.install_unless_current(|| anyhow::bail!("no network")).unwrap_err();
        assert!(!stamp.is_current());
        stamp.install_unless_current(|| Ok(()))?;
        assert!(stamp.is_current());
        Ok(())
    }

    #[test]
    fn missing_folder_is_installed_again() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let stamp = Stamp { into: folder.path().join("set"), ..stamp(folder.path()) };
        for _ in 0..2 {
            stamp.install_unless_current(|| Ok(fs::create_dir(&stamp.into)?))?;
            assert!(stamp.is_current());
            fs::remove_dir(&stamp.into)?;
            assert!(!stamp.is_current());
        }
        Ok(())
    }
}
