//! When a message that was delayed has no effect any more.
//!
//! A queue keeps a message for days while it is paused or its function fails, and the clocks of two machines can differ.
//! So the function that applies a change compares the times that the message rests on with its own clock. An expired grant
//! is no loss: the next sync looks its member up again.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::address::DomainName;
use crate::clock::later;
use crate::member::ObservedName;

/// The difference between the clocks of two machines that counts as normal.
pub const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);
/// The age from which an observation grants nothing, and the time for which a sign-in keeps personal data from erasure:
/// a grant of that sign-in may still arrive.
pub const MAX_AGE: SignedDuration = SignedDuration::from_hours(24);

/// Whether a time has come by this clock, or by one that is a little ahead.
pub fn has_come(at: Timestamp, now: Timestamp) -> bool {
    at <= later(now, CLOCK_SKEW)
}

/// Whether a time lies further ahead than a normal clock could have recorded it.
pub fn is_from_future(at: Timestamp, now: Timestamp) -> bool {
    !has_come(at, now)
}

/// Whether a sign-in or a check was asked for so recently that its grants may still be on their way. A time from the future
/// counts as recent: erasure cannot be undone.
pub fn is_recent(requested_at: Timestamp, now: Timestamp) -> bool {
    later(requested_at, MAX_AGE) > now
}

/// Why a grant or a ban has no effect any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expired {
    /// The membership source was asked more than a day ago.
    TooOld,
    /// The clock of the function that asked the source was ahead.
    FromFuture,
    /// The source gave the member another name since.
    Renamed,
    /// The community has no such domain any more.
    DomainRemoved,
    /// An operator banned the member since, or lifted the ban.
    BanChanged,
}

impl Expired {
    /// The word for logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooOld => "too-old",
            Self::FromFuture => "from-future",
            Self::Renamed => "renamed",
            Self::DomainRemoved => "domain-removed",
            Self::BanChanged => "ban-changed",
        }
    }
}

/// What the community file and the table say when a change is applied.
#[derive(Clone, Copy, Debug)]
pub struct Present<'a> {
    /// The domains of the community.
    pub domains: &'a [DomainName],
    /// The last name that the source gave the member.
    pub newest: Option<&'a ObservedName>,
    /// When an operator last banned the member or lifted a ban.
    pub ban_changed_at: Option<Timestamp>,
    /// The time by the clock of the function that applies the change.
    pub now: Timestamp,
}

impl Present<'_> {
    /// Whether an address can be restored on the word of the membership source at that time.
    pub fn check_restore(&self, seen_at: Timestamp, domain: &DomainName) -> Result<(), Expired> {
        if !self.domains.contains(domain) {
            return Err(Expired::DomainRemoved);
        }
        if is_from_future(seen_at, self.now) {
            return Err(Expired::FromFuture);
        }
        if later(seen_at, MAX_AGE) < self.now {
            return Err(Expired::TooOld);
        }
        let is_newer = |at: &Timestamp| *at > seen_at && has_come(*at, self.now);
        if self.ban_changed_at.as_ref().is_some_and(is_newer) {
            return Err(Expired::BanChanged);
        }
        Ok(())
    }

    /// Whether an address can be given for this name.
    pub fn check_grant(&self, seen: &ObservedName, domain: &DomainName) -> Result<(), Expired> {
        self.check_restore(seen.observed_at, domain)?;
        let replaces = |newest: &&ObservedName| {
            newest.observed_at > seen.observed_at && has_come(newest.observed_at, self.now) && newest.name != seen.name
        };
        if self.newest.filter(replaces).is_some() { Err(Expired::Renamed) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::member::Fingerprint;

    const NOW: i64 = 1_000_000;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second((NOW + hours) * 3600).unwrap()
    }

    fn named(name: &str, hours: i64) -> ObservedName {
        ObservedName { name: name.parse().unwrap(), fingerprint: Fingerprint(1), observed_at: at(hours) }
    }

    #[rstest::rstest]
    #[case::fresh(-1, None, None, Ok(()))]
    #[case::a_day_old(-24, None, None, Ok(()))]
    #[case::older(-25, None, None, Err(Expired::TooOld))]
    #[case::a_year_ahead(8_760, None, None, Err(Expired::FromFuture))]
    #[case::same_name_again(-2, Some(("ada", -1)), None, Ok(()))]
    #[case::renamed_since(-2, Some(("ben", -1)), None, Err(Expired::Renamed))]
    #[case::renamed_before(-1, Some(("ben", -2)), None, Ok(()))]
    #[case::renamed_by_a_wrong_clock(-1, Some(("ben", 8_760)), None, Ok(()))]
    #[case::ban_changed_since(-2, None, Some(-1), Err(Expired::BanChanged))]
    #[case::ban_changed_before(-1, None, Some(-2), Ok(()))]
    #[case::ban_changed_by_a_wrong_clock(-1, None, Some(8_760), Ok(()))]
    fn grant_expires(
        #[case] seen: i64,
        #[case] newest: Option<(&str, i64)>,
        #[case] ban_changed: Option<i64>,
        #[case] expected: Result<(), Expired>,
    ) {
        let domains = ["ubuntu.com".parse().unwrap()];
        let newest = newest.map(|(name, hours)| named(name, hours));
        let present =
            Present { domains: &domains, newest: newest.as_ref(), ban_changed_at: ban_changed.map(at), now: at(0) };
        assert_eq!(present.check_grant(&named("ada", seen), &domains[0]), expected);
    }

    #[test]
    fn removed_domain_grants_nothing() {
        let domains = ["ubuntu.com".parse().unwrap()];
        let present = Present { domains: &domains, newest: None, ban_changed_at: None, now: at(0) };
        let removed = "kubuntu.org".parse().unwrap();
        assert_eq!(present.check_grant(&named("ada", -1), &removed), Err(Expired::DomainRemoved));
        assert_eq!(present.check_restore(at(-1), &removed), Err(Expired::DomainRemoved));
    }

    #[rstest::rstest]
    #[case::just_now(0, true)]
    #[case::within_a_day(-23, true)]
    #[case::a_day_ago(-24, false)]
    #[case::in_the_future(8_760, true)]
    fn sign_in_delays_erasure(#[case] hours: i64, #[case] expected: bool) {
        assert_eq!(is_recent(at(hours), at(0)), expected);
    }
}
