//! Who is told what of a change: the member, the admins of the domain; and when operators hear of an error again.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::address::{Address, DomainName};
use crate::alias::{Reason, Status};
use crate::audit::{Change, DomainChange, Entry, LinkChange, RunChange};
use crate::clock::later;
use crate::member::MemberId;

/// What a notice is known by, so that a repeat reaches nobody twice: made of what it tells and to whom, never drawn.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NoticeId(String);

impl NoticeId {
    /// Of a change, to its member.
    pub fn to_member(entry: Ulid) -> Self {
        Self(format!("{entry}.member"))
    }

    /// Of a change, to the other address of a member whose destination refuses mail.
    pub fn to_sign_in_address(entry: Ulid) -> Self {
        Self(format!("{entry}.sign-in"))
    }

    /// Of a change or a digest, to an admin.
    pub fn to_admin(entry: Ulid, admin: MemberId) -> Self {
        Self(format!("{entry}.admin.{admin}"))
    }

    /// Of two sign-ins that were linked, to one of them.
    pub fn of_link(entry: Ulid, member: MemberId) -> Self {
        Self(format!("{entry}.link.{member}"))
    }

    /// Of a change or a digest, to the operators in place of admins.
    pub fn to_operators(entry: Ulid) -> Self {
        Self(format!("{entry}.operators"))
    }

    /// That a destination refuses mail, once a day (`YYYY-MM-DD`, in UTC).
    pub fn of_destination(member: MemberId, domain: &DomainName, now: Timestamp) -> Self {
        Self(format!("destination.{}.{member}.{domain}", now.strftime("%Y-%m-%d")))
    }

    /// Of a failure.
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

/// What a member is told of an address of theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberNews {
    /// It is theirs and forwards.
    Created,
    /// Launchpad calls them otherwise now: it is theirs and forwards.
    Renamed {
        /// The former address, if it still forwards.
        from: Option<Address>,
    },
    /// It ends.
    Leaving {
        /// Why.
        reason: Reason,
        /// When.
        until: Timestamp,
    },
    /// It forwards again, or will go on to.
    Restored,
    /// It was retired, and the member has it back: it forwards to where they sign in now.
    Returned,
    /// Mail to it is refused.
    Suspended {
        /// Why.
        reason: Reason,
    },
}

/// What a change means to the member whose alias it is; nothing, where it is about none or tells them nothing.
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
        // Nothing was said to end, or to have ended.
        (Some(Status::Active), Status::Active) => return None,
        (Some(Status::Leaving | Status::Suspended), Status::Active) => MemberNews::Restored,
        (_, Status::Leaving) => MemberNews::Leaving { reason: *reason, until: until.unwrap_or(entry.at) },
        (_, Status::Suspended) => MemberNews::Suspended { reason: *reason },
        // They were told when mail ended, and there is no address left to write to.
        (_, Status::Retired) => return None,
    };
    Some((*member, address, news))
}

/// What the admins of a domain are told of an address there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminNews {
    /// It is new.
    Created,
    /// It was gone and is back.
    Restored,
    /// Mail to it is refused.
    Removed(Reason),
    /// It would forward in a circle, so mail to it is refused.
    Loop,
}

/// What a change means to the admins of its domain; nothing, where they have nothing to learn of it.
pub fn for_admins(entry: &Entry) -> Option<(&Address, AdminNews)> {
    let Change::Alias { address, before, after, reason, .. } = &entry.change else { return None };
    admin_news(*before, *after, *reason).map(|news| (address, news))
}

/// What it means to the admins that an address went from one status to another.
pub(crate) fn admin_news(before: Option<Status>, after: Status, reason: Reason) -> Option<AdminNews> {
    match (before, after) {
        (_, Status::Suspended) if reason == Reason::Loop => Some(AdminNews::Loop),
        // It was off before; why it is off now is the member's business.
        (Some(Status::Suspended | Status::Retired), Status::Suspended) => None,
        (_, Status::Suspended) => Some(AdminNews::Removed(reason)),
        (None, Status::Active) => Some(AdminNews::Created),
        (Some(Status::Suspended | Status::Retired), Status::Active) => Some(AdminNews::Restored),
        // Mail flows as before: nothing of it shows outside.
        (Some(Status::Leaving | Status::Active), Status::Active) | (_, Status::Leaving | Status::Retired) => None,
    }
}

/// The run that the admins of its domain hear of, and whether it is one whose release was lost and sent again; otherwise it
/// waits for a decision.
pub fn held_run(entry: &Entry) -> Option<(&DomainName, Ulid, bool)> {
    match &entry.change {
        Change::Run { domain, run, did: RunChange::Held } => Some((domain, *run, false)),
        Change::Run { domain, run, did: RunChange::Resent } => Some((domain, *run, true)),
        _ => None,
    }
}

/// The two members that are one from now on, the one that stays first; both sign-in addresses are told.
pub fn linked_members(entry: &Entry) -> Option<(MemberId, MemberId)> {
    match &entry.change {
        Change::Link { member, other, did: LinkChange::Linked } => Some((*member, *other)),
        _ => None,
    }
}

/// What became of a domain's proof, and until when it goes on without; the admins of the domain are told all of it.
pub fn domain_change(entry: &Entry) -> Option<(&DomainName, DomainChange, Option<Timestamp>)> {
    match &entry.change {
        Change::Domain { domain, did, until } => Some((domain, *did, *until)),
        _ => None,
    }
}

/// Reports of the same error of the same member, as the table has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeats {
    /// How many were not mailed since the last mail.
    pub counted: u64,
    /// Until when more of them are only counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_until: Option<Timestamp>,
    /// Until when somebody is at mailing one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailing_until: Option<Timestamp>,
    /// The last reports that were mailed or counted.
    #[serde(default)]
    pub seen: Vec<String>,
    /// Counts the changes.
    pub version: u64,
}

/// What is to be done with a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It is to be mailed, with how many others were not.
    Mail {
        /// So many.
        counted: u64,
    },
    /// One like it was mailed a short while ago: it is counted.
    Counted,
    /// It was mailed or counted before.
    Known,
    /// Another report of the same is being mailed just now: try again.
    Busy,
}

impl Repeats {
    /// Reports that are remembered, so that a repeat of one counts for nothing.
    const REMEMBERED: usize = 20;

    /// Another report. Without `can_mail` it is counted whatever the time. A mail that is not said to be sent
    /// ([`mailed`](Self::mailed)) or given up within `lease` may be tried by another.
    pub fn hear(&self, report: &str, can_mail: bool, now: Timestamp, lease: SignedDuration) -> (Self, Heard) {
        let mut next = Self { version: self.version + 1, ..self.clone() };
        if self.seen.iter().any(|seen| seen == report) {
            return (next, Heard::Known);
        }
        if self.mailing_until.is_some_and(|until| until > now) {
            return (next, Heard::Busy);
        }
        if !can_mail || self.quiet_until.is_some_and(|until| until > now) {
            next.counted += 1;
            next.remember(report);
            return (next, Heard::Counted);
        }
        next.mailing_until = Some(later(now, lease));
        (next, Heard::Mail { counted: self.counted })
    }

    /// The mail server took it: quiet from now on for so long. What was counted meanwhile is told the next time.
    pub fn mailed(&self, report: &str, counted: u64, now: Timestamp, interval: SignedDuration) -> Self {
        let mut next = self.given_up();
        next.counted = self.counted.saturating_sub(counted);
        next.quiet_until = Some(later(now, interval));
        next.remember(report);
        next
    }

    /// The mail did not go: another try may be made at once.
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
