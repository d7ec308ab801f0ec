//! The commands that documents and workflows tell people to type.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use membermail_permissions::yaml;
use membermail_toolbox::workspace;
use serde_json::Value;

/// One command, as its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    /// The file that contains it.
    pub file: String,
    /// The program and its arguments. Variables are not expanded.
    pub words: Vec<String>,
}

/// All commands in the `sh` blocks of the pages and in the workflows.
pub fn command_lines() -> Result<Vec<CommandLine>> {
    let mut commands = Vec::new();
    for file in files(&["", "docs"], "md")? {
        for block in blocks(&read(&file)?).into_iter().filter(|block| block.language == "sh") {
            commands.extend(split(&file, &block.text)?);
        }
    }
    for file in files(&[".github/workflows"], "yml")? {
        for script in scripts(&yaml::parse(&read(&file)?)?) {
            commands.extend(split(&file, &script)?);
        }
    }
    Ok(commands)
}

/// The commands of a program, without the words that start it, such as `["cargo", "dev"]`.
pub fn commands_of(programs: &[&[&str]]) -> Result<Vec<CommandLine>> {
    let all = command_lines()?.into_iter();
    Ok(all.filter_map(|command| command.of(programs)).collect())
}

impl CommandLine {
    fn of(mut self, programs: &[&[&str]]) -> Option<Self> {
        let starts = |program: &&&[&str]| program.iter().eq(self.words.iter().take(program.len()));
        let length = programs.iter().find(starts)?.len();
        self.words.drain(..length);
        Some(self)
    }
}

/// A fenced code block.
#[derive(Debug)]
pub struct Block {
    /// The first word after the fence.
    pub language: String,
    /// The words after it, such as `file=mail.json`.
    pub labels: Vec<String>,
    /// The content.
    pub text: String,
}

/// The code blocks of a page.
pub fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in page.lines() {
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(info), None) => {
                let mut words = info.split_whitespace().map(str::to_owned);
                let language = words.next().unwrap_or_default();
                open = Some(Block { language, labels: words.collect(), text: String::new() });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// The `run` scripts of a workflow.
fn scripts(workflow: &Value) -> Vec<String> {
    let jobs = workflow["jobs"].as_object().into_iter().flatten();
    let steps = jobs.flat_map(|(_, job)| job["steps"].as_array().into_iter().flatten());
    steps.filter_map(|step| step["run"].as_str().map(str::to_owned)).collect()
}

/// The commands of a script: separated by lines, pipes, `&&`, `;` and in `$(…)`.
fn split(file: &str, script: &str) -> Result<Vec<CommandLine>> {
    let mut commands = Vec::new();
    for line in script.replace("\\\n", " ").lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // A quoted text over several lines is no command of ours.
        let Some(words) = shlex::split(line) else { continue };
        let mut command = Vec::new();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let plain = word.trim_end_matches(';');
            if word == ">" || word == "2>" {
                // The target of a redirection.
                words.next();
            } else if ["|", "&&", "||", "&"].contains(&plain) {
                push(&mut commands, file, &mut command)?;
            } else if !plain.is_empty() && !plain.starts_with('>') {
                command.push(plain.to_owned());
            }
            if word.ends_with(';') {
                push(&mut commands, file, &mut command)?;
            }
        }
        push(&mut commands, file, &mut command)?;
    }
    Ok(commands)
}

fn push(commands: &mut Vec<CommandLine>, file: &str, command: &mut Vec<String>) -> Result<()> {
    // Assignments before the program; `NAME="$(command)"` contains a command.
    let is_assignment = |word: &String| word.split_once('=').is_some_and(|(name, _)| is_name(name));
    let assigned = command.iter().take_while(|word| is_assignment(word)).count();
    for word in command.iter() {
        let mut rest = word.as_str();
        while let Some((_, inner)) = rest.split_once("$(") {
            // Nested substitutions do not occur.
            let (inner, after) = inner.split_once(')').with_context(|| format!("{file}: {word}"))?;
            commands.extend(split(file, inner)?);
            rest = after;
        }
    }
    let words: Vec<_> = command.drain(..).skip(assigned).collect();
    if !words.is_empty() {
        commands.push(CommandLine { file: file.to_owned(), words });
    }
    Ok(())
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

/// Files with this extension in folders of the repository, sorted.
pub fn files(folders: &[&str], extension: &str) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for folder in folders {
        for entry in std::fs::read_dir(workspace().join(folder))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if Path::new(&name).extension().is_some_and(|found| found == extension) {
                files.push(Path::new(folder).join(name).to_string_lossy().into_owned());
            }
        }
    }
    files.sort();
    ensure!(!files.is_empty(), "no {extension} files in {folders:?}");
    Ok(files)
}

/// A file of the repository.
pub fn read(file: &str) -> Result<String> {
    std::fs::read_to_string(workspace().join(file)).with_context(|| file.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(script: &str) -> Vec<String> {
        split("page", script).unwrap().into_iter().map(|command| command.words.join(" ")).collect()
    }

    #[test]
    fn scripts_are_split_into_commands() {
        let script = "# a comment\nA=1 cargo dev up \\\n  --name x | tee log && sam deploy; aws x > /dev/null\n";
        assert_eq!(words(script), ["cargo dev up --name x", "tee log", "sam deploy", "aws x"]);
    }

    #[test]
    fn substituted_commands_are_found() {
        let script = "TABLE=\"$(aws one --query \"Stacks[0]\")\"\ncurl \"$(aws two)x\"\n";
        assert_eq!(words(script), ["aws one --query Stacks[0]", "aws two", "curl $(aws two)x"]);
    }

    #[test]
    fn program_is_removed_from_its_commands() {
        let command = CommandLine { file: String::new(), words: ["cargo", "dev", "up"].map(str::to_owned).into() };
        let programs: &[&[&str]] = &[&["membermail"], &["cargo", "dev"]];
        assert_eq!(command.clone().of(programs).unwrap().words, ["up"]);
        assert_eq!(command.of(&[&["cargo", "lambda"]]), None);
    }

    #[test]
    fn workflow_scripts_are_found() {
        let workflow = yaml::parse("jobs:\n  a:\n    steps:\n      - uses: x\n      - run: cargo dev lint\n").unwrap();
        assert_eq!(scripts(&workflow), ["cargo dev lint"]);
    }
}
