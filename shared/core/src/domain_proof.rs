//! How a domain proves by DNS that it belongs to the community, and the grace period of a missing proof.
//!
//! Only a record or an authoritative negative answer changes the proof. SERVFAIL, REFUSED and timeouts change nothing: they
//! never unverify a domain and start no grace period.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::clock::later;
use crate::newtype::checked_string;
use crate::random::{self, Random};

/// The prefix of the TXT record, before the token.
pub const RECORD_KEY: &str = "membermail-site-verification=";

/// Quotation marks that people paste around the record, straight or typographic.
const QUOTES: [char; 13] = ['"', '\'', '“', '”', '„', '‟', '‘', '’', '‚', '‛', '«', '»', '`'];

/// Hexadecimal digits of a token: 128 bits.
const DIGITS: usize = 32;

checked_string! {
    /// The verification token of a domain: 32 hexadecimal digits in lower case, which never change. Public: anyone can read
    /// it in DNS.
    Token, TokenError, |text| {
        let valid = text.len() == DIGITS && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if valid { Ok(text.to_owned()) } else { Err(TokenError) }
    }
}

/// The text is not a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a token: 32 hexadecimal digits in lower case")]
pub struct TokenError;

impl Token {
    /// Creates an unguessable token, so that it cannot be in DNS before it was issued.
    pub fn new(random: &dyn Random) -> Self {
        let bytes: [u8; DIGITS / 2] = random::bytes(random);
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The text of the TXT record.
    pub fn record(&self) -> String {
        format!("{RECORD_KEY}{self}")
    }
}

/// The answer to a DNS query for records of one type, after following CNAMEs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsAnswer<T> {
    /// Records exist.
    Records(Vec<T>),
    /// Negative answer: NXDOMAIN or NODATA (RFC 2308, 2.2).
    Missing,
    /// No usable answer.
    Unanswered(Unanswered),
}

/// Why there is no usable answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unanswered {
    /// SERVFAIL: the zone cannot be resolved or does not validate.
    ServerFailure,
    /// REFUSED: the name server does not answer for the zone or to us.
    Refused,
    /// No name server answered in time.
    TimedOut,
    /// The name server cannot be reached, or its response is invalid.
    Unusable,
}

/// The result of looking for a domain's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seen {
    /// The record with the token of the domain.
    Found,
    /// Only records with other tokens.
    OtherToken,
    /// No verification record.
    Missing,
    /// No usable answer.
    Unanswered(Unanswered),
}

impl Seen {
    /// Searches the TXT records of the domain, each with its strings joined. Ignores case, and blanks and quotes around the
    /// record or the token, which some people and web forms add. The token alone is the proof, so this is safe.
    pub fn among(answer: &DnsAnswer<String>, token: &Token) -> Self {
        let texts = match answer {
            DnsAnswer::Unanswered(why) => return Self::Unanswered(*why),
            DnsAnswer::Missing => return Self::Missing,
            DnsAnswer::Records(texts) => texts,
        };
        let mut tokens = texts.iter().filter_map(|text| {
            let (key, token) = unquoted(text).split_at_checked(RECORD_KEY.len())?;
            key.eq_ignore_ascii_case(RECORD_KEY).then(|| unquoted(token))
        });
        let Some(first) = tokens.next() else { return Self::Missing };
        let has_token = std::iter::once(first).chain(tokens).any(|shown| shown.eq_ignore_ascii_case(token.as_str()));
        if has_token { Self::Found } else { Self::OtherToken }
    }
}

/// The text without blanks and quotes at its ends.
fn unquoted(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || QUOTES.contains(&c))
}

/// The state of a domain's proof.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Proof {
    /// Never proven.
    #[default]
    Pending,
    /// Verified by an operator, independently of DNS, until an operator revokes it.
    Operator {
        /// The time of the decision.
        since: Timestamp,
    },
    /// The last answer had the record.
    Verified {
        /// The time of the verification.
        since: Timestamp,
    },
    /// The record is missing, and the domain still counts as verified during the grace period.
    Lapsing {
        /// The time of the verification.
        since: Timestamp,
        /// When the record was first missing.
        gone_since: Timestamp,
    },
    /// The record was missing for longer than the grace period: no new addresses; existing ones stay.
    Lapsed {
        /// When the record was first missing.
        gone_since: Timestamp,
    },
}

impl Proof {
    /// Whether new addresses can be granted in the domain.
    pub fn is_verified(&self) -> bool {
        matches!(self, Self::Operator { .. } | Self::Verified { .. } | Self::Lapsing { .. })
    }

    /// The proof after a check at `now`, and the event for the admins, if any.
    ///
    /// A domain lapses only when a check after the end of the grace period finds the record missing.
    pub fn after(&self, seen: Seen, now: Timestamp, grace: SignedDuration) -> (Self, Option<DomainEvent>) {
        match (self, seen) {
            (Self::Operator { .. }, _) | (_, Seen::Unanswered(_)) => (self.clone(), None),
            (Self::Pending, Seen::Found) => (Self::Verified { since: now }, Some(DomainEvent::Verified)),
            (Self::Verified { .. }, Seen::Found) => (self.clone(), None),
            (Self::Lapsing { since, .. }, Seen::Found) => {
                (Self::Verified { since: *since }, Some(DomainEvent::Restored))
            }
            (Self::Lapsed { .. }, Seen::Found) => (Self::Verified { since: now }, Some(DomainEvent::Restored)),
            (Self::Verified { since }, Seen::Missing | Seen::OtherToken) => {
                let lapsing = Self::Lapsing { since: *since, gone_since: now };
                (lapsing, Some(DomainEvent::RecordGone { until: later(now, grace) }))
            }
            (Self::Lapsing { gone_since, .. }, Seen::Missing | Seen::OtherToken)
                if later(*gone_since, grace) <= now =>
            {
                (Self::Lapsed { gone_since: *gone_since }, Some(DomainEvent::Lapsed))
            }
            (Self::Pending | Self::Lapsing { .. } | Self::Lapsed { .. }, Seen::Missing | Seen::OtherToken) => {
                (self.clone(), None)
            }
        }
    }
}

/// An event of a domain, of which its admins are notified once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum DomainEvent {
    /// Members can get addresses from now on.
    Verified,
    /// The record is missing; new addresses stop at `until` unless it returns.
    RecordGone {
        /// The end of the grace period.
        until: Timestamp,
    },
    /// The grace period is over: no new addresses; existing ones keep working.
    Lapsed,
    /// The record is back.
    Restored,
}

#[cfg(test)]
#[path = "domain_proof_tests.rs"]
mod tests;
