//! The history of members, for the pages of a member and of an address.

use membermail_core::audit::{Actor, Entry};
use membermail_core::member::MemberId;
use membermail_pages::admin::audit::AuditRow;
use membermail_pages::admin::member_history::history_row;

use crate::access::Admin;
use crate::audit;
use crate::error::Error;

/// Entries of each member that are read.
const READ: i32 = 200;
/// Entries that a page shows at most.
const SHOWN: usize = 100;

/// The latest entries of these members that are `wanted`, newest first.
pub(crate) async fn load(
    admin: &Admin<'_>,
    members: &[MemberId],
    wanted: impl Fn(&Entry) -> bool,
) -> Result<Vec<AuditRow>, Error> {
    let mut entries = Vec::new();
    for member in members {
        entries.extend(admin.visit.context.store.history_of(*member, READ).await?);
    }
    entries.retain(wanted);
    entries.sort_by_key(|entry| std::cmp::Reverse((entry.at, entry.id)));
    entries.truncate(SHOWN);
    let names = audit::names(admin, &entries).await?;
    let row = |entry: &Entry| {
        let by = entry.by.as_deref().filter(|_| matches!(entry.actor, Actor::Operator | Actor::Admin));
        let by = by.map(|by| MemberId::parse(by).ok().and_then(|id| names.get(&id)).map_or(by, String::as_str));
        history_row(entry, by, admin.visit.site.wording)
    };
    Ok(entries.iter().filter_map(row).collect())
}
