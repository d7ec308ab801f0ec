//! Whether a delayed notice is still relevant: not too old, and not superseded by a later change.

use jiff::{SignedDuration, Timestamp};

use crate::address::Address;
use crate::alias::{Alias, Status};
use crate::audit::{Change, DomainChange, Entry};
use crate::clock::later;
use crate::destination::{Destination, DestinationId, Pending, UNDO_PERIOD};
use crate::domain_proof::Proof;
use crate::notice::{AdminNews, MemberNews, for_admins, for_member, held_run};
use crate::retirement::Retirement;

/// Maximum age of a change whose notice is still sent.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Whether a change is too old for a notice.
pub fn is_expired(at: Timestamp, now: Timestamp) -> bool {
    later(at, LIFETIME) < now
}

/// Whether all notices of a change are dropped because of its age. A held run waits for a decision, so its notice is sent at
/// any age.
pub fn is_outdated(entry: &Entry, now: Timestamp) -> bool {
    held_run(entry).is_none() && is_expired(entry.at, now)
}

/// Whether the notice to the member is still relevant, given the current alias. A later change that reverted it has its own
/// notice.
pub fn concerns_member(entry: &Entry, current: Option<&Alias>) -> bool {
    let Some((_, _, news)) = for_member(entry) else { return false };
    let Some(current) = changed_since(entry, current) else { return true };
    match news {
        // No other notice says that the member has the address.
        MemberNews::Created | MemberNews::Renamed { .. } | MemberNews::Returned => current.status == Status::Active,
        // A later change has another date or another reason.
        MemberNews::Leaving { .. } | MemberNews::Restored => false,
        // The member restored it, or can no longer do that.
        MemberNews::Deleted { .. } => false,
        // Retirement has no notice.
        MemberNews::Suspended { .. } => current.status == Status::Retired,
    }
}

/// Whether the notice to the admins is still relevant, given the current alias.
pub fn concerns_admins(entry: &Entry, current: Option<&Alias>) -> bool {
    let Some((_, news)) = for_admins(entry) else { return false };
    let Some(current) = changed_since(entry, current) else { return true };
    match news {
        AdminNews::Created | AdminNews::Restored => current.status.forwards(),
        AdminNews::Removed(_) | AdminNews::Loop => !current.status.forwards(),
    }
}

/// Whether a change of a domain still matches its current proof and retirement.
pub fn concerns_domain(did: DomainChange, at: Timestamp, current: &Proof, retirement: Option<&Retirement>) -> bool {
    let is_retiring = retirement.is_some_and(|retirement| retirement.cancelled.is_none());
    match did {
        DomainChange::Verified | DomainChange::Restored => {
            matches!(current, Proof::Operator { .. } | Proof::Verified { .. })
        }
        // The record may be missing again, with a later end.
        DomainChange::RecordGone => matches!(current, Proof::Lapsing { gone_since, .. } if *gone_since <= at),
        DomainChange::Lapsed => matches!(current, Proof::Lapsed { .. }),
        DomainChange::Unverified => matches!(current, Proof::Pending),
        DomainChange::Unlisted => retirement.is_none(),
        DomainChange::Retiring => is_retiring,
        DomainChange::RetirementCancelled => !is_retiring,
    }
}

/// The former address for the notice of a rename: of the member's other addresses in the domain that still forward, the one
/// that changed last.
pub fn former_address<'a>(entry: &Entry, aliases: impl IntoIterator<Item = &'a Alias>) -> Option<&'a Address> {
    let Change::Alias { address: new, .. } = &entry.change else { return None };
    let former = aliases.into_iter().filter(|alias| {
        let is_created_later = alias.version == 1 && alias.since > entry.at;
        alias.address.domain == new.domain && alias.address != *new && alias.status.forwards() && !is_created_later
    });
    former.max_by_key(|alias| (alias.since, &alias.address)).map(|alias| &alias.address)
}

/// The confirmation that an entry requested, if its code can still be entered: no later request, no confirmation, no removal
/// and no end of the sessions came between. `epoch` is the member's session epoch.
pub fn open_request<'a>(
    entry: &Entry,
    destination: &'a Destination,
    epoch: u64,
    now: Timestamp,
) -> Option<&'a Pending> {
    let is_waiting = destination.confirmed.is_none() && destination.removed.is_none();
    let pending = destination.pending.as_ref().filter(|_| is_waiting)?;
    (pending.requested_at == entry.at && pending.is_open(epoch, now)).then_some(pending)
}

/// Whether a destination hears of changes: mail goes there, or the member removed it so recently that this can be reverted.
pub fn hears_of_changes(destination: &Destination, now: Timestamp) -> bool {
    let is_kept = destination.removed.is_none_or(|removed| now < later(removed, UNDO_PERIOD));
    destination.confirmed.is_some() && is_kept
}

/// The destinations whose owners can revert a change: those that were confirmed so long ago that this cannot be reverted any
/// more, or else the one that was confirmed first. A person who adds a mailbox to another's account must not be able
/// to revert what its owner does about it.
pub fn can_revert<'a>(
    destinations: impl IntoIterator<Item = &'a Destination>,
    changed: Timestamp,
) -> Vec<DestinationId> {
    let confirmed = |known: &Destination| known.confirmed.map(|confirmation| (confirmation.at, known.id));
    let mut by_age: Vec<_> = destinations.into_iter().filter_map(confirmed).collect();
    by_age.sort_unstable();
    let is_established = |(at, _): &&(Timestamp, DestinationId)| later(*at, UNDO_PERIOD) <= changed;
    let established = by_age.iter().filter(is_established).count();
    by_age.truncate(established.max(1));
    by_age.into_iter().map(|(_, id)| id).collect()
}

/// The alias, if it changed after the entry.
fn changed_since<'a>(entry: &Entry, current: Option<&'a Alias>) -> Option<&'a Alias> {
    current.filter(|alias| alias.since > entry.at)
}

#[cfg(test)]
#[path = "relevance_tests.rs"]
mod tests;
