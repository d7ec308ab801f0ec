//! The AWS command line, at the stack's endpoint.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::stack::Stack;

impl Stack {
    /// Runs one command; what it printed, as JSON.
    pub fn cli(&self, arguments: &[&str]) -> Result<Value> {
        let mut command = Command::new(self.python.with_file_name("aws"));
        command.args(["--output", "json"]).args(arguments).envs([
            ("AWS_ENDPOINT_URL", self.endpoint_url.as_str()),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ]);
        let output = command.env_remove("AWS_PROFILE").output().context("cannot start aws")?;
        ensure!(output.status.success(), "aws {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(serde_json::from_slice(&output.stdout).unwrap_or_default())
    }

    /// What AWS calls a resource of the stack, by its logical id in the template.
    pub fn physical_id(&self, logical: &str) -> Result<String> {
        let resources = self.cli(&["cloudformation", "list-stack-resources", "--stack-name", "membermail"])?;
        let all = resources["StackResourceSummaries"].as_array().context("no resources")?;
        let one = all.iter().find(|one| one["LogicalResourceId"] == logical);
        Ok(one.and_then(|one| one["PhysicalResourceId"].as_str()).with_context(|| format!("no {logical}"))?.to_owned())
    }
}
