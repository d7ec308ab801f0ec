//! Builds for `cargo dev deploy --skip-build`.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use membermail_toolbox::workspace;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The architecture of this machine, and another one.
pub(crate) const ARCHITECTURES: (&str, &str) =
    if cfg!(target_arch = "aarch64") { ("arm64", "x86_64") } else { ("x86_64", "arm64") };

/// A folder with a zip per function, as a release build for this machine: an ELF header and the marker. The deployed
/// functions are not invoked, and real release builds would take minutes.
pub(crate) fn release() -> Result<TempDir> {
    let builds = tempfile::tempdir()?;
    let machine: u16 = if cfg!(target_arch = "aarch64") { 183 } else { 62 };
    let mut program = [b"\x7fELF\x02\x01\x01".as_slice(), &[0; 57]].concat();
    program[18..20].copy_from_slice(&machine.to_le_bytes());
    program[20] = 1;
    program.extend_from_slice(b"membermail-build-profile=release;");
    for function in fs::read_dir(workspace().join("functions"))? {
        let folder = builds.path().join(function?.file_name());
        fs::create_dir(&folder)?;
        let mut zip = ZipWriter::new(File::create(folder.join("bootstrap.zip"))?);
        zip.start_file("bootstrap", SimpleFileOptions::default().unix_permissions(0o755))?;
        zip.write_all(&program)?;
        zip.finish()?;
    }
    Ok(builds)
}

/// The builds of the local stack.
pub(crate) fn local() -> PathBuf {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_membermail-dev"));
    let target = program.ancestors().nth(2).unwrap_or(&program);
    target.join("lambda-local/debug")
}
