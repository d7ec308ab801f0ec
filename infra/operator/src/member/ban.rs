//! The result of `membermail member ban` and `unban`.

use std::fmt;

use membermail_core::member::{MemberId, PersonName};
use membermail_store::{Changed, Member};
use serde::Serialize;

use crate::views::alias::{AliasView, alias_table};

/// The outcome of a ban or an unban.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum BanOutcome {
    Banned,
    #[serde(rename = "was-banned")]
    AlreadyBanned,
    Unbanned,
    #[serde(rename = "was-welcome")]
    NotBanned,
}

/// `member ban` and `member unban`
#[derive(Debug, Serialize)]
pub(super) struct BanView {
    member: MemberId,
    source_name: Option<PersonName>,
    #[serde(rename = "did")]
    outcome: BanOutcome,
    /// The aliases that this command changed.
    changed: Vec<AliasView>,
}

impl BanView {
    pub(super) fn new(member: &Member, outcome: BanOutcome, changed: Vec<Changed>) -> Self {
        let changed = changed.into_iter().map(|(alias, _)| alias.into()).collect();
        Self { member: member.id, source_name: member.name().cloned(), outcome, changed }
    }
}

impl fmt::Display for BanView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.source_name.as_ref().map_or_else(|| self.member.to_string(), ToString::to_string);
        match self.outcome {
            BanOutcome::Banned => writeln!(f, "{name} is banned. All sessions have ended.")?,
            BanOutcome::AlreadyBanned => writeln!(f, "{name} was already banned.")?,
            BanOutcome::Unbanned => writeln!(f, "{name} is no longer banned.")?,
            BanOutcome::NotBanned => writeln!(f, "{name} was not banned.")?,
        }
        if self.changed.is_empty() {
            return writeln!(f, "No address had to be changed.");
        }
        match self.outcome {
            BanOutcome::Banned | BanOutcome::AlreadyBanned => writeln!(f, "Suspended addresses:\n")?,
            BanOutcome::Unbanned | BanOutcome::NotBanned => {
                writeln!(f, "The next sync or sign-in restores these addresses if the member is eligible:\n")?;
            }
        }
        writeln!(f, "{}", alias_table(&self.changed))
    }
}

#[cfg(test)]
mod tests {
    use membermail_core::alias::{Reason, Status};

    use super::*;
    use crate::member::test_member;
    use crate::views::tests::alias;

    #[test]
    fn ban_views() {
        let member = test_member("01KATW4Y00ZZZZZZZZZZZZZZZZ", "alice");
        let suspended =
            vec![(alias("alice@ubuntu.com", Status::Suspended, Reason::Banned), ulid::Ulid::from_parts(1, 1))];
        let bans = [
            (BanOutcome::Banned, suspended.clone()),
            (BanOutcome::AlreadyBanned, Vec::new()),
            (BanOutcome::Unbanned, suspended),
            (BanOutcome::NotBanned, Vec::new()),
        ];
        let bans = bans.map(|(outcome, changed)| BanView::new(&member, outcome, changed).to_string());
        insta::assert_snapshot!(bans.join("---\n"));
    }
}
