//! The commands of `docs/operations.md`, by the names that its code blocks have (`sh run=NAME`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use crate::world::World;

/// The blocks, by name.
pub(crate) struct Runbook(BTreeMap<String, String>);

/// A shell that types them. Variables that it is given stay.
pub(crate) struct Shell {
    blocks: BTreeMap<String, String>,
    typed: BTreeSet<String>,
    folder: tempfile::TempDir,
    variables: BTreeMap<String, String>,
}

/// What a block said.
#[derive(Debug)]
pub(crate) struct Said {
    code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Runbook {
    pub(crate) fn read() -> Result<Self> {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations.md");
        let text = std::fs::read_to_string(&page).with_context(|| format!("reading {}", page.display()))?;
        let (mut blocks, mut open) = (BTreeMap::new(), None);
        for line in text.lines() {
            match (line.strip_prefix("```"), open.take()) {
                (Some(info), None) => {
                    let name = info.split(' ').find_map(|word| word.strip_prefix("run="));
                    // What is not run would rot.
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

    /// A shell at this stack, in which the page's first block has been typed.
    pub(crate) fn shell(self, world: &World) -> Result<Shell> {
        let programs = [Path::new(env!("CARGO_BIN_EXE_membermail")), world.stack.python.as_path()];
        let folders = programs.iter().filter_map(|program| program.parent().map(PathBuf::from));
        let path = std::env::join_paths(folders.chain(["/usr/bin".into(), "/bin".into()]))?;
        let variables = [
            ("PATH", path.to_str().context("a path that is no text")?),
            // Without a slash at its end, which the command line would double before a bucket.
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
        let typed = BTreeSet::from(["start".to_owned()]);
        Ok(Shell { blocks: self.0, typed, folder: tempfile::tempdir()?, variables })
    }
}

impl Shell {
    /// Sets a variable that the page leaves to its reader.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.variables.insert(name.to_owned(), value.into());
    }

    /// Puts a file where the commands are typed.
    pub(crate) fn file(&self, name: &str, text: &str) -> Result<()> {
        Ok(std::fs::write(self.folder.path().join(name), text)?)
    }

    /// Types a block, which must do what it is there for.
    pub(crate) async fn types(&mut self, name: &str) -> Result<Said> {
        let said = self.attempts(name).await?;
        ensure!(said.code == 0, "{name} ended with {}: {} {}", said.code, said.out, said.err);
        Ok(said)
    }

    /// Types a block that may fail, and says with which code.
    pub(crate) async fn attempts(&mut self, name: &str) -> Result<Said> {
        let block = self.blocks.get(name).with_context(|| format!("the runbook has no {name}"))?.clone();
        self.typed.insert(name.to_owned());
        self.run(&block).await
    }

    /// What a block consists of, where it is done by other means: no emulator can restore a table.
    pub(crate) fn reads(&mut self, name: &str) -> Result<String> {
        self.typed.insert(name.to_owned());
        self.blocks.get(name).cloned().with_context(|| format!("the runbook has no {name}"))
    }

    /// Types something that is not on the page, to see what came of it.
    pub(crate) async fn run(&self, commands: &str) -> Result<Said> {
        let start = self.blocks.get("start").context("the runbook has no start")?;
        let mut bash = Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", &format!("{start}\n{commands}")]).current_dir(self.folder.path());
        bash.env_clear().env("HOME", self.folder.path()).envs(&self.variables);
        eprintln!("$ {}", commands.trim_end());
        let output = bash.stdin(Stdio::null()).kill_on_drop(true).output().await?;
        let said = Said {
            code: output.status.code().context("it was killed")?,
            out: String::from_utf8(output.stdout)?,
            err: String::from_utf8(output.stderr)?,
        };
        // Where the stories' people read mail is nobody's business, on the page's commands as elsewhere.
        ensure!(!said.out.contains("@mail.example"), "an address was told: {}", said.out);
        Ok(said)
    }

    /// Blocks that nobody has typed.
    pub(crate) fn untyped(&self) -> Vec<&str> {
        self.blocks.keys().map(String::as_str).filter(|name| !self.typed.contains(*name)).collect()
    }
}

impl Said {
    /// It did what it was to do.
    pub(crate) fn is_done(&self) -> bool {
        self.code == 0
    }

    /// It ended with this code.
    pub(crate) fn ended_with(self, code: i32) -> Result<Self> {
        ensure!(self.code == code, "it ended with {} and not {code}: {} {}", self.code, self.out, self.err);
        Ok(self)
    }

    /// It says this.
    pub(crate) fn says(&self, what: &str) -> Result<()> {
        ensure!(self.out.contains(what), "no {what:?} in {} {}", self.out, self.err);
        Ok(())
    }
}
