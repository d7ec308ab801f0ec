//! The item of a domain: its proof, the results of its last DNS check, its team and its gate.

use jiff::Timestamp;
use membermail_core::domain_mail::{Dmarc, Mx, Spf};
use membermail_core::domain_proof::{Proof, Seen, Token};
use membermail_core::eligibility::TeamPin;
use membermail_core::member::Fingerprint;
use membermail_core::retirement::Retirement;
use serde::{Deserialize, Serialize};
use strum::AsRefStr;

/// A stored domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredDomain {
    /// Since when the proof is valid and the domain gives new addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<Timestamp>,
    /// When the proof was first valid. It stays when the proof lapses, as the addresses do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_verified: Option<Timestamp>,
    /// The token of the DNS record that proves the domain, once it was requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
    /// The state of the proof, and the last check of its record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) proof: Option<StoredProof>,
    /// The MX records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mx: Option<Checked<Mx>>,
    /// The SPF record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spf: Option<Checked<Spf>>,
    /// The DMARC record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dmarc: Option<Checked<Dmarc>>,
    /// The pinned fingerprint of the team, as the first sync recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<Fingerprint>,
    /// The problem with the team in the last sync, while it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_problem: Option<TeamProblem>,
    /// An operator's decision to retire it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retirement: Option<Retirement>,
    #[serde(default)]
    pub(crate) proof_version: u64,
    /// The state of the copies of its gate; absent until the first change of the gate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gate: Option<Gate>,
}

/// A problem with the domain's team. While it lasts, the domain gives and removes no addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, AsRefStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum TeamProblem {
    /// No team has the name.
    Missing,
    /// Another team has the name.
    Replaced,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredProof {
    #[serde(flatten)]
    pub(crate) proof: Proof,
    #[serde(flatten)]
    pub(crate) last: Option<RecordSeen>,
}

/// The last check of a domain's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordSeen {
    /// The result.
    pub seen: Seen,
    /// When DNS was queried.
    pub checked_at: Timestamp,
}

/// The result of a DNS query, and its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked<T> {
    /// The result.
    #[serde(flatten)]
    pub state: T,
    /// When DNS was queried.
    pub checked_at: Timestamp,
}

/// The state of the copies of a gate, as noted in the domain's item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Gate {
    pub(crate) copies: u64,
    pub(crate) is_open: bool,
}

impl StoredDomain {
    /// The state of the proof.
    pub fn proof(&self) -> Proof {
        self.proof.as_ref().map_or(Proof::Pending, |stored| stored.proof.clone())
    }

    /// Whether mail to its addresses is accepted: from its first proof on.
    pub fn accepts_mail(&self) -> bool {
        self.first_verified.is_some()
    }

    /// The team pin that checks of members need.
    pub fn team_pin(&self) -> TeamPin {
        TeamPin { fingerprint: self.team, has_problem: self.team_problem.is_some() }
    }

    /// The last check of the record.
    pub fn record_seen(&self) -> Option<RecordSeen> {
        self.proof.as_ref().and_then(|stored| stored.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    #[rstest::rstest]
    #[case::never(None, None, false)]
    #[case::once_and_not_any_more(None, Some(AT), true)]
    #[case::now(Some(AT), Some(AT), true)]
    fn mail_is_accepted_after_first_proof(
        #[case] verified: Option<Timestamp>,
        #[case] first_verified: Option<Timestamp>,
        #[case] expected: bool,
    ) {
        assert_eq!(StoredDomain { verified, first_verified, ..StoredDomain::default() }.accepts_mail(), expected);
    }
}
