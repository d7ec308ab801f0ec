//! Confirmation, for commands that grant something to a member who was found by name.

use std::io::{BufRead, IsTerminal, Write};

use membermail_store::Member;

use crate::context::Context;
use crate::failure::Failure;

/// Flags of commands that ask for confirmation.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Confirm {
    /// Do not ask for confirmation when a member is given by name
    #[arg(long)]
    yes: bool,
}

impl Confirm {
    /// Prints which member the name found, and asks for confirmation. The name can have passed to another person since the
    /// last look-up.
    pub(crate) fn confirm(self, context: &Context, name: &str, member: &Member) -> Result<(), Failure> {
        let found = format!("{name} is member {}", member.id);
        context.output.note(format!("{found}, {}", observed(member)));
        if self.yes {
            return Ok(());
        }
        if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
            return Err(Failure::Usage(format!("{found}; use the id instead of the name, or confirm with --yes")));
        }
        let mut err = std::io::stderr().lock();
        write!(err, "Continue? [y/N] ")?;
        err.flush()?;
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer)?;
        if is_yes(&answer) { Ok(()) } else { Err(Failure::Usage("cancelled; nothing was changed".to_owned())) }
    }
}

/// The time of the last look-up, in words.
fn observed(member: &Member) -> String {
    let at = member.observation.as_ref().map(|observation| observation.observed_at);
    at.map_or_else(|| "never looked up".to_owned(), |at| format!("looked up at {}", crate::output::time(at)))
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("y\n", true)]
    #[case("YES\n", true)]
    #[case("\n", false)]
    #[case("", false)]
    #[case("no\n", false)]
    #[case("yesterday\n", false)]
    fn only_yes_confirms(#[case] answer: &str, #[case] expected: bool) {
        assert_eq!(is_yes(answer), expected);
    }
}
