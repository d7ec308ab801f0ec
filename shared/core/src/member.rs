//! Who a member is: our own id and a set of identities. What the membership source calls them is an observation.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::newtype::checked_string;
use crate::random::{self, Random};

/// Our own id of a member; stays whatever Launchpad or the sign-in provider rename.
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

    /// Which of `shards` equal parts of all members this one belongs to. The random half of the id decides, so that members
    /// who came at the same time are spread.
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

/// What a membership source shows of an account beside its name (Launchpad: `date_created` in microseconds since 1970;
/// GitLab: the user id). It tells "nothing has changed" from "look again" and is no key: Launchpad's date is shared by many
/// accounts of 2005, and a merge moves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub i64);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The name that the membership source gave for one of a member's identities. A name can change and pass to another
/// person, so it is an observation with a time: an older one never replaces a newer one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedName {
    /// The name.
    pub name: LaunchpadName,
    /// The fingerprint beside it.
    pub fingerprint: Fingerprint,
    /// When the source was asked: the time of the request, in microseconds since 1970 where it is stored.
    #[serde(with = "crate::clock::micros")]
    pub observed_at: Timestamp,
}

impl ObservedName {
    /// Whether both name the same account the same way, whenever that was.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.name == other.name && self.fingerprint == other.fingerprint
    }
}

checked_string! {
    /// What Launchpad calls a person just now: `^[a-z0-9][a-z0-9+.-]+$`. It can change, and pass to another.
    LaunchpadName, NameError, launchpad_name
}

checked_string! {
    /// What Launchpad calls a team; the same rule as a person's name.
    TeamName, NameError, launchpad_name
}

checked_string! {
    /// The provider's lasting identifier of a person, as it was asserted (OpenID Authentication 2.0, 7.3.1).
    ClaimedIdentifier, NameError, |text| {
        let plausible = (text.starts_with("https://") || text.starts_with("http://"))
            && text.len() <= 255
            && text.bytes().all(|b| b.is_ascii_graphic());
        if plausible { Ok(text.to_owned()) } else { Err(NameError::NotAnIdentifier) }
    }
}

/// Whom a sign-in provider vouches for: the pair is what makes it unique.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// The provider: its endpoint URL (OpenID 2.0), or its issuer (OpenID Connect).
    pub issuer: String,
    /// The person there: the claimed identifier (OpenID 2.0), or the subject (OpenID Connect).
    pub subject: ClaimedIdentifier,
}

fn launchpad_name(text: &str) -> Result<String, NameError> {
    let mut bytes = text.bytes();
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let first = bytes.next().is_some_and(alphanumeric);
    let rest = bytes.len() >= 1 && bytes.all(|b| alphanumeric(b) || matches!(b, b'+' | b'.' | b'-'));
    if first && rest && text.len() <= 255 { Ok(text.to_owned()) } else { Err(NameError::NotALaunchpadName) }
}

/// A text that is not the name it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Launchpad could not have given this name.
    #[error("not a Launchpad name: two or more of a-z, 0-9, +, . and -, the first a letter or digit")]
    NotALaunchpadName,
    /// No URL, or one too long.
    #[error("not an identifier: an http or https URL of at most 255 visible characters")]
    NotAnIdentifier,
    /// Not one of our ids.
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
    #[case("a", false)]
    #[case("", false)]
    #[case("-alice", false)]
    #[case("Alice", false)]
    #[case("al ice", false)]
    #[case("älice", false)]
    fn launchpad_names(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(LaunchpadName::parse(text).is_ok(), valid);
    }

    #[test]
    fn a_member_id_reads_what_it_prints() {
        let id = MemberId::new(Timestamp::UNIX_EPOCH, &crate::random::CountingRandom::default());
        assert_eq!(MemberId::parse(&id.to_string()), Ok(id));
    }
}
