//! A person: a login at Ubuntu One with its account on Launchpad.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Key;
use super::account::{AccountStatus, PageState, Presence};

/// A login at Ubuntu One with its account on Launchpad.
#[derive(Clone, Debug)]
pub struct Person {
    /// Launchpad's id, only visible in the controls. launchpad.md, 1: it is redacted for anonymous clients.
    pub id: u64,
    /// The current name on Launchpad.
    pub name: String,
    /// The display name on Launchpad.
    pub display_name: String,
    /// The last segments of all claimed identifiers (`/+id/IDENTIFIER`). launchpad.md, 3: a person can have several.
    pub identifiers: Vec<String>,
    /// The element of `identifiers` that the next sign-in uses.
    pub identifier: String,
    /// The user name that Ubuntu One sends: the Launchpad name at the time of registration.
    pub nickname: String,
    /// The address that Ubuntu One sends. launchpad.md, 9: it may be unverified.
    pub email: String,
    /// The language that Ubuntu One sends.
    pub language: String,
    /// Remembered choices of the consent page, by field; `teams` is one of them.
    pub consent: BTreeMap<String, bool>,
    /// Whether the account at Ubuntu One is active.
    pub has_active_login: bool,
    /// The status of the account on Launchpad.
    pub status: AccountStatus,
    /// Whether Launchpad has a preferred address.
    pub has_preferred_email: bool,
    /// Whether the Code of Conduct is signed.
    pub signed: bool,
    /// Whether Launchpad has a person for this login.
    pub presence: Presence,
    /// The creation date. launchpad.md, 2: not unique, and changed by a merge or a first login.
    pub date_created: Timestamp,
    /// Free text of unlimited length.
    pub description: Option<String>,
    /// A score that changes often, and with it the ETag.
    pub karma: i64,
    /// The time zone set in the profile.
    pub time_zone: String,
    /// The case that this person represents, for the list at the provider; empty if none.
    pub scenario: &'static str,
}

impl Person {
    /// An active person in the default state.
    pub(super) fn new(id: u64, key: &Key, date_created: Timestamp) -> Self {
        let identifier = identifier(id);
        Self {
            id,
            name: key.to_string(),
            display_name: key.to_string(),
            identifiers: vec![identifier.clone()],
            identifier,
            nickname: key.to_string(),
            email: email(key),
            language: "en".to_owned(),
            consent: BTreeMap::new(),
            has_active_login: true,
            status: AccountStatus::Active,
            has_preferred_email: true,
            signed: true,
            presence: Presence::Person,
            date_created,
            description: None,
            karma: 0,
            time_zone: "UTC".to_owned(),
            scenario: "",
        }
    }

    /// launchpad.md, 1: account "Active" and a preferred address.
    pub fn is_valid(&self) -> bool {
        self.status == AccountStatus::Active && self.has_preferred_email
    }

    /// The response of the person's page (launchpad.md, 3).
    pub fn page(&self) -> PageState {
        match (self.presence, self.status) {
            (Presence::Absent | Presence::Merged, _) | (_, AccountStatus::Placeholder) => PageState::Missing,
            (_, AccountStatus::Suspended) => PageState::Gone,
            _ => PageState::Shown,
        }
    }

    /// launchpad.md, 3: whether the person is missing from the participants of teams in spite of memberships.
    pub(super) fn is_never_listed(&self) -> bool {
        self.presence != Presence::Person || self.status == AccountStatus::Placeholder
    }

    /// launchpad.md, 9: required fields are ticked by default, optional ones and teams are not; choices are remembered.
    pub fn is_ticked(&self, field: &str, is_required: bool) -> bool {
        self.consent.get(field).copied().unwrap_or(is_required)
    }
}

/// An invented address with a valid local part for any name.
fn email(name: &str) -> String {
    let mut local = name.replace('+', "-").replace("..", ".");
    local.truncate(60);
    format!("{}@mail.example", local.trim_end_matches('.'))
}

/// launchpad.md, 9: seven characters of this alphabet. Each id has a unique identifier that looks random.
fn identifier(id: u64) -> String {
    const LETTERS: &[u8; 42] = b"34678bcdefhkmnprstwxyzABCDEFGHJKLMNPQRTWXY";
    const COUNT: u128 = 42_u128.pow(7);
    // The factor is coprime to 42 (2, 3 and 7), so that no two ids have the same identifier.
    let mut rest = u128::from(id) * 618_033_988_751 % COUNT;
    (0..7)
        .map(|_| {
            let index = usize::try_from(rest % 42).unwrap_or_default();
            rest /= 42;
            char::from(LETTERS[index])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("alice", "alice@mail.example")]
    #[case("heidi+tag", "heidi-tag@mail.example")]
    #[case("ivan..dots", "ivan.dots@mail.example")]
    #[case("judy.", "judy@mail.example")]
    fn email_is_valid_for_any_name(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(email(name), expected);
    }

    #[test]
    fn identifier_is_unique_per_id() {
        let identifiers: std::collections::HashSet<_> = (1_000..301_000).map(identifier).collect();
        assert_eq!(identifiers.len(), 300_000);
    }
}
