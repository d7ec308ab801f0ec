//! A change of one person by the controls.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;

use super::account::{AccountStatus, Presence};
use super::{Community, Event, Key, Person, Status};

/// A change of a person; an absent field stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Change {
    /// launchpad.md, 3: the old name is 404 and free at once.
    pub(super) name: Option<String>,
    display_name: Option<String>,
    /// An additional identifier, which the next sign-in uses. launchpad.md, 3: the older one stays.
    word: Option<String>,
    nickname: Option<String>,
    email: Option<String>,
    /// The language that Ubuntu One sends; it is ticked too, as a test that sets it wants it sent.
    language: Option<String>,
    signed: Option<bool>,
    /// False: deactivated by an admin. True: active, with a preferred address.
    is_valid: Option<bool>,
    /// True: suspended. False: active again, if it was suspended.
    suspended: Option<bool>,
    status: Option<AccountStatus>,
    has_preferred_email: Option<bool>,
    /// False: the account at Ubuntu One is not active.
    has_active_login: Option<bool>,
    date_created: Option<Timestamp>,
    description: Option<String>,
    /// The number of octets of a generated description.
    description_size: Option<usize>,
    karma: Option<i64>,
    time_zone: Option<String>,
    /// Fields of the consent page that the person ticks from now on; `teams` is one of them.
    tick: BTreeSet<String>,
    /// Fields of the consent page that the person unticks from now on.
    untick: BTreeSet<String>,
    /// The teams that they are a direct member of from now on, and no others.
    teams: Option<BTreeSet<String>>,
    join: BTreeSet<String>,
    leave: BTreeSet<String>,
    /// Teams in which the membership ends now for want of renewal.
    expire: BTreeSet<String>,
    /// A row of launchpad.md, 3; it happens after the other changes.
    event: Option<Event>,
}

/// The reason why a change is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeError {
    /// No person or team has that key.
    UnknownKey,
    /// Another person or team has that name or identifier.
    Taken,
    /// Launchpad could not have that name.
    NotAName,
    /// There is no such membership.
    NoMember,
    /// This cannot happen to such an account.
    Impossible,
}

impl Community {
    /// Changes a person, wholly or not at all.
    pub fn change(&mut self, key: &str, change: Change, now: Timestamp) -> Result<(), ChangeError> {
        let (key, person) = self.people.get_key_value(key).ok_or(ChangeError::UnknownKey)?;
        let (key, presence) = (key.clone(), person.presence);
        if let Some(name) = &change.name {
            self.check_name(name, &key)?;
        }
        if let Some(word) = &change.word {
            self.check_word(word, &key)?;
        }
        let has =
            |team: &String| self.team_by_key_or_name(team).is_some_and(|(_, team)| team.memberships.contains_key(&key));
        if !change.leave.iter().chain(&change.expire).all(has) {
            return Err(ChangeError::NoMember);
        }
        if let Some(event) = &change.event {
            self.check_event(&key, event)?;
        }
        if let Some(name) = change.name.clone() {
            self.rename(&key, name);
        }
        if let Some(word) = change.word.clone() {
            self.add_word(&key, &word, true);
        }
        if change.display_name.is_some() || change.status.is_some() {
            self.forget_lists();
        }
        if let Some(person) = self.people.get_mut(&key) {
            set_fields(person, &change);
        }
        // Who has nothing on Launchpad is in no team.
        if presence == Presence::Person {
            self.change_memberships(&key, &change, now);
        }
        change.event.map_or(Ok(()), |event| self.happen(&key, event, now))
    }

    fn change_memberships(&mut self, key: &Key, change: &Change, now: Timestamp) {
        if let Some(wanted) = &change.teams {
            let wanted: BTreeSet<Key> = wanted.iter().map(|team| self.team_key(team)).collect();
            let present: BTreeSet<Key> =
                self.teams.iter().filter(|(_, team)| team.has(key)).map(|(team, _)| team.clone()).collect();
            present.difference(&wanted).for_each(|team| self.leave(team, key));
            wanted.difference(&present).for_each(|team| self.join(team, key, now));
        }
        change.join.iter().for_each(|team| self.join(team, key, now));
        change.leave.iter().for_each(|team| self.leave(team, key));
        change.expire.iter().for_each(|team| self.expire(team, key, now));
    }

