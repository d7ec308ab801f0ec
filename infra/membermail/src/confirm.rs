//! Confirmation by the operator, where a command grants something to a member who was found by name.

use std::io::{BufRead, IsTerminal, Write};

use membermail_store::Member;

use crate::Context;
use crate::failure::Failure;

/// Whether to ask before acting.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Confirm {
    /// Act without asking, also where a member was found by name
    #[arg(long)]
    yes: bool,
}

impl Confirm {
    /// Shows which member a name led to, and asks whether that one is meant. A name can have passed to another person
    /// since the last look-up, so it finds a member and grants nothing.
    pub(crate) fn ask(self, context: &Context, name: &str, member: &Member) -> Result<(), Failure> {
        let found = format!("{name} is member {}", member.id);
        context.output.note(format!("{found}, {}", observed(member)));
        if self.yes {
            return Ok(());
        }
        if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
            return Err(Failure::Usage(format!("{found}: give that id instead of the name, or add --yes")));
        }
        let mut err = std::io::stderr().lock();
        write!(err, "Go on? [y/N] ")?;
        err.flush()?;
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer)?;
        if is_yes(&answer) { Ok(()) } else { Err(Failure::Usage("nothing was changed".to_owned())) }
    }
}

/// When the name was seen.
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
