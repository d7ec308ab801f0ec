//! Asks before a deployment changes something.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::{Result, bail};

use super::changes::DataLoss;

/// How a deployment is confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// On the terminal.
    Ask,
    /// Not at all, unless data is concerned.
    Yes,
    /// Not at all.
    YesWithDataLoss,
}

impl Mode {
    /// The mode of these options. Without a terminal, somebody must have said yes before.
    pub(crate) fn of(yes: bool, allow_data_loss: bool) -> Result<Self> {
        match (yes, allow_data_loss) {
            (true, true) => Ok(Self::YesWithDataLoss),
            (true, false) => Ok(Self::Yes),
            _ if std::io::stdin().is_terminal() => Ok(Self::Ask),
            _ => bail!("there is no terminal for a confirmation: add --yes to deploy, or --dry-run to see the changes"),
        }
    }
}

/// Whether to execute a change set. Changes that concern data need the stack's name instead of a `y`.
pub(crate) fn confirm(
    mode: Mode,
    loss: Option<&DataLoss>,
    stack: &str,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<bool> {
    let question = match (mode, loss) {
        (Mode::YesWithDataLoss, _) | (Mode::Yes, None) => return Ok(true),
        (Mode::Yes, Some(_)) => bail!(
            "the changes concern stored data: deploy without --yes, or add --allow-data-loss if this is what you want"
        ),
        (Mode::Ask, None) => "Execute these changes? [y/N] ",
        (Mode::Ask, Some(_)) => "Type the name of the stack to execute these changes: ",
    };
    write!(output, "{question}")?;
    output.flush()?;
    let mut answer = String::new();
    input.read_line(&mut answer)?;
    let answer = answer.trim();
    Ok(if loss.is_some() { answer == stack } else { ["y", "yes"].contains(&answer.to_lowercase().as_str()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(mode: Mode, loss: Option<&DataLoss>, typed: &str) -> Result<bool> {
        confirm(mode, loss, "membermail", &mut typed.as_bytes(), &mut Vec::new())
    }

    #[rstest::rstest]
    #[case::yes("y\n", true)]
    #[case::long_yes("Yes\n", true)]
    #[case::no("n\n", false)]
    #[case::enter("\n", false)]
    #[case::end_of_input("", false)]
    #[case::other("membermail\n", false)]
    fn only_yes_confirms(#[case] typed: &str, #[case] expected: bool) {
        assert_eq!(answer(Mode::Ask, None, typed).unwrap(), expected);
    }

    #[rstest::rstest]
    #[case::name("membermail\n", true)]
    #[case::yes("y\n", false)]
    #[case::other_name("Membermail\n", false)]
    fn data_loss_needs_the_name(#[case] typed: &str, #[case] expected: bool) {
        let loss = DataLoss::of("Table is replaced");
        assert_eq!(answer(Mode::Ask, Some(&loss), typed).unwrap(), expected);
    }

    #[test]
    fn yes_does_not_allow_data_loss() {
        let loss = DataLoss::of("Table is replaced");
        assert!(answer(Mode::Yes, None, "").unwrap());
        assert!(answer(Mode::Yes, Some(&loss), "").unwrap_err().to_string().contains("--allow-data-loss"));
        assert!(answer(Mode::YesWithDataLoss, Some(&loss), "").unwrap());
    }
}
