//! Which notices a change causes for the member and the admins of the domain, and how often operators get reports of the
//! same error.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::address::{Address, DomainName};
use crate::admin::Permissions;
use crate::alias::{Reason, Status};
use crate::audit::{
    AdminChange, Change, DestinationChange, DomainChange, Entry, IdentityChange, LinkChange, RunChange, SwitchChange,
};
use crate::clock::later;
use crate::destination::DestinationId;
use crate::member::MemberId;

/// Minimum time between two notices about the same failing destination: a week, less what the second one's message may be
/// early.
pub const FAILING_INTERVAL: SignedDuration = SignedDuration::from_hours(7 * 24 - 1);

/// The idempotency key of a notice, derived from its subject and recipient.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NoticeId(String);

impl NoticeId {
    /// A change, to its member.
    pub fn to_member(entry: Ulid) -> Self {
        Self(format!("{entry}.member"))
    }

    /// A change, to the sign-in address of a member whose destination rejects mail.
    pub fn to_sign_in_address(entry: Ulid) -> Self {
        Self(format!("{entry}.sign-in"))
    }

    /// A change or a digest, to an admin.
    pub fn to_admin(entry: Ulid, admin: MemberId) -> Self {
        Self(format!("{entry}.admin.{admin}"))
    }

    /// A link of two members, to one of them.
    pub fn of_link(entry: Ulid, member: MemberId) -> Self {
        Self(format!("{entry}.link.{member}"))
    }

    /// A change or a digest, to the operators of a domain without admins.
    pub fn to_operators(entry: Ulid) -> Self {
        Self(format!("{entry}.operators"))
    }

    /// A destination rejects mail: one key per day (`YYYY-MM-DD`, in UTC). The caller checks the day before as well, since
    /// two notices around midnight have different keys.
    pub fn of_destination(member: MemberId, domain: &DomainName, at: Timestamp) -> Self {
        Self(format!("destination.{}.{member}.{domain}", at.strftime("%Y-%m-%d")))
    }

    /// A requested confirmation, to the new destination.
    pub fn of_code(entry: Ulid) -> Self {
        Self(format!("{entry}.code"))
    }

    /// A change of a member's destinations, to one of the others.
    pub fn to_destination(entry: Ulid, destination: DestinationId) -> Self {
        Self(format!("{entry}.destination.{destination}"))
    }

    /// A destination is failing, to another destination or (`None`) the sign-in address: one key per
    /// [`FAILING_INTERVAL`]. The caller checks the interval before as well, since two notices around the end of one have
    /// different keys.
    pub fn of_failing(destination: DestinationId, to: Option<DestinationId>, at: Timestamp) -> Self {
        let week = at.as_second().div_euclid(FAILING_INTERVAL.as_secs());
        match to {
            Some(to) => Self(format!("failing.{destination}.{week}.{to}")),
            None => Self(format!("failing.{destination}.{week}.sign-in")),
        }
    }

    /// A test message that the member requested.
    pub fn of_test(id: Ulid) -> Self {
        Self(format!("test.{id}"))
    }

