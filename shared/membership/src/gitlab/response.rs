//! The fields that the client reads from responses, strictly typed. It ignores all other fields.
//!
//! The names are those of `lib/api/entities/{user,user_basic,user_safe,member,group}.rb` of GitLab's source.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use membermail_core::community::AccessLevel;
use membermail_core::eligibility::{Account, Group, Person};
use membermail_core::member::{Fingerprint, PersonName, TeamName};
use membermail_core::roster::RosterEntry;
use serde::{Deserialize, Deserializer};

use crate::error::Error;

/// The state of an account, and of a membership, that counts.
const ACTIVE: &str = "active";

/// A user by id.
#[derive(Debug, Deserialize)]
pub(crate) struct UserResponse {
    id: i64,
    username: String,
    state: String,
    bot: bool,
}

impl UserResponse {
    /// Converts to a person. The server must have answered about the requested user.
    pub(crate) fn into_person(self, requested: i64) -> Result<Person, Error> {
        if self.id != requested {
            return Err(Error::Malformed { what: "the id of a user" });
        }
        Ok(Person {
            name: person_name(&self.username)?,
            fingerprint: Fingerprint(self.id),
            account: account(&self.state, self.bot),
            // GitLab has no Code of Conduct, so it is no condition here.
            signed_code_of_conduct: true,
        })
    }
}

/// Maps the state machine of `app/models/user.rb`.
fn account(state: &str, is_bot: bool) -> Account {
    match state {
        _ if is_bot => Account::Inactive,
        ACTIVE => Account::Active,
        "blocked" | "ldap_blocked" | "banned" => Account::Suspended,
        "deactivated" => Account::Deactivated,
        "blocked_pending_approval" => Account::NeverActivated,
        _ => Account::Inactive,
    }
}

/// User names are unique regardless of their case.
fn person_name(username: &str) -> Result<PersonName, Error> {
    PersonName::parse(&username.to_ascii_lowercase()).map_err(|_| Error::Malformed { what: "a user name" })
}

/// A group by path or id.
#[derive(Debug, Deserialize)]
pub(crate) struct GroupResponse {
    id: i64,
    full_path: String,
}

impl GroupResponse {
    /// The group, if its path is the requested one. A server that follows the redirect of a renamed group, or takes a path of
    /// digits for an id, answers with another.
    pub(crate) fn into_group(self, path: &TeamName) -> Option<Group> {
        let is_same = self.full_path.eq_ignore_ascii_case(path.as_str());
        is_same.then(|| Group { name: path.clone(), fingerprint: Fingerprint(self.id) })
    }
}

/// A member of a group, direct or inherited.
#[derive(Debug, Deserialize)]
pub(crate) struct MemberResponse {
    id: i64,
    username: String,
    /// The state of the account.
    state: String,
    access_level: u32,
    #[serde(deserialize_with = "nullable")]
    expires_at: Option<Date>,
    /// The state of the membership. Only the Enterprise Edition has it (`ee/lib/ee/api/entities/member.rb`).
    membership_state: Option<String>,
}

impl MemberResponse {
    /// Whether the entry is about this user.
    pub(crate) fn is_about(&self, id: i64) -> bool {
        self.id == id
    }

    /// Whether the membership counts now. It ends at the start of its last day in UTC (`app/models/concerns/expirable.rb`),
    /// which GitLab's own job may process later.
    pub(crate) fn counts(&self, minimum: AccessLevel, now: Timestamp) -> Result<bool, Error> {
        let is_expired = match self.expires_at {
            None => false,
            Some(date) => {
                let end =
                    TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).map_err(|_| Error::Malformed { what: "a date" })?;
                end <= now
            }
        };
        let is_active = self.state == ACTIVE && self.membership_state.as_deref().is_none_or(|state| state == ACTIVE);
        Ok(is_active && !is_expired && self.access_level >= minimum.number())
    }

    /// Converts to an entry of the roster.
    pub(crate) fn into_entry(self) -> Result<RosterEntry, Error> {
        Ok(RosterEntry {
            name: person_name(&self.username)?,
            fingerprint: Fingerprint(self.id),
            is_valid: true,
            signed_code_of_conduct: true,
        })
    }
}

/// A field that must be there, but may be null.
fn nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}
