//! Running `membermail` and looking at what it says.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use membermail_tests::stack::Stack;
use serde_json::Value;
use tokio::process::Command;

/// What a command said.
pub(crate) struct Said {
    code: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

/// Runs it as an operator of this stack, and sees to it that it tells nobody's own address.
pub(crate) async fn membermail(stack: &Stack, arguments: &[&str]) -> Result<Said> {
    membermail_fed(stack, arguments, Stdio::null()).await
}

/// The same, with something to read.
pub(crate) async fn membermail_fed(stack: &Stack, arguments: &[&str], input: Stdio) -> Result<Said> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_membermail"));
    command.args(arguments).env("AWS_ENDPOINT_URL", stack.endpoint_url.as_str()).env("AWS_REGION", "us-east-1");
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test").env_remove("USER");
    let output = command.stdin(input).kill_on_drop(true).output().await?;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).context("no UTF-8");
    let code = output.status.code().context("it was killed")?;
    let said = Said { code, out: text(output.stdout)?, err: text(output.stderr)? };
    // The addresses of all people of the stand-ins are of this domain.
    let tells =
        |text: &str| text.contains("@mail.example") && !arguments.iter().any(|given| given.contains("@mail.example"));
    ensure!(!tells(&said.out) && !tells(&said.err), "{arguments:?} told an address: {} {}", said.out, said.err);
    Ok(said)
}

impl Said {
    /// It did what it was to do.
    pub(crate) fn done(self) -> Result<Self> {
        self.ended_with(0)
    }

    /// It ended with this code.
    pub(crate) fn ended_with(self, code: i32) -> Result<Self> {
        ensure!(self.code == code, "it ended with {} and not {code}: {} {}", self.code, self.out, self.err);
        Ok(self)
    }

    /// What it said, as one document.
    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.out).with_context(|| self.out.clone())
    }
}
