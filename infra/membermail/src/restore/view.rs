//! What an import did, as operators see it.

use std::fmt;

use membermail_core::alias::Alias;
use membermail_core::member::LaunchpadName;
use membermail_store::{ImportReport, Member};
use serde::Serialize;

use super::list::Skipped;
use crate::alias::AliasView;
use crate::output::facts;

/// `restore import`
#[derive(Debug, Serialize)]
pub(super) struct Imported {
    /// Into which table.
    pub(super) table: String,
    /// Whether it was done, or only looked at.
    #[serde(rename = "done")]
    pub(super) is_done: bool,
    #[serde(flatten)]
    pub(super) report: ImportReport,
    pub(super) skipped: Skipped,
}

impl fmt::Display for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, is_done, report, skipped } = self;
        let ImportReport { examined, present, with_owner, without_destination, tombstones, members, bans, .. } = report;
        let head = if *is_done { "Imported into" } else { "An import would bring into" };
        writeln!(f, "{head} {table}:\n")?;
        let some = |count: u64, what: &str| (count > 0).then(|| format!("{count} {what}"));
        let lines = [
            ("examined", Some(format!("{examined} addresses, of which the table has {present}"))),
            ("with their owner", Some(format!("{with_owner} addresses"))),
            (
                "for their owner",
                some(*without_destination, "addresses, which forward once the member checks again (other key)"),
            ),
            ("without an owner", Some(format!("{tombstones} addresses (membermail restore assign ADDRESS MEMBER)"))),
            ("members", Some(members.to_string())),
            ("bans", Some(bans.to_string())),
            ("left out", some(skipped.foreign, "addresses at other domains")),
            ("role addresses", some(skipped.reserved, "addresses of admins, left out")),
        ];
        writeln!(f, "{}", facts(lines))?;
        decide(f, "These addresses have another owner in the other table; this table counts", &report.other_owner)?;
        decide(
            f,
            "These members are banned here, and were not any more (membermail member unban)",
            &report.still_banned,
        )?;
        decide(f, "The personal data of these members was erased, and is back", &report.not_erased)
    }
}

/// A list that an operator has to decide on.
fn decide<T: fmt::Display>(f: &mut fmt::Formatter<'_>, what: &str, all: &[T]) -> fmt::Result {
    if all.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{what}:\n")?;
    all.iter().try_for_each(|one| writeln!(f, "  {one}"))
}

/// `restore assign`
#[derive(Debug, Serialize)]
pub(super) struct AssignedView {
    alias: AliasView,
    launchpad_name: Option<LaunchpadName>,
}

impl AssignedView {
    pub(super) fn new(alias: Alias, member: &Member) -> Self {
        Self { alias: alias.into(), launchpad_name: member.name().cloned() }
    }
}

impl fmt::Display for AssignedView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { alias, launchpad_name } = self;
        let name = launchpad_name.as_ref().map_or_else(|| "the member".to_owned(), ToString::to_string);
        writeln!(f, "{} belongs to {name} from now on, and forwards once they check again.", alias.address())
    }
}

#[cfg(test)]
mod tests {
    use membermail_core::alias::{Reason, Status};

    use super::*;
    use crate::member::test_member;
    use crate::views_tests::alias;

    #[test]
    fn imports_as_operators_see_them() {
        let member = test_member("01KATW4Y00ZZZZZZZZZZZZZZZZ", "alice");
        let full = ImportReport {
            examined: 1_000,
            present: 950,
            with_owner: 40,
            without_destination: 2,
            tombstones: 8,
            members: 31,
            bans: 1,
            other_owner: vec!["carol@ubuntu.com".to_owned().try_into().unwrap()],
            still_banned: vec![member.id],
            not_erased: vec![member.id],
        };
        let view = |is_done, report, skipped| {
            Imported { table: "membermail-restored".to_owned(), is_done, report, skipped }.to_string()
        };
        let assigned = AssignedView::new(alias("alice@ubuntu.com", Status::Retired, Reason::Unassigned), &member);
        let views = [
            view(false, ImportReport::default(), Skipped::default()),
            view(true, full, Skipped { foreign: 3, reserved: 1 }),
            assigned.to_string(),
        ];
        insta::assert_snapshot!(views.join("---\n"));
    }
}
