//! The zips of the functions, as Lambda takes them: one program, named `bootstrap`.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, Result};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// How hard to compress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// In a moment.
    Quick,
    /// As small as deflate goes, which takes Zopfli some 20 seconds a function: a zip that is shipped is made once and
    /// started often.
    Small,
}

/// Writes the zip of a program, the same for the same program, so that what has not changed is not uploaded again.
pub(crate) fn archive(program: &Path, zip: &Path, effort: Effort) -> Result<()> {
    let level = match effort {
        Effort::Quick => 1,
        // Beyond 9 it is Zopfli's, from its first level on; more gains less than a thousandth.
        Effort::Small => 14,
    };
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(level))
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o755);
    let mut from = File::open(program).with_context(|| format!("opening {}", program.display()))?;
    // Whoever finds a zip finds a whole one.
    let unfinished = zip.with_extension("zip.new");
    let mut to = ZipWriter::new(File::create(&unfinished).with_context(|| format!("making {}", unfinished.display()))?);
    to.start_file("bootstrap", options)?;
    io::copy(&mut from, &mut to)?;
    to.finish()?.sync_all()?;
    std::fs::rename(&unfinished, zip).with_context(|| format!("making {}", zip.display()))
}

/// Whether a zip holds this program as it is now. Its time says nothing: cargo-lambda copies what it did not build.
pub(crate) fn holds(zip: &Path, program: &Path) -> Result<bool> {
    let Ok(file) = File::open(zip) else { return Ok(false) };
    let mut held = Vec::new();
    ZipArchive::new(file)?.by_name("bootstrap")?.read_to_end(&mut held)?;
    Ok(held == std::fs::read(program).with_context(|| format!("reading {}", program.display()))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zip_holds_the_program_and_may_run_it() {
        let folder = tempfile::tempdir().unwrap();
        let (program, to) = (folder.path().join("program"), folder.path().join("bootstrap.zip"));
        let code = b"code ".repeat(1000);
        std::fs::write(&program, &code).unwrap();
        assert!(!holds(&to, &program).unwrap());
        let mut zips = Vec::new();
        for effort in [Effort::Quick, Effort::Small, Effort::Small] {
            archive(&program, &to, effort).unwrap();
            let mut archive = zip::ZipArchive::new(File::open(&to).unwrap()).unwrap();
            assert_eq!(archive.len(), 1);
            let mut file = archive.by_name("bootstrap").unwrap();
            assert_eq!(file.unix_mode().unwrap() & 0o777, 0o755);
            let mut found = Vec::new();
            file.read_to_end(&mut found).unwrap();
            assert_eq!(found, code);
            zips.push(std::fs::read(&to).unwrap());
        }
        assert!(holds(&to, &program).unwrap());
        std::fs::write(&program, b"other code").unwrap();
        assert!(!holds(&to, &program).unwrap());
        assert!(zips[1].len() < zips[0].len());
        assert_eq!(zips[1], zips[2]);
    }
}
