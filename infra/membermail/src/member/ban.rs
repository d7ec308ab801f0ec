//! The result of `membermail member ban` and `unban`.

use std::fmt;

use membermail_core::member::{LaunchpadName, MemberId};
use membermail_store::{Changed, Member};
use serde::Serialize;

use crate::alias::{AliasView, alias_table};

/// The result for the member.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Did {
    Banned,
    WasBanned,
    Unbanned,
    WasWelcome,
}

/// `member ban` and `member unban`
#[derive(Debug, Serialize)]
pub(super) struct BanView {
    member: MemberId,
    launchpad_name: Option<LaunchpadName>,
    did: Did,
    /// The aliases that were changed by this command.
    changed: Vec<AliasView>,
}

impl BanView {
    pub(super) fn new(member: &Member, did: Did, changed: Vec<Changed>) -> Self {
        let changed = changed.into_iter().map(|(alias, _)| alias.into()).collect();
        Self { member: member.id, launchpad_name: member.name().cloned(), did, changed }
    }
}

impl fmt::Display for BanView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.launchpad_name.as_ref().map_or_else(|| self.member.to_string(), ToString::to_string);
        match self.did {
            Did::Banned => writeln!(f, "{name} is banned, and the sessions are over.")?,
            Did::WasBanned => writeln!(f, "{name} was banned already.")?,
            Did::Unbanned => writeln!(f, "{name} is welcome again.")?,
            Did::WasWelcome => writeln!(f, "{name} was not banned.")?,
        }
        if self.changed.is_empty() {
            return writeln!(f, "No address was to be changed.");
        }
        match self.did {
            Did::Banned | Did::WasBanned => writeln!(f, "Suspended now:\n")?,
            Did::Unbanned | Did::WasWelcome => {
                writeln!(f, "The next sync, or the next sign-in, restores these if the member is eligible:\n")?;
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
    use crate::views_tests::alias;

    #[test]
    fn bans_as_operators_see_them() {
        let member = test_member("01KATW4Y00ZZZZZZZZZZZZZZZZ", "alice");
        let view = |did, changed| BanView::new(&member, did, changed).to_string();
        let suspended =
            || vec![(alias("alice@ubuntu.com", Status::Suspended, Reason::Banned), ulid::Ulid::from_parts(1, 1))];
        let bans = [
            view(Did::Banned, suspended()),
            view(Did::WasBanned, Vec::new()),
            view(Did::Unbanned, suspended()),
            view(Did::WasWelcome, Vec::new()),
        ];
        insta::assert_snapshot!(bans.join("---\n"));
    }
}
