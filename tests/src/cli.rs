//! The AWS command line, at the stack's endpoint.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::stack::Stack;

impl Stack {
    /// The program with its settings.
    pub fn aws_cli(&self) -> Command {
        let mut command = Command::new(self.python.with_file_name("aws"));
        command.args(["--output", "json"]).env_remove("AWS_PROFILE").envs([
            ("AWS_ENDPOINT_URL", self.endpoint_url.as_str()),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ]);
        command
    }

    /// Runs one command and parses its output as JSON.
    pub fn cli(&self, arguments: &[&str]) -> Result<Value> {
        let output = self.aws_cli().args(arguments).output().context("cannot start aws")?;
        ensure!(output.status.success(), "aws {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(serde_json::from_slice(&output.stdout).unwrap_or_default())
    }

    /// Invokes a function by its name; returns its response and whether it succeeded.
    pub fn invoke(&self, name: &str, payload: &Value) -> Result<(Value, bool)> {
        let response = tempfile::NamedTempFile::new()?;
        let path = response.path().to_str().context("the path is not UTF-8")?;
        let payload = payload.to_string();
        let meta = self.cli(&["lambda", "invoke", "--function-name", name, "--payload", &payload, path])?;
        Ok((serde_json::from_slice(&std::fs::read(path)?)?, meta["FunctionError"].is_null()))
    }

    /// The configuration of a function, with its environment variables.
    pub fn function_configuration(&self, name: &str) -> Result<Value> {
        self.cli(&["lambda", "get-function-configuration", "--function-name", name])
    }

    /// The physical id of a resource, by its logical id in the template.
    pub fn physical_id(&self, logical: &str) -> Result<String> {
        let resources = self.cli(&["cloudformation", "list-stack-resources", "--stack-name", "membermail"])?;
        let all = resources["StackResourceSummaries"].as_array().context("no resources")?;
        let one = all.iter().find(|one| one["LogicalResourceId"] == logical);
        Ok(one.and_then(|one| one["PhysicalResourceId"].as_str()).with_context(|| format!("no {logical}"))?.to_owned())
    }
}