    /// A report of a failure.
    pub fn of_failure(id: &str) -> Self {
        Self(format!("failure.{id}"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NoticeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// News for a member about one of their addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberNews {
    /// The address was granted and forwards.
    Created,
    /// The address was granted because the member's name at Launchpad changed.
    Renamed {
        /// The former address, if it still forwards.
        from: Option<Address>,
    },
    /// The grace period began.
    Leaving {
        /// The reason.
        reason: Reason,
        /// The end of the grace period.
        until: Timestamp,
    },
    /// The address forwards again, or keeps forwarding.
    Restored,
    /// The member got a retired address back: it forwards to their current sign-in address.
    Returned,
    /// Mail to the address is rejected.
    Suspended {
        /// The reason.
        reason: Reason,
    },
    /// The member deleted the address.
    Deleted {
        /// Until when they can restore it.
        until: Timestamp,
    },
}

/// The news of a change for the member who owns the alias, if any.
pub fn for_member(entry: &Entry) -> Option<(MemberId, &Address, MemberNews)> {
    let Change::Alias { member, address, before, after, reason, until, renamed_from } = &entry.change else {
        return None;
    };
    let news = match (before, after) {
        (None, Status::Active) => match renamed_from {
            Some(from) => MemberNews::Renamed { from: Some(from.clone()) },
            None => MemberNews::Created,
        },
        (Some(Status::Retired), Status::Active) => MemberNews::Returned,
        // The member was not notified of an end.
        (Some(Status::Active), Status::Active) => return None,
        (Some(Status::Leaving | Status::Suspended), Status::Active) => MemberNews::Restored,
        (_, Status::Leaving) => MemberNews::Leaving { reason: *reason, until: until.unwrap_or(entry.at) },
        // The member restored it, and the check that follows has its own notice.
        (_, Status::Suspended) if *reason == Reason::Returning => return None,
        (_, Status::Suspended) if *reason == Reason::Deleted => {
            MemberNews::Deleted { until: until.unwrap_or(entry.at) }
        }
        (_, Status::Suspended) => MemberNews::Suspended { reason: *reason },
        // The member was notified of the suspension, and their destination is erased.
        (_, Status::Retired) => return None,
    };
    Some((*member, address, news))
}

/// News for the admins of a domain about an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminNews {
    /// The address is new.
    Created,
    /// The address forwards again.
    Restored,
    /// Mail to the address is rejected.
    Removed(Reason),
    /// Mail to the address is rejected because it would loop.
    Loop,
}

/// The news of a change for the admins of its domain, if any.
pub fn for_admins(entry: &Entry) -> Option<(&Address, AdminNews)> {
    let Change::Alias { address, before, after, reason, .. } = &entry.change else { return None };
    admin_news(*before, *after, *reason).map(|news| (address, news))
}

/// The news for admins of a change from one status to another.
pub(crate) fn admin_news(before: Option<Status>, after: Status, reason: Reason) -> Option<AdminNews> {
    match (before, after) {
        (_, Status::Suspended) if reason == Reason::Loop => Some(AdminNews::Loop),
        // Mail was rejected before too; only the reason changed.
        (Some(Status::Suspended | Status::Retired), Status::Suspended) => None,
        (_, Status::Suspended) => Some(AdminNews::Removed(reason)),
        (None, Status::Active) => Some(AdminNews::Created),
        (Some(Status::Suspended | Status::Retired), Status::Active) => Some(AdminNews::Restored),
        // Mail is forwarded as before.
        (Some(Status::Leaving | Status::Active), Status::Active) | (_, Status::Leaving | Status::Retired) => None,
    }
}

/// The run of a notice to the admins: a held run, or (`true`) one whose lost release was sent again.
pub fn held_run(entry: &Entry) -> Option<(&DomainName, Ulid, bool)> {
    match &entry.change {
        Change::Run { domain, run, did: RunChange::Held } => Some((domain, *run, false)),
        Change::Run { domain, run, did: RunChange::Resent } => Some((domain, *run, true)),
        _ => None,
    }
}

/// The two members of a new link, the survivor first. Both sign-in addresses get a notice.
pub fn linked_members(entry: &Entry) -> Option<(MemberId, MemberId)> {
    match &entry.change {
        Change::Link { member, other, did: LinkChange::Linked } => Some((*member, *other)),
        _ => None,
    }
}

/// News for a member about what they may do as an admin of a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleNews {
    /// They are an admin now.
    Appointed(Permissions),
    /// They have other permissions.
    Changed(Permissions),
    /// They are no admin any more.
    Removed,
}

/// The domain and the member of a changed role. The member may be linked to another one since.
pub fn role_change(entry: &Entry) -> Option<(&DomainName, MemberId)> {
    match &entry.change {
        Change::Admin { domain, member, .. } => Some((domain, *member)),
        _ => None,
    }
}

/// The news of a changed role, given what the member may do now: none if a later change supersedes it, which has its own news.
pub fn role_news(entry: &Entry, bound: Option<Permissions>) -> Option<RoleNews> {
    let Change::Admin { did, permissions, .. } = &entry.change else { return None };
    match (did, bound) {
        (AdminChange::Added, Some(bound)) if *permissions == Some(bound) => Some(RoleNews::Appointed(bound)),
        (AdminChange::Changed, Some(bound)) if *permissions == Some(bound) => Some(RoleNews::Changed(bound)),
        (AdminChange::Removed, None) => Some(RoleNews::Removed),
        (AdminChange::Added | AdminChange::Changed | AdminChange::Removed, _) => None,
    }
}

/// News about the destinations of a member, for the destinations themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DestinationNews {
    /// A confirmation was requested: the destination gets the code, and the others hear of it.
    Requested(DestinationId),
    /// It was confirmed, so that mail can go there.
    Confirmed(DestinationId),
    /// It was removed.
    Removed(DestinationId),
    /// This address forwards to others.
    Redirected(Address),
    /// The owner of an old destination reverted a change.
    Reverted,
    /// The member got or lost an account of this issuer. Every destination hears of it, because the account can sign in.
    Identity(IdentityChange, String),
}

