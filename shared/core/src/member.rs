//! A member: our own id and a set of identities. The name at the membership source is only an observation.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::newtype::checked_string;
use crate::random::{self, Random};

/// Our own id of a member, which no rename at the membership source or the sign-in provider changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MemberId(Ulid);

impl MemberId {
    /// A new id that sorts by the time it was made.
    pub fn new(now: Timestamp, random: &dyn Random) -> Self {
        Self(ulid(now, random))
    }

    /// Reads the 26 characters of a ULID.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        Ulid::from_string(text).map(Self).map_err(|_| NameError::NotAUlid)
    }

    /// When the id was made, which is when the member first signed in.
    pub fn created(self) -> Timestamp {
        let millis = i64::try_from(self.0.timestamp_ms()).unwrap_or_default();
        Timestamp::from_millisecond(millis).unwrap_or_default()
    }

    /// The shard of the member, of `shards` in total. It depends on the random half of the id, so that members who signed
    /// up at the same time are spread.
    pub fn shard(self, shards: u64) -> u64 {
        let random = u64::try_from(self.0.random() & u128::from(u64::MAX)).unwrap_or_default();
        random.checked_rem(shards).unwrap_or_default()
    }
}

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A ULID of this time and these random bytes.
pub fn ulid(now: Timestamp, random: &dyn Random) -> Ulid {
    let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
    Ulid::from_parts(millis, u128::from_be_bytes(random::bytes(random)))
}

/// An attribute that a membership source shows beside the name (Launchpad: `date_created` in microseconds since 1970;
/// GitLab: the user id). A change of it requires a look-up. It is not a key: many accounts of 2005 share Launchpad's date,
/// and a merge moves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub i64);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A member's name at the membership source. A name can change and pass to another person, so it is an observation with a
/// time: an older one never replaces a newer one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedName {
    /// The name.
    pub name: PersonName,
    /// The fingerprint beside it.
    pub fingerprint: Fingerprint,
    /// The time of the request; stored in microseconds since 1970.
    #[serde(with = "crate::clock::micros")]
    pub observed_at: Timestamp,
}

impl ObservedName {
    /// Whether name and fingerprint are equal; the times can differ.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.name == other.name && self.fingerprint == other.fingerprint
    }
}

checked_string! {
    /// A person's current name at the membership source, in lower case: letters, digits, `_`, `.`, `+` and `-`. It can
    /// change, and pass to another person.
    PersonName, NameError, |text| {
        let has_first = !text.starts_with(['-', '+']);
        let has_valid_bytes =
            text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'+' | b'-'));
        let is_valid = has_first && has_valid_bytes && (1..=255).contains(&text.len());
        if is_valid { Ok(text.to_owned()) } else { Err(NameError::NotAName) }
    }
}

checked_string! {
    /// The name of a team (Launchpad), or the full path of a group (GitLab), which has slashes. It can change, and pass to
    /// another team.
    TeamName, NameError, |text| {
        let has_valid_bytes = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.+-/".contains(&b));
        let is_valid = has_valid_bytes && (1..=255).contains(&text.len());
        if is_valid { Ok(text.to_owned()) } else { Err(NameError::NotATeam) }
    }
}

checked_string! {
    /// The provider's lasting identifier of a person, as it was asserted: a claimed identifier (OpenID Authentication 2.0,
    /// 7.3.1), or a `sub` of at most 255 ASCII characters (OpenID Connect Core 1.0, section 2).
    Subject, NameError, |text| {
        let is_valid = (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if is_valid { Ok(text.to_owned()) } else { Err(NameError::NotASubject) }
    }
}

/// A person at a sign-in provider. The pair is unique.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// The provider: its endpoint URL (OpenID 2.0), or its issuer (OpenID Connect).
    pub issuer: String,
    /// The person there: the claimed identifier (OpenID 2.0), or the subject (OpenID Connect).
    pub subject: Subject,
}

/// The text is not a valid name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not the syntax of a name.
    #[error("not a name: a-z, 0-9, _, ., + and -, the first neither + nor -")]
    NotAName,
    /// Not the syntax of a team.
    #[error("not a team: letters, digits, _, ., +, - and, in the path of a group, /")]
    NotATeam,
    /// Empty, too long, or with a space or a character beyond ASCII.
    #[error("not an identifier: 1 to 255 visible ASCII characters")]
    NotASubject,
    /// Not a ULID.
    #[error("not an id: 26 characters of a ULID")]
    NotAUlid,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("alice", true)]
    #[case("a-b.c+d", true)]
    #[case("0x", true)]
    #[case("dots..", true)]
    #[case("a", true)]
    #[case("_a_", true)]
    #[case("", false)]
    #[case("-alice", false)]
    #[case("Alice", false)]
    #[case("al ice", false)]
    #[case("al/ice", false)]
    #[case("älice", false)]
    fn names_of_people(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(PersonName::parse(text).is_ok(), valid);
    }

    #[test]
    fn member_id_parses_its_text() {
        let id = MemberId::new(Timestamp::UNIX_EPOCH, &crate::random::CountingRandom::default());
        assert_eq!(MemberId::parse(&id.to_string()), Ok(id));
    }
}
