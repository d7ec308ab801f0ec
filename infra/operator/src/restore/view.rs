//! Views of imports and assignments.

use std::fmt;

use membermail_core::alias::Alias;
use membermail_core::member::PersonName;
use membermail_store::{ImportReport, Member};
use serde::Serialize;

use super::list::Skipped;
use crate::output::{addresses, facts};
use crate::views::alias::AliasView;

/// `restore import`
#[derive(Debug, Serialize)]
pub(super) struct ImportView {
    /// The restored table.
    pub(super) table: String,
    /// Whether the import was applied; `false` for a dry run.
    #[serde(rename = "done")]
    pub(super) is_done: bool,
    #[serde(flatten)]
    pub(super) report: ImportReport,
    pub(super) skipped: Skipped,
}

impl fmt::Display for ImportView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, is_done, report, skipped } = self;
        let ImportReport { examined, present, with_owner, without_destination, tombstones, members, bans, .. } = report;
        let head = if *is_done { "Imported into" } else { "Dry run of an import into" };
        writeln!(f, "{head} {table}:\n")?;
        let lines = [
            ("examined", Some(format!("{}, of which {present} are in the table", addresses(*examined)))),
            ("with their owner", Some(addresses(*with_owner))),
            (
                "without destination",
                if_any(
                    *without_destination,
                    "addresses (sealed with another key); they forward after the member's next check",
                ),
            ),
            (
                "without an owner",
                Some(format!("{} (membermail restore assign ADDRESS MEMBER)", addresses(*tombstones))),
            ),
            ("members", Some(members.to_string())),
            ("bans", Some(bans.to_string())),
            ("other domains", if_any(skipped.foreign, "skipped")),
            ("role addresses", if_any(skipped.reserved, "skipped")),
        ];
        writeln!(f, "{}", facts(lines))?;
        write_list(
            f,
            "Addresses with another owner in the old table; they keep the owner in this table",
            &report.other_owner,
        )?;
        write_list(
            f,
            "Members whose ban was lifted in the old table, but not in this one (membermail member unban)",
            &report.still_banned,
        )?;
        write_list(f, "Members whose personal data was erased and is in this table again", &report.not_erased)
    }
}

fn if_any(count: u64, what: &str) -> Option<String> {
    (count > 0).then(|| format!("{count} {what}"))
}

/// A list that needs an operator's decision.
fn write_list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, head: &str, items: &[T]) -> fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{head}:\n")?;
    items.iter().try_for_each(|item| writeln!(f, "  {item}"))
}

/// `restore assign`
#[derive(Debug, Serialize)]
pub(super) struct AssignView {
    alias: AliasView,
    source_name: Option<PersonName>,
}

impl AssignView {
    pub(super) fn new(alias: Alias, member: &Member) -> Self {
        Self { alias: alias.into(), source_name: member.name().cloned() }
    }
}

impl fmt::Display for AssignView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { alias, source_name } = self;
        let name = source_name.as_ref().map_or_else(|| "the member".to_owned(), ToString::to_string);
        writeln!(f, "{} now belongs to {name}. It forwards after the member's next check.", alias.address)
    }
}

#[cfg(test)]
mod tests {
    use membermail_core::alias::{Reason, Status};

    use super::*;
    use crate::member::test_member;
    use crate::views::tests::alias;

    #[test]
    fn import_views() {
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
        let table = "membermail-restored".to_owned();
        let skipped = Skipped { foreign: 3, reserved: 1 };
        let done = ImportView { table: table.clone(), is_done: true, report: full, skipped };
        let dry_run =
            ImportView { table, is_done: false, report: ImportReport::default(), skipped: Skipped::default() };
        let assigned = AssignView::new(alias("alice@ubuntu.com", Status::Retired, Reason::Unassigned), &member);
        insta::assert_snapshot!(format!("{dry_run}---\n{done}---\n{assigned}"));
    }
}