/// The member and the news of a change for their destinations, if any.
pub fn for_destinations(entry: &Entry) -> Option<(MemberId, DestinationNews)> {
    let (member, news) = match &entry.change {
        Change::Destination { member, destination, did } => {
            let news = match did {
                DestinationChange::Requested => DestinationNews::Requested(*destination),
                DestinationChange::Confirmed => DestinationNews::Confirmed(*destination),
                DestinationChange::Removed => DestinationNews::Removed(*destination),
                DestinationChange::Reverted => DestinationNews::Reverted,
            };
            (member, news)
        }
        Change::Switch { member, address, did: SwitchChange::Redirected } => {
            (member, DestinationNews::Redirected(address.clone()))
        }
        Change::Identity { member, issuer, did } => (member, DestinationNews::Identity(*did, issuer.clone())),
        _ => return None,
    };
    Some((*member, news))
}

/// The domain, its change, and the end of the grace period. The admins get a notice of every change.
pub fn domain_change(entry: &Entry) -> Option<(&DomainName, DomainChange, Option<Timestamp>)> {
    match &entry.change {
        Change::Domain { domain, did, until } => Some((domain, *did, *until)),
        _ => None,
    }
}

/// Deduplication and rate limit of reports about the same error of the same member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeats {
    /// Reports since the last mail that were not mailed.
    pub counted: u64,
    /// Further reports are only counted until this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_until: Option<Timestamp>,
    /// End of the in-flight lease of a mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailing_until: Option<Timestamp>,
    /// Ids of the last reports that were mailed or counted.
    pub seen: Vec<String>,
    /// For optimistic locking.
    pub version: u64,
}

/// The action for a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportAction {
    /// Mail the report.
    Mail {
        /// Reports that were counted since the last mail.
        counted: u64,
    },
    /// The report was counted: the rate limit applies.
    Counted,
    /// The report was mailed or counted before.
    Known,
    /// Another report of the same error is in flight: retry.
    Busy,
}

impl Repeats {
    /// Maximum remembered report ids.
    const REMEMBERED: usize = 20;

    /// Registers a report. Without `can_mail` it is only counted. A mail that is neither confirmed
    /// ([`mailed`](Self::mailed)) nor [given up](Self::given_up) within `lease` can be sent by another invocation.
    pub fn register(
        &self,
        report: &str,
        can_mail: bool,
        now: Timestamp,
        lease: SignedDuration,
    ) -> (Self, ReportAction) {
        let mut next = Self { version: self.version + 1, ..self.clone() };
        if self.seen.iter().any(|seen| seen == report) {
            return (next, ReportAction::Known);
        }
        if self.mailing_until.is_some_and(|until| until > now) {
            return (next, ReportAction::Busy);
        }
        if !can_mail || self.quiet_until.is_some_and(|until| until > now) {
            next.counted += 1;
            next.remember(report);
            return (next, ReportAction::Counted);
        }
        next.mailing_until = Some(later(now, lease));
        (next, ReportAction::Mail { counted: self.counted })
    }

    /// The mail was sent: further reports are only counted for `interval`, and the next mail has their number.
    pub fn mailed(&self, report: &str, counted: u64, now: Timestamp, interval: SignedDuration) -> Self {
        let mut next = self.given_up();
        next.counted = self.counted.saturating_sub(counted);
        next.quiet_until = Some(later(now, interval));
        next.remember(report);
        next
    }

    /// The mail was not sent: ends the lease, so that it can be retried at once.
    pub fn given_up(&self) -> Self {
        Self { mailing_until: None, version: self.version + 1, ..self.clone() }
    }

    fn remember(&mut self, report: &str) {
        self.seen.push(report.to_owned());
        let excess = self.seen.len().saturating_sub(Self::REMEMBERED);
        self.seen.drain(..excess);
    }
}

#[cfg(test)]
#[path = "notice_tests.rs"]
mod tests;
