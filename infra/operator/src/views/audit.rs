//! Audit entries as a table.

use membermail_core::audit::{Actor, Change, DomainChange, Entry, LinkChange};

use crate::output::{table, time, word};

/// A table with one entry per row.
pub(crate) fn entry_table(entries: &[Entry]) -> String {
    if entries.is_empty() {
        return "no entries".to_owned();
    }
    let rows = entries.iter().map(|entry| {
        let [subject, change, reason] = in_words(&entry.change);
        [time(entry.at), subject, change, reason, actor(entry), entry.request_id.clone()]
    });
    table(["time", "subject", "change", "reason", "by", "request"], rows)
}

/// Subject, change and reason.
fn in_words(change: &Change) -> [String; 3] {
    match change {
        Change::Alias { address, before, after, reason, until, renamed_from, .. } => {
            let before = before.map_or("new", Into::into);
            let mut reason = reason.in_words().to_owned();
            if let Some(until) = until {
                reason.push_str(&format!(", mail ends {}", until.strftime("%Y-%m-%d")));
            }
            if let Some(from) = renamed_from {
                reason.push_str(&format!(", renamed from {}", from.local_part));
            }
            [address.to_string(), format!("{before} → {after}"), reason]
        }
        Change::Switch { address, did, .. } => [address.to_string(), word(did), String::new()],
        Change::Destination { member, destination, did } => {
            [format!("member {member}"), format!("destination {destination} {}", word(did)), String::new()]
        }
        Change::Member { member, did } => [format!("member {member}"), word(did), String::new()],
        Change::Link { member, other, did } => {
            let preposition = if *did == LinkChange::Linked { "to" } else { "from" };
            [format!("member {other}"), format!("{} {preposition} {member}", word(did)), String::new()]
        }
        Change::Identity { member, issuer, did } => {
            [format!("member {member}"), format!("account at {issuer} {}", word(did)), String::new()]
        }
        Change::Limit { member, domain, limit } => {
            let limit = limit.map_or_else(|| "default".to_owned(), |limit| limit.to_string());
            [format!("member {member}"), format!("address limit at {domain}: {limit}"), String::new()]
        }
        Change::Admin { member, domain, did, permissions } => {
            let may = permissions.map(|permissions| format!("may {permissions}")).unwrap_or_default();
            [format!("member {member}"), format!("admin of {domain} {}", word(did)), may]
        }
        Change::Name { domain, name, did } => [format!("name {name} at {domain}"), word(did), String::new()],
        Change::Domain { domain, did, until } => {
            let effect = if *did == DomainChange::Retiring { "addresses end" } else { "no new addresses after" };
            let reason = until.map(|until| format!("{effect} {}", until.strftime("%Y-%m-%d")));
            [format!("domain {domain}"), word(did), reason.unwrap_or_default()]
        }
        Change::Run { domain, run, did } => [format!("run {run} of {domain}"), word(did), String::new()],
    }
}

fn actor(entry: &Entry) -> String {
    match (entry.actor, &entry.by) {
        (Actor::Operator, Some(name)) => format!("operator {name}"),
        (Actor::Sync, Some(run)) => format!("sync {run}"),
        (Actor::Admin, Some(member)) => format!("admin {member}"),
        (actor, _) => word(&actor),
    }
}
