//! The AWS command line.

use std::process::Command;

use anyhow::{Context, Result};
use membermail_toolbox::step::capture;
use serde_json::Value;

/// The AWS command line with the operator's credentials.
pub struct Aws<'a>(pub &'a dyn Fn() -> Command);

impl Aws<'_> {
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<String> {
        capture((self.0)().args(arguments))
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Result<Value> {
        let text = self.run(arguments)?;
        serde_json::from_str(&text).with_context(|| format!("invalid output of aws {}", arguments.join(" ")))
    }
}
