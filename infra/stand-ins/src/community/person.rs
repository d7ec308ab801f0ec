//! One person: a login at Ubuntu One, and the account that Launchpad has for it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Key;
use super::account::{AccountStatus, PageState, Presence};

/// A login at Ubuntu One and the person that Launchpad has for it.
#[derive(Clone, Debug)]
pub struct Person {
    /// Launchpad's id: for the controls only. launchpad.md, 1: anonymous clients see it redacted.
    pub id: u64,
    /// The name on Launchpad just now.
    pub name: String,
    /// The name for people to read.
    pub display_name: String,
    /// The ends of the claimed identifiers that this login has had. launchpad.md, 3: a person can have several.
    pub words: Vec<String>,
    /// The one of `words` that the next sign-in uses.
    pub word: String,
    /// The user name that Ubuntu One sends: the Launchpad name at the time of the registration.
    pub nickname: String,
    /// The address that Ubuntu One sends. launchpad.md, 9: it may be an unverified one.
    pub email: String,
    /// The language that Ubuntu One sends.
    pub language: String,
    /// Remembered ticks of the consent page, by field; `teams` is one of them.
    pub consent: BTreeMap<String, bool>,
    /// Whether the account at Ubuntu One is active.
    pub has_active_login: bool,
    /// The state of the account at Launchpad.
    pub status: AccountStatus,
    /// Whether Launchpad has a preferred address.
    pub has_preferred_email: bool,
    /// Whether the Code of Conduct is signed.
    pub signed: bool,
    /// What Launchpad has for this login.
    pub presence: Presence,
    /// launchpad.md, 2: not unique, and a merge or a first login changes it.
    pub date_created: Timestamp,
    /// Free text without a limit of length.
    pub description: Option<String>,
    /// A number that changes all the time, and the ETag with it.
    pub karma: i64,
    /// The time zone that the person chose.
    pub time_zone: String,
    /// The reason why this person is in the seed, for the list at the provider.
    pub shows: &'static str,
}

impl Person {
    /// A person without any trouble.
    pub(super) fn new(id: u64, key: &Key, date_created: Timestamp) -> Self {
        let word = word(id);
        Self {
            id,
            name: key.to_string(),
            display_name: key.to_string(),
            words: vec![word.clone()],
            word,
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
            shows: "",
        }
    }

    /// launchpad.md, 1: account "Active" and a preferred address.
    pub fn is_valid(&self) -> bool {
        self.status == AccountStatus::Active && self.has_preferred_email
    }

    /// launchpad.md, 3: the column of the page.
    pub fn page(&self) -> PageState {
        match (self.presence, self.status) {
            (Presence::Nothing | Presence::Merged, _) | (_, AccountStatus::Placeholder) => PageState::Missing,
            (_, AccountStatus::Suspended) => PageState::Gone,
            _ => PageState::Shown,
        }
    }

    /// launchpad.md, 3: who is never in a team's participants, whatever the memberships say.
    pub(super) fn is_never_listed(&self) -> bool {
        self.presence != Presence::Person || self.status == AccountStatus::Placeholder
    }

    /// launchpad.md, 9: required fields are ticked beforehand, optional ones and teams are not; a choice is remembered.
    pub fn is_ticked(&self, field: &str, is_required: bool) -> bool {
        self.consent.get(field).copied().unwrap_or(is_required)
    }
}

/// A made-up address whose local part is valid, whatever the name is.
fn email(name: &str) -> String {
    let mut local = name.replace('+', "-").replace("..", ".");
    local.truncate(60);
    format!("{}@mail.example", local.trim_end_matches('.'))
}

/// launchpad.md, 9: seven characters out of these. Each id has another word, which looks as if it were random.
fn word(id: u64) -> String {
    const LETTERS: &[u8; 42] = b"34678bcdefhkmnprstwxyzABCDEFGHJKLMNPQRTWXY";
    const WORDS: u128 = 42_u128.pow(7);
    // No factor in common with 42 (2, 3 and 7), so no two ids come to the same word.
    let mut rest = u128::from(id) * 618_033_988_751 % WORDS;
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
    fn email_is_valid_for_strange_names(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(email(name), expected);
    }

    #[test]
    fn word_differs_from_id_to_id() {
        let words: std::collections::HashSet<_> = (1_000..301_000).map(word).collect();
        assert_eq!(words.len(), 300_000);
    }
}
