//! The commands in documents and workflows are valid: they would become outdated without a test.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use membermail_permissions::template::Template;
use membermail_tests::documents::{CommandLine, command_lines, commands_of};
use membermail_toolbox::workspace;

use crate::Arguments;

fn parameters(file: &str) -> Result<BTreeSet<String>> {
    let template = Template::read(&workspace().join(file), "any", &[])?;
    Ok(template.parameters().map(str::to_owned).collect())
}

fn parse(command: &CommandLine) -> Result<Arguments> {
    let words = std::iter::once("cargo dev").chain(command.words.iter().map(String::as_str));
    Arguments::try_parse_from(words).with_context(|| format!("{}: cargo dev {}", command.file, command.words.join(" ")))
}

#[test]
fn documented_commands_are_accepted() -> Result<()> {
    let commands = commands_of(&[&["cargo", "dev"]])?;
    ensure!(commands.len() > 15, "only {} commands are recognized", commands.len());
    let errors: Vec<_> = commands.iter().filter_map(|command| parse(command).err()).collect();
    ensure!(errors.is_empty(), "{errors:#?}");
    Ok(())
}

/// The `NAME=VALUE` words of a command that set parameters of a stack.
fn assignments(command: &CommandLine) -> Vec<&str> {
    let words: Vec<_> = command.words.iter().map(String::as_str).collect();
    let single = words.windows(2).filter(|pair| pair[0] == "--parameter").map(|pair| pair[1]);
    let after = |start: &str| words.iter().position(|word| *word == start).map_or(words.len(), |index| index + 1);
    let list = words[after("--parameter-overrides")..].iter().take_while(|word| !word.starts_with('-')).copied();
    // `parameters` is a function of the runbook.
    let function = if words.first() == Some(&"parameters") { &words[1..] } else { &[] };
    single.chain(list).chain(function.iter().copied()).filter(|word| *word != "$@").collect()
}

#[test]
fn documented_parameters_exist() -> Result<()> {
    let ours = parameters("template.yaml")?;
    let others = [("deployer.yaml", "infra/dev/deployer.yaml"), ("global.yaml", "infra/global.yaml")];
    let mut found = 0;
    for command in command_lines()? {
        let other = others.iter().find(|(name, _)| command.words.iter().any(|word| word.ends_with(name)));
        let known = other.map_or_else(|| Ok(ours.clone()), |(_, file)| parameters(file))?;
        for assignment in assignments(&command) {
            let name = assignment.split('=').next().unwrap_or_default();
            ensure!(known.contains(name), "{}: there is no parameter {name}", command.file);
            found += 1;
        }
    }
    ensure!(found > 20, "only {found} parameters are recognized");
    Ok(())
}
