//! The commands in documents are valid: they would become outdated without a test.

use anyhow::{Result, ensure};
use clap::Parser;
use membermail_tests::documents::commands_of;

use crate::Arguments;

#[test]
fn documented_commands_are_accepted() -> Result<()> {
    let commands = commands_of(&[&["cargo", "membermail"], &["membermail"]])?;
    ensure!(commands.len() > 40, "only {} commands are recognized", commands.len());
    let mut errors = Vec::new();
    for command in commands {
        // Variables that the reader sets, where only some values are valid.
        let words = command.words.iter().map(|word| match word.as_str() {
            "$DOMAIN" => "ubuntu.com",
            "$RUN" => "01KB8Y0000000000000000000A",
            word => word,
        });
        let words = std::iter::once("membermail").chain(words);
        if let Err(error) = Arguments::try_parse_from(words)
            && error.kind() != clap::error::ErrorKind::DisplayHelp
        {
            errors.push(format!("{}: {} ({error})", command.file, command.words.join(" ")));
        }
    }
    ensure!(errors.is_empty(), "{errors:#?}");
    Ok(())
}
