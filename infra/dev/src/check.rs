//! `cargo dev lint`: what a machine can say about the source without running it.

use std::process::Command;

use anyhow::Result;
use membermail_toolbox::{step, venv_program, workspace};

use crate::functions::said;
use crate::tools;

/// Formatting, clippy and the template.
pub(crate) fn lint() -> Result<()> {
    tools::install()?;
    let here = workspace();
    step::run("check the formatting", Command::new("cargo").current_dir(&here).args(["fmt", "--all", "--check"]))?;
    let mut template = Command::new(venv_program("cfn-lint"));
    step::run("check the template", template.current_dir(&here).arg("template.yaml"))?;
    let mut clippy = Command::new("cargo");
    clippy.current_dir(&here).args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    said(&mut clippy)
}
