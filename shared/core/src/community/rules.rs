//! The rules of the sync, with their defaults and limits.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// Maximum of `full-read-hours`: a member who leaves while another joins can keep an address for that long.
const MOST_FULL_READ_HOURS: u16 = 24;

/// The rules of the sync.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Rules {
    /// The grace period in days: how long the address of a member who is no longer eligible still forwards.
    pub leaving_days: u16,
    /// Days for which a suspended address keeps its personal data and can be restored.
    pub retire_after_days: u16,
    /// A plan that removes a larger part than this of the active addresses is held, in percent …
    pub hold_above_percent: u8,
    /// … if it removes more than this number.
    pub hold_above_count: u32,
    /// A plan that removes this part or more of the active addresses is held, in percent, even if they are few. One member
    /// who leaves is never enough.
    pub hold_small_team_percent: u8,
    /// A plan that grants more addresses than this number is held …
    pub hold_above_grants: u32,
    /// … if that is a larger part than this of the active addresses, in percent.
    pub hold_above_grants_percent: u8,
    /// A plan that suspends, or retires, more addresses than this number is held …
    pub hold_above_ends: u32,
    /// … if that is a larger part than this of the active addresses, in percent.
    pub hold_above_ends_percent: u8,
    /// The grace period in days for new addresses in a domain whose proof is missing.
    pub domain_grace_days: u16,
    /// Maximum addresses per member and domain, which limits renames too. An operator can raise it for a member.
    pub addresses_per_domain: u16,
    /// Hours for which a team is not read again while its total is unchanged; 0 reads it in each run.
    pub full_read_hours: u16,
}

/// Maximum of the guard's counts. The percentages only apply above them, so a large count would disable the guard.
const MOST_UNATTENDED: u32 = 1_000;

impl Default for Rules {
    fn default() -> Self {
        Self {
            leaving_days: 14,
            retire_after_days: 180,
            hold_above_percent: 10,
            hold_above_count: 5,
            hold_small_team_percent: 50,
            hold_above_grants: 20,
            hold_above_grants_percent: 10,
            hold_above_ends: 3,
            hold_above_ends_percent: 2,
            domain_grace_days: 7,
            addresses_per_domain: 3,
            full_read_hours: 6,
        }
    }
}

impl Rules {
    /// The grace period of an address.
    pub fn leaving(&self) -> SignedDuration {
        days(self.leaving_days)
    }

    /// How long a suspended address keeps its personal data.
    pub fn retire_after(&self) -> SignedDuration {
        days(self.retire_after_days)
    }

    /// How long a team is not read again while its total is unchanged.
    pub fn full_read_after(&self) -> SignedDuration {
        SignedDuration::from_hours(i64::from(self.full_read_hours))
    }

    /// The grace period of a domain whose proof is missing.
    pub fn domain_grace(&self) -> SignedDuration {
        days(self.domain_grace_days)
    }

    /// Values that would disable a rule, each with its key and the reason.
    pub(super) fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        let days = [
            ("leaving-days", self.leaving_days, "an address would end without a grace period"),
            ("retire-after-days", self.retire_after_days, "personal data would be deleted at once"),
            ("addresses-per-domain", self.addresses_per_domain, "no member could have an address"),
        ];
        for (key, value, why) in days {
            if value == 0 {
                faults.push((key, format!("is 0: {why}")));
            }
        }
        let percents = [
            ("hold-above-percent", self.hold_above_percent),
            ("hold-small-team-percent", self.hold_small_team_percent),
            ("hold-above-grants-percent", self.hold_above_grants_percent),
            ("hold-above-ends-percent", self.hold_above_ends_percent),
        ];
        for (key, value) in percents {
            if value >= 100 {
                faults.push((key, format!("is {value}: a plan would not be held by it; use 99 at most")));
            }
        }
        let counts = [
            ("hold-above-count", self.hold_above_count),
            ("hold-above-grants", self.hold_above_grants),
            ("hold-above-ends", self.hold_above_ends),
        ];
        for (key, value) in counts {
            if value > MOST_UNATTENDED {
                let why = "the percentage counts in larger teams";
                faults.push((key, format!("is {value}: use {MOST_UNATTENDED} at most, {why}")));
            }
        }
        let hours = self.full_read_hours;
        if hours > MOST_FULL_READ_HOURS {
            let why = format!("is {hours}: a team is read once in {MOST_FULL_READ_HOURS} hours at least");
            faults.push(("full-read-hours", why));
        }
        faults
    }
}

fn days(count: u16) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(count))
}
