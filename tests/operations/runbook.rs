//! The code blocks of `docs/operations.md`, by name (`sh run=NAME`), and a shell that runs them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::process::Command;

use super::world::World;
use crate::command::CommandOutput;

/// The blocks by name.
pub(crate) struct Runbook(BTreeMap<String, String>);

/// Runs blocks in a shell. Variables keep their values between blocks.
pub(crate) struct Shell {
    blocks: BTreeMap<String, String>,
    used: BTreeSet<String>,
    folder: tempfile::TempDir,
    variables: BTreeMap<String, String>,
}

impl Runbook {
    pub(crate) fn read() -> Result<Self> {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations.md");
        let text = std::fs::read_to_string(&page).with_context(|| format!("reading {}", page.display()))?;
        let mut blocks = BTreeMap::new();
        let mut open = None;
        for line in text.lines() {
            match (line.strip_prefix("```"), open.take()) {
                (Some(info), None) => {
                    let name = info.split(' ').find_map(|word| word.strip_prefix("run="));
                    // Untested commands would become outdated.
                    open = Some((
                        name.with_context(|| format!("a block without a name: {line}"))?.to_owned(),
                        String::new(),
                    ));
                }
                (Some(_), Some((name, block))) => {
                    ensure!(blocks.insert(name.clone(), block).is_none(), "two blocks are {name}");
                }
                (None, Some((name, block))) => open = Some((name, block + line + "\n")),
                (None, None) => {}
            }
        }
        Ok(Self(blocks))
    }

    /// A shell for this stack. Every command starts with the block `start`.
    pub(crate) fn shell(self, world: &World) -> Result<Shell> {
        let programs = [Path::new(env!("CARGO_BIN_EXE_membermail")), world.stack.python.as_path()];
        let folders = programs.iter().filter_map(|program| program.parent().map(PathBuf::from));
        let path = std::env::join_paths(folders.chain(["/usr/bin".into(), "/bin".into()]))?;
        let variables = [
            ("PATH", path.to_str().context("the path is not UTF-8")?),
            // Without a trailing slash, which the AWS command line would double.
            ("AWS_ENDPOINT_URL", world.stack.endpoint_url.as_str().trim_end_matches('/')),
            ("AWS_REGION", "us-east-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("MEMBERMAIL_STACK_NAME", &world.name),
            ("BUCKET", &world.stack.code_bucket),
            ("USER", "kim"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let used = BTreeSet::from(["start".to_owned()]);
        Ok(Shell { blocks: self.0, used, folder: tempfile::tempdir()?, variables })
    }
}

impl Shell {
    /// Sets a variable that the reader of the page has to set.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.variables.insert(name.to_owned(), value.into());
    }

    /// Writes a file into the working directory.
    pub(crate) fn file(&self, name: &str, text: &str) -> Result<()> {
        Ok(std::fs::write(self.folder.path().join(name), text)?)
    }

    /// Runs a block, which must succeed.
    pub(crate) async fn run_block(&mut self, name: &str) -> Result<CommandOutput> {
        self.try_block(name).await?.succeeds().with_context(|| name.to_owned())
    }

    /// Runs a block, which may fail.
    pub(crate) async fn try_block(&mut self, name: &str) -> Result<CommandOutput> {
        let block = self.blocks.get(name).with_context(|| format!("the runbook has no {name}"))?.clone();
        self.used.insert(name.to_owned());
        self.run(&block).await
    }

    /// Returns the text of a block that is not run, because no emulator supports it.
    pub(crate) fn block_text(&mut self, name: &str) -> Result<String> {
        self.used.insert(name.to_owned());
        self.blocks.get(name).cloned().with_context(|| format!("the runbook has no {name}"))
    }

    /// Runs commands that are not on the page.
    pub(crate) async fn run(&self, commands: &str) -> Result<CommandOutput> {
        let start = self.blocks.get("start").context("the runbook has no start")?;
        let mut bash = Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", &format!("{start}\n{commands}")]).current_dir(self.folder.path());
        bash.env_clear().env("HOME", self.folder.path()).envs(&self.variables);
        eprintln!("$ {}", commands.trim_end());
        let process = bash.stdin(Stdio::null()).kill_on_drop(true).output().await?;
        let output = CommandOutput::new(process)?;
        // No command may print a destination.
        ensure!(!output.out.contains("@mail.example"), "a destination was printed: {}", output.out);
        Ok(output)
    }

    /// Runs a command that is not on the page, must succeed and prints JSON.
    pub(crate) async fn json(&self, command: &str) -> Result<Value> {
        self.run(&format!("{command} --json")).await?.succeeds()?.json()
    }

    /// Blocks that were not run.
    pub(crate) fn unused_blocks(&self) -> Vec<&str> {
        self.blocks.keys().map(String::as_str).filter(|name| !self.used.contains(*name)).collect()
    }
}
