//! The text form of a plan, for operators.

use std::fmt;

use crate::lifecycle::{Action, Step};
use crate::plan::{Counts, Plan};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { domain, read_at: _, counts, steps } = self;
        let Counts { participants, active, create, rename, restore, leave, suspend, retire, unchanged, .. } = counts;
        writeln!(f, "{domain}: {participants} in the team, {active} active addresses")?;
        for step in steps {
            writeln!(f, "  {step}")?;
        }
        write!(
            f,
            "{create} to create, {rename} to rename, {restore} to restore, {leave} leaving, {suspend} to suspend, \
             {retire} to retire, {unchanged} unchanged"
        )?;
        if counts.unverified > 0 {
            write!(f, ", {} not verified", counts.unverified)?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, action, .. } = self;
        let sign = match action {
            Action::Create | Action::Rename { .. } => '+',
            Action::Restore => '^',
            Action::Leave { .. } => '~',
            Action::Suspend { .. } => '-',
            Action::Retire => 'x',
            Action::Observe => '=',
        };
        // One column for addresses, so that a long plan can be read down.
        write!(f, "{sign} {:<32} ", address.to_string())?;
        match action {
            Action::Create => f.write_str("new: joined the team"),
            Action::Rename { from } => write!(f, "renamed: {from}@{} goes on forwarding", address.domain),
            Action::Restore => f.write_str("restored: eligible again"),
            Action::Leave { reason, until } => {
                write!(f, "leaving, ends {}: {}", until.strftime("%Y-%m-%d"), reason.in_words())
            }
            Action::Suspend { reason } => write!(f, "suspended: {}", reason.in_words()),
            Action::Retire => f.write_str("retired: personal data goes, the name stays taken"),
            Action::Observe => {
                let name = self.known_as.as_ref().map_or("-", |known_as| known_as.name.as_str());
                write!(f, "its member is called {name} now")
            }
        }
    }
}
