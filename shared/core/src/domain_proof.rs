//! How a domain proves by DNS that it belongs to the community, and how long that proof holds once it is gone.
//!
//! Only two kinds of answers move anything: the record is there, or a name server says that it is not. Whatever says
//! neither (SERVFAIL, REFUSED, silence) leaves everything as it is: it never unverifies and starts no clock.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::clock::later;
use crate::newtype::checked_string;
use crate::random::{self, Random};

/// What the TXT record at the domain begins with, before the token.
pub const RECORD_KEY: &str = "membermail-site-verification=";

/// Hexadecimal digits of a token: 128 bits.
const DIGITS: usize = 32;

checked_string! {
    /// What a domain shows to prove itself: 32 hexadecimal digits in lower case, of its own and never changed. No secret:
    /// the whole world reads it in DNS.
    Token, TokenError, |text| {
        let valid = text.len() == DIGITS && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if valid { Ok(text.to_owned()) } else { Err(TokenError) }
    }
}

/// A text that is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a token: 32 hexadecimal digits in lower case")]
pub struct TokenError;

impl Token {
    /// One that nobody can guess, and so nobody has put into DNS before they were told it.
    pub fn new(random: &dyn Random) -> Self {
        let bytes: [u8; DIGITS / 2] = random::bytes(random);
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The text of the TXT record to add at the domain.
    pub fn record(&self) -> String {
        format!("{RECORD_KEY}{self}")
    }
}

/// What DNS says to one question. Records are of one type at the very name or where its CNAMEs lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<T> {
    /// There are records.
    Records(Vec<T>),
    /// There is no such name (NXDOMAIN), or it has no such records (RFC 2308, 2.2).
    Missing,
    /// Neither was said.
    Unanswered(Unanswered),
}

/// Why DNS said neither yes nor no. It says nothing about the domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unanswered {
    /// SERVFAIL: the zone cannot be had or does not validate just now.
    ServerFailure,
    /// REFUSED.
    Refused,
    /// Nothing came in time.
    TimedOut,
    /// The name server is out of reach, or what it says cannot be used.
    Unusable,
}

/// What was seen of a domain's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seen {
    /// The record with the domain's own token.
    Found,
    /// Records of ours, but with other tokens only.
    OtherToken,
    /// No record of ours.
    Missing,
    /// DNS said neither.
    Unanswered(Unanswered),
}

impl Seen {
    /// Looks through the TXT records of the domain, each with its strings joined. Case and blanks around it are not told
    /// apart: some who type records into forms, and some of the forms, change them.
    pub fn among(answer: &Answer<String>, token: &Token) -> Self {
        let texts = match answer {
            Answer::Unanswered(why) => return Self::Unanswered(*why),
            Answer::Missing => return Self::Missing,
            Answer::Records(texts) => texts,
        };
        let mut tokens = texts.iter().filter_map(|text| {
            let (key, token) = text.trim().split_at_checked(RECORD_KEY.len())?;
            key.eq_ignore_ascii_case(RECORD_KEY).then_some(token.trim())
        });
        let Some(first) = tokens.next() else { return Self::Missing };
        let is_it = |shown: &str| shown.eq_ignore_ascii_case(token.as_str());
        if is_it(first) || tokens.any(is_it) { Self::Found } else { Self::OtherToken }
    }
}

/// How far a domain's proof is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Proof {
    /// Never shown.
    #[default]
    Pending,
    /// An operator says so. It stands until an operator takes it back, whatever DNS says.
    Operator {
        /// Since when.
        since: Timestamp,
    },
    /// Its record was there at the last answer.
    Verified {
        /// Since when.
        since: Timestamp,
    },
    /// Its record is gone, and it still counts as verified for a while.
    Lapsing {
        /// Since when it was verified.
        since: Timestamp,
        /// When the record was first seen to be gone.
        gone_since: Timestamp,
    },
    /// Its record has been gone for longer than the grace: no new addresses, and those that are there stay.
    Lapsed {
        /// When the record was first seen to be gone.
        gone_since: Timestamp,
    },
}

impl Proof {
    /// Whether the domain gives new addresses.
    pub fn is_verified(&self) -> bool {
        matches!(self, Self::Operator { .. } | Self::Verified { .. } | Self::Lapsing { .. })
    }

    /// What becomes of it by what is seen at `now`, and what its admins are to be told, if anything.
    ///
    /// The end of the grace alone takes nothing away: it takes a look after it that finds the record missing.
    pub fn after(&self, seen: Seen, now: Timestamp, grace: SignedDuration) -> (Self, Option<DomainEvent>) {
        let until = |gone_since: Timestamp| later(gone_since, grace);
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
                (lapsing, Some(DomainEvent::RecordGone { until: until(now) }))
            }
            (Self::Lapsing { gone_since, .. }, Seen::Missing | Seen::OtherToken) if until(*gone_since) <= now => {
                (Self::Lapsed { gone_since: *gone_since }, Some(DomainEvent::Lapsed))
            }
            (Self::Pending | Self::Lapsing { .. } | Self::Lapsed { .. }, Seen::Missing | Seen::OtherToken) => {
                (self.clone(), None)
            }
        }
    }
}

/// What the admins of a domain are to be told, once each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum DomainEvent {
    /// Members can get addresses at it from now on.
    Verified,
    /// The record is gone; new addresses stop at `until` unless it comes back.
    RecordGone {
        /// The end of the grace.
        until: Timestamp,
    },
    /// The record stayed away: no new addresses from now on, and those that are there keep working.
    Lapsed,
    /// The record is back, and all is as before.
    Restored,
}

#[cfg(test)]
#[path = "domain_proof_tests.rs"]
mod tests;
