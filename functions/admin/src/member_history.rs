//! The history of members, for the pages of a member and of an address.

use membermail_core::audit::Entry;
use membermail_core::member::MemberId;
use membermail_pages::admin::audit::AuditRow;
use membermail_pages::admin::member_history::history_row;

use crate::access::Admin;
use crate::error::Error;
use crate::people::Names;

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
    let names = Names::of(&admin.visit.context.store, &entries).await?;
    let wording = admin.visit.site.wording;
    Ok(entries.iter().filter_map(|entry| history_row(entry, names.by(entry), wording)).collect())
}
