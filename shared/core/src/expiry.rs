//! When a delayed message expires.
//!
//! A queue keeps a message for days while it is paused or its function fails, and clocks differ. So the function that
//! applies a change compares the times in the message with its own clock. After an expired grant the next sync looks the
//! member up again.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use strum::Display;

use crate::address::DomainName;
use crate::clock::later;
use crate::member::ObservedName;

/// Tolerated difference between the clocks of two machines.
pub const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);
/// Maximum age of an observation for a grant, and the time for which a sign-in postpones the erasure of personal data: a
/// grant of that sign-in may still arrive.
pub const MAX_AGE: SignedDuration = SignedDuration::from_hours(24);

/// Whether a time has passed, with [`CLOCK_SKEW`] as tolerance.
pub fn has_come(at: Timestamp, now: Timestamp) -> bool {
    at <= later(now, CLOCK_SKEW)
}

/// Whether a time is in the future by more than [`CLOCK_SKEW`].
pub fn is_from_future(at: Timestamp, now: Timestamp) -> bool {
    !has_come(at, now)
}

/// Whether a sign-in or a check is so recent that its grants may still be in flight. A time in the future counts as recent,
/// because erasure cannot be undone.
pub fn is_recent(requested_at: Timestamp, now: Timestamp) -> bool {
    later(requested_at, MAX_AGE) > now
}

/// Why a message expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Display)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Expired {
    /// The observation is older than [`MAX_AGE`].
    TooOld,
    /// The observation is in the future.
    FromFuture,
    /// The member was renamed since.
    Renamed,
    /// The domain is no longer in the community file.
    DomainRemoved,
    /// An operator banned the member since, or lifted the ban.
    BanChanged,
}

/// The state at the time when a change is applied.
#[derive(Clone, Copy, Debug)]
pub struct Present<'a> {
    /// The domains of the community.
    pub domains: &'a [DomainName],
    /// The newest observed name of the member.
    pub newest: Option<&'a ObservedName>,
    /// When an operator last banned the member or lifted a ban.
    pub ban_changed_at: Option<Timestamp>,
    /// The clock of the function that applies the change.
    pub now: Timestamp,
}

impl Present<'_> {
    /// Checks whether an observation of this time can restore an address.
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
        if self.ban_changed_at.is_some_and(|at| self.is_since(at, seen_at)) {
            return Err(Expired::BanChanged);
        }
        Ok(())
    }

    /// Checks whether an observed name can be granted an address.
    pub fn check_grant(&self, seen: &ObservedName, domain: &DomainName) -> Result<(), Expired> {
        self.check_restore(seen.observed_at, domain)?;
        match self.newest.filter(|newest| newest.name != seen.name) {
            Some(newest) if self.is_since(newest.observed_at, seen.observed_at) => Err(Expired::Renamed),
            _ => Ok(()),
        }
    }

    /// Whether a time is after `seen_at` and not from a clock that was ahead.
    fn is_since(&self, at: Timestamp, seen_at: Timestamp) -> bool {
        at > seen_at && has_come(at, self.now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::observed;

    const NOW: i64 = 1_000_000;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second((NOW + hours) * 3600).unwrap()
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
        let newest = newest.map(|(name, hours)| observed(name, 1, at(hours)));
        let present =
            Present { domains: &domains, newest: newest.as_ref(), ban_changed_at: ban_changed.map(at), now: at(0) };
        assert_eq!(present.check_grant(&observed("ada", 1, at(seen)), &domains[0]), expected);
    }

    #[test]
    fn removed_domain_grants_nothing() {
        let domains = ["ubuntu.com".parse().unwrap()];
        let present = Present { domains: &domains, newest: None, ban_changed_at: None, now: at(0) };
        let removed = "kubuntu.org".parse().unwrap();
        assert_eq!(present.check_grant(&observed("ada", 1, at(-1)), &removed), Err(Expired::DomainRemoved));
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
