//! Whether a notice that could not be sent at once is still worth sending: it must not be too old, and no later change may
//! have made it wrong.

use jiff::{SignedDuration, Timestamp};

use crate::address::Address;
use crate::alias::{Alias, Status};
use crate::audit::{Change, DomainChange, Entry};
use crate::clock::later;
use crate::domain_proof::Proof;
use crate::notice::{AdminNews, MemberNews, for_admins, for_member, held_run};
use crate::retirement::Retirement;

/// After an outage, notices of changes that are older than this are dropped.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Whether a notice of a change at that time is too old to be sent.
pub fn is_expired(at: Timestamp, now: Timestamp) -> bool {
    later(at, LIFETIME) < now
}

/// Whether nothing of a change is told any more. A sync that is held waits until an admin decides on it, so that it is told
/// however late.
pub fn is_outdated(entry: &Entry, now: Timestamp) -> bool {
    held_run(entry).is_none() && is_expired(entry.at, now)
}

/// Whether the member still has to hear of a change, given the alias as it is now. A change that a later one took back is
/// not told; the later one has a notice of its own.
pub fn concerns_member(entry: &Entry, current: Option<&Alias>) -> bool {
    let Some((_, _, news)) = for_member(entry) else { return false };
    let Some(current) = changed_since(entry, current) else { return true };
    match news {
        // Nothing else tells the member that they have the address.
        MemberNews::Created | MemberNews::Renamed { .. } | MemberNews::Returned => current.status == Status::Active,
        // A later end has a date of its own, and a later suspension a reason of its own.
        MemberNews::Leaving { .. } | MemberNews::Restored => false,
        // Retirement has no notice.
        MemberNews::Suspended { .. } => current.status == Status::Retired,
    }
}

/// Whether the admins of the domain still have to hear of a change, given the alias as it is now.
pub fn concerns_admins(entry: &Entry, current: Option<&Alias>) -> bool {
    let Some((_, news)) = for_admins(entry) else { return false };
    let Some(current) = changed_since(entry, current) else { return true };
    match news {
        AdminNews::Created | AdminNews::Restored => current.status.forwards(),
        AdminNews::Removed(_) | AdminNews::Loop => !current.status.forwards(),
    }
}

/// Whether a change of a domain still describes its proof and the decision to retire it, as they are now.
pub fn concerns_domain(did: DomainChange, at: Timestamp, current: &Proof, retirement: Option<&Retirement>) -> bool {
    let is_retiring = retirement.is_some_and(|retirement| retirement.cancelled.is_none());
    match did {
        DomainChange::Verified | DomainChange::Restored => {
            matches!(current, Proof::Operator { .. } | Proof::Verified { .. })
        }
        // The record may be gone once more, with a later end.
        DomainChange::RecordGone => matches!(current, Proof::Lapsing { gone_since, .. } if *gone_since <= at),
        DomainChange::Lapsed => matches!(current, Proof::Lapsed { .. }),
        DomainChange::Unverified => matches!(current, Proof::Pending),
        DomainChange::Unlisted => retirement.is_none(),
        DomainChange::Retiring => is_retiring,
        DomainChange::RetirementCancelled => !is_retiring,
    }
}

/// The former address that the notice of a new one mentions: of the member's addresses in the domain that still forward,
/// the one that changed last.
pub fn former_address<'a>(entry: &Entry, aliases: impl IntoIterator<Item = &'a Alias>) -> Option<&'a Address> {
    let Change::Alias { address: new, .. } = &entry.change else { return None };
    let is_former = |alias: &&Alias| {
        let is_created_later = alias.version == 1 && alias.since > entry.at;
        alias.address.domain == new.domain && alias.address != *new && alias.status.forwards() && !is_created_later
    };
    let former = aliases.into_iter().filter(is_former).max_by_key(|alias| (alias.since, &alias.address));
    former.map(|alias| &alias.address)
}

/// The alias, if it changed after the change of the entry.
fn changed_since<'a>(entry: &Entry, current: Option<&'a Alias>) -> Option<&'a Alias> {
    current.filter(|alias| alias.since > entry.at)
}

#[cfg(test)]
#[path = "relevance_tests.rs"]
mod tests;
