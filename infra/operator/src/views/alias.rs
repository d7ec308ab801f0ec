//! Aliases without their destinations.

use std::fmt;

use jiff::Timestamp;
use membermail_core::address::Address;
use membermail_core::alias::{Alias, Reason, Status};
use membermail_core::member::{MemberId, PersonName};
use serde::Serialize;

use crate::output::{facts, table, time};

/// An alias without its destination.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AliasView {
    pub(crate) address: Address,
    status: Status,
    reason: Reason,
    since: Timestamp,
    until: Option<Timestamp>,
    member: MemberId,
    /// The name that a sync looks for in the roster of the team.
    known_as: PersonName,
    /// When that name was observed.
    known_at: Timestamp,
    version: u64,
}

impl From<Alias> for AliasView {
    fn from(alias: Alias) -> Self {
        let Alias { address, member, known_as, status, reason, since, until, version, erase_pending: _ } = alias;
        Self {
            address,
            status,
            reason,
            since,
            until,
            member,
            known_as: known_as.name,
            known_at: known_as.observed_at,
            version,
        }
    }
}

/// A table with one alias per row.
pub(crate) fn alias_table(aliases: &[AliasView]) -> String {
    let rows = aliases.iter().map(|alias| {
        [
            alias.address.to_string(),
            alias.status.to_string(),
            alias.reason.in_words().to_owned(),
            time(alias.since),
            alias.until.map(time).unwrap_or_default(),
        ]
    });
    table(["address", "status", "reason", "since", "mail ends"], rows)
}

/// `alias show`
#[derive(Debug, Serialize)]
pub(crate) struct AliasDetails {
    #[serde(flatten)]
    pub(crate) alias: AliasView,
    /// The member that the owner was linked to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) linked_to: Option<MemberId>,
    /// The member's name at the membership source, as of the last look-up.
    pub(crate) source_name: Option<PersonName>,
}

impl fmt::Display for AliasDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AliasView { address, status, reason, since, until, member, known_as, known_at, version } = &self.alias;
        let name =
            self.source_name.as_ref().map(|name| format!(", {name} at the membership source")).unwrap_or_default();
        let mail = if status.forwards() { "forwarded" } else { "rejected" };
        let lines = [
            ("address", Some(address.to_string())),
            ("status", Some(format!("{status}: {}", reason.in_words()))),
            ("since", Some(time(*since))),
            ("mail", Some(until.map_or_else(|| mail.to_owned(), |until| format!("{mail} until {}", time(until))))),
            ("member", Some(format!("{member}{name}"))),
            ("linked to", self.linked_to.map(|survivor| survivor.to_string())),
            ("known as", Some(format!("{known_as}, seen {}", time(*known_at)))),
            ("changes", Some(version.to_string())),
        ];
        writeln!(f, "{}", facts(lines))
    }
}
