//! Zip files of the functions for Lambda: one program, named `bootstrap`.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, Result};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Compression effort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Fast, for local runs.
    Quick,
    /// Zopfli, the smallest possible deflate: about 20 seconds per function, for zips that are shipped.
    Small,
}

/// Writes the zip of a program. The output is reproducible, so that unchanged functions are not uploaded again.
pub(crate) fn archive(program: &Path, zip: &Path, effort: Effort) -> Result<()> {
    let level = match effort {
        Effort::Quick => 1,
        // Levels above 9 select Zopfli; higher levels gain less than 0.1%.
        Effort::Small => 14,
    };
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(level))
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o755);
    let mut source = File::open(program).with_context(|| format!("cannot open {}", program.display()))?;
    // Write a temporary file first, so that a partial zip is never used.
    let unfinished = zip.with_extension("zip.new");
    let file = File::create(&unfinished).with_context(|| format!("cannot create {}", unfinished.display()))?;
    let mut writer = ZipWriter::new(file);
    writer.start_file("bootstrap", options)?;
    io::copy(&mut source, &mut writer)?;
    writer.finish()?.sync_all()?;
    std::fs::rename(&unfinished, zip).with_context(|| format!("cannot create {}", zip.display()))
}

/// The program in a zip.
pub(crate) fn program_in(zip: &Path) -> Result<Vec<u8>> {
    let file = File::open(zip).with_context(|| format!("cannot open {}", zip.display()))?;
    let mut content = Vec::new();
    ZipArchive::new(file)?.by_name("bootstrap")?.read_to_end(&mut content)?;
    Ok(content)
}

/// Whether a zip contains this program. Modification times do not tell: cargo-lambda copies unchanged programs.
pub(crate) fn contains(zip: &Path, program: &Path) -> Result<bool> {
    if !zip.exists() {
        return Ok(false);
    }
    Ok(program_in(zip)? == std::fs::read(program).with_context(|| format!("cannot read {}", program.display()))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zip_contains_the_executable_program() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        let to = folder.path().join("bootstrap.zip");
        let code = b"code ".repeat(1000);
        std::fs::write(&program, &code).unwrap();
        assert!(!contains(&to, &program).unwrap());
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
        assert!(contains(&to, &program).unwrap());
        std::fs::write(&program, b"other code").unwrap();
        assert!(!contains(&to, &program).unwrap());
        assert!(zips[1].len() < zips[0].len());
        assert_eq!(zips[1], zips[2]);
    }
}