    /// Adds an identifier of a person at Ubuntu One; `is_used` makes the next sign-in use it.
    pub fn add_identifier(&mut self, key: &str, word: &str, is_used: bool) -> Result<(), ChangeError> {
        let key = self.people.get_key_value(key).map(|(key, _)| key.clone()).ok_or(ChangeError::UnknownKey)?;
        self.check_word(word, &key)?;
        self.add_word(&key, word, is_used);
        Ok(())
    }

    fn check_word(&self, word: &str, key: &Key) -> Result<(), ChangeError> {
        let is_free = self.logins.get(word).is_none_or(|of| of == key);
        if is_free { Ok(()) } else { Err(ChangeError::Taken) }
    }

    /// launchpad.md, 3: a new identifier is linked to the person, and the older one stays.
    fn add_word(&mut self, key: &Key, word: &str, is_used: bool) {
        let Some(person) = self.people.get_mut(key) else { return };
        let of = match person.presence {
            Presence::Person if person.status != AccountStatus::Closed => Some(key.clone()),
            // A merged person's logins lead to the survivor; where there is nothing, there is nothing to lead to.
            _ => self.identifiers.get(&person.word).cloned(),
        };
        if !person.words.iter().any(|one| one == word) {
            person.words.push(word.to_owned());
        }
        if is_used {
            person.word = word.to_owned();
        }
        self.logins.insert(word.to_owned(), key.clone());
        if let Some(of) = of {
            self.identifiers.insert(word.to_owned(), of);
        }
    }

    pub(super) fn leave(&mut self, team: &str, key: &str) {
        self.forget_lists();
        let team = self.team_key(team);
        if let Some(membership) = self.teams.get_mut(&team).and_then(|team| team.memberships.get_mut(key)) {
            membership.status = Status::Deactivated;
        }
    }

    /// launchpad.md, 3: old name 404 at once, no redirect, free at once for a person or a team.
    pub(super) fn rename(&mut self, key: &Key, name: String) {
        self.forget_lists();
        let Some(person) = self.people.get_mut(key) else { return };
        if person.presence != Presence::Nothing {
            self.names.remove(&person.name);
            self.names.insert(name.clone(), key.clone());
        }
        person.name = name;
    }

    pub(super) fn check_name(&self, name: &str, key: &Key) -> Result<(), ChangeError> {
        if !is_name(name) {
            return Err(ChangeError::NotAName);
        }
        if self.names.get(name).is_none_or(|of| of == key) { Ok(()) } else { Err(ChangeError::Taken) }
    }
}

/// launchpad.md, 7: the letters of a name. The database lets one character through and sets no maximum, so a test can
/// have such a name too.
pub(super) fn is_name(name: &str) -> bool {
    let is_alphanumeric = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit();
    name.bytes().next().is_some_and(is_alphanumeric)
        && name.bytes().all(|octet| is_alphanumeric(octet) || b"+.-".contains(&octet))
}

fn set_fields(person: &mut Person, change: &Change) {
    fn set<T: Clone>(field: &mut T, value: &Option<T>) {
        if let Some(value) = value {
            field.clone_from(value);
        }
    }
    set(&mut person.display_name, &change.display_name);
    set(&mut person.nickname, &change.nickname);
    set(&mut person.email, &change.email);
    set(&mut person.language, &change.language);
    set(&mut person.signed, &change.signed);
    set(&mut person.status, &change.status);
    set(&mut person.has_preferred_email, &change.has_preferred_email);
    set(&mut person.has_active_login, &change.has_active_login);
    set(&mut person.date_created, &change.date_created);
    set(&mut person.karma, &change.karma);
    set(&mut person.time_zone, &change.time_zone);
    if change.description.is_some() {
        person.description.clone_from(&change.description);
    }
    if let Some(size) = change.description_size {
        person.description = Some("x".repeat(size));
    }
    match change.is_valid {
        Some(true) => (person.status, person.has_preferred_email) = (AccountStatus::Active, true),
        Some(false) => person.status = AccountStatus::Deactivated,
        None => {}
    }
    match change.suspended {
        Some(true) => person.status = AccountStatus::Suspended,
        Some(false) if person.status == AccountStatus::Suspended => person.status = AccountStatus::Active,
        _ => {}
    }
    let language = change.language.is_some().then(|| "language".to_owned());
    person.consent.extend(change.tick.iter().cloned().chain(language).map(|field| (field, true)));
    person.consent.extend(change.untick.iter().cloned().map(|field| (field, false)));
}
