//! Runs `membermail` and captures its output.

use std::process::{Output, Stdio};

use anyhow::{Context, Result, ensure};
use membermail_tests::stack::Stack;
use serde_json::Value;
use tokio::process::Command;

/// Exit code and output of a command.
#[derive(Debug)]
pub(crate) struct CommandOutput {
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

/// Runs the command as an operator of this stack, and checks that it prints no destination.
pub(crate) async fn membermail(stack: &Stack, arguments: &[&str]) -> Result<CommandOutput> {
    membermail_fed(stack, arguments, Stdio::null()).await
}

/// Like [`membermail`], with standard input.
pub(crate) async fn membermail_fed(stack: &Stack, arguments: &[&str], input: Stdio) -> Result<CommandOutput> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_membermail"));
    command.args(arguments).env("AWS_ENDPOINT_URL", stack.endpoint_url.as_str()).env("AWS_REGION", "us-east-1");
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test").env_remove("USER");
    let process = command.stdin(input).kill_on_drop(true).output().await?;
    let output = CommandOutput::new(process)?;
    // All people of the fakes have destinations at this domain.
    let is_given = arguments.iter().any(|given| given.contains("@mail.example"));
    let text = format!("{}{}", output.out, output.err);
    ensure!(is_given || !text.contains("@mail.example"), "{arguments:?} printed a destination: {text}");
    Ok(output)
}

/// Like [`membermail`] with `--json`; returns the document that it prints.
pub(crate) async fn membermail_json(stack: &Stack, arguments: &[&str]) -> Result<Value> {
    membermail(stack, &[arguments, &["--json"]].concat()).await?.succeeds()?.json()
}

impl CommandOutput {
    pub(crate) fn new(process: Output) -> Result<Self> {
        let code = process.status.code().context("it was killed")?;
        Ok(Self { code, out: String::from_utf8(process.stdout)?, err: String::from_utf8(process.stderr)? })
    }

    /// Checks that the command succeeded.
    pub(crate) fn succeeds(self) -> Result<Self> {
        self.exits_with(0)
    }

    /// Checks the exit code.
    pub(crate) fn exits_with(self, code: i32) -> Result<Self> {
        ensure!(self.code == code, "exit code {} instead of {code}: {} {}", self.code, self.out, self.err);
        Ok(self)
    }

    /// Checks that standard output contains this text.
    pub(crate) fn contains_output(&self, text: &str) -> Result<()> {
        ensure!(self.out.contains(text), "no {text:?} in {} {}", self.out, self.err);
        Ok(())
    }

    /// Parses standard output as one JSON document.
    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.out).with_context(|| self.out.clone())
    }
}
