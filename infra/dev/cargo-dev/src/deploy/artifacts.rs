//! The packaged functions of a deployment.

use std::path::Path;

use anyhow::{Context, Result};

use super::binary::{self, Architecture};
use crate::archive::program_in;
use crate::builds::{NAMES, zip_in};

/// Checks that a folder has a release build of each function for this architecture.
pub(crate) fn check(folder: &Path, architecture: Architecture) -> Result<()> {
    for zip in NAMES.map(|name| zip_in(folder, name)) {
        let checked = program_in(&zip).and_then(|program| Ok(binary::check(&program, architecture)?));
        checked.with_context(|| {
            let build = architecture.build_command();
            format!("cannot deploy {}: deploy without --skip-build, or first run `{build}`", zip.display())
        })?;
    }
    Ok(())
}
