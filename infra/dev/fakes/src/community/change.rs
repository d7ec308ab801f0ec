//! Changes of a person through the controls.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;

use super::account::{AccountStatus, Presence};
use super::{Community, Event, Key, Person, Status};

/// A change of a person. Absent fields stay unchanged.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PersonChange {
    /// launchpad.md, 3: the old name is 404 and available immediately.
    pub(super) name: Option<String>,
    display_name: Option<String>,
    /// An additional identifier (`/+id/IDENTIFIER`), used by the next sign-in. launchpad.md, 3: older ones stay valid.
    openid_identifier: Option<String>,
    nickname: Option<String>,
    email: Option<String>,
    /// The language that Ubuntu One sends. Setting it also ticks the field on the consent page.
    language: Option<String>,
    signed: Option<bool>,
    /// False deactivates the account by an admin; true activates it, with a preferred address.
    is_valid: Option<bool>,
    /// True suspends the account; false ends a suspension.
    suspended: Option<bool>,
    status: Option<AccountStatus>,
    has_preferred_email: Option<bool>,
    /// Whether the account at Ubuntu One is active.
    has_active_login: Option<bool>,
    date_created: Option<Timestamp>,
    description: Option<String>,
    /// Bytes of a generated description.
    description_size: Option<usize>,
    karma: Option<i64>,
    time_zone: Option<String>,
    /// Fields to tick on the consent page, including `teams`.
    tick: BTreeSet<String>,
    /// Fields to untick on the consent page.
    untick: BTreeSet<String>,
    /// Replaces all direct memberships by these teams.
    teams: Option<BTreeSet<String>>,
    join: BTreeSet<String>,
    leave: BTreeSet<String>,
    /// Teams in which the membership expires now.
    expire: BTreeSet<String>,
    /// An event of launchpad.md, 3, applied after the other changes.
    event: Option<Event>,
}

/// The reason why a change is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// No person or team has this key.
    #[error("no person or team has this key")]
    UnknownKey,
    /// Another person or team has this name or identifier.
    #[error("this name or identifier is already used")]
    AlreadyUsed,
    /// Not a valid name on Launchpad.
    #[error("this is not a valid name on Launchpad")]
    InvalidName,
    /// Not a member of this team.
    #[error("there is no such membership")]
    NotAMember,
    /// The event is impossible in the current state of the account.
    #[error("this event is impossible in the current state of the account")]
    WrongState,
}

impl Community {
    /// Changes a person; an error leaves the person unchanged.
    pub fn change_person(&mut self, key: &str, change: PersonChange, now: Timestamp) -> Result<(), ChangeError> {
        let (key, person) = self.people.get_key_value(key).ok_or(ChangeError::UnknownKey)?;
        let key = key.clone();
        let presence = person.presence;
        if let Some(name) = &change.name {
            self.check_name(name, &key)?;
        }
        if let Some(identifier) = &change.openid_identifier {
            self.check_identifier(identifier, &key)?;
        }
        for team in change.leave.iter().chain(&change.expire) {
            if !self.team_by_key_or_name(team).is_some_and(|(_, team)| team.memberships.contains_key(&key)) {
                return Err(ChangeError::NotAMember);
            }
        }
        if let Some(event) = &change.event {
            self.check_event(&key, event)?;
        }
        if let Some(name) = change.name.clone() {
            self.rename(&key, name);
        }
        if let Some(identifier) = &change.openid_identifier {
            self.insert_identifier(&key, identifier, true);
        }
        if change.display_name.is_some() || change.status.is_some() {
            self.invalidate_lists();
        }
        if let Some(person) = self.people.get_mut(&key) {
            set_fields(person, &change);
        }
        // Only a person on Launchpad can be in a team.
        if presence == Presence::Person {
            self.change_memberships(&key, &change, now);
        }
        change.event.map_or(Ok(()), |event| self.apply_event(&key, event, now))
    }

    fn change_memberships(&mut self, key: &Key, change: &PersonChange, now: Timestamp) {
        if let Some(wanted) = &change.teams {
            let wanted: BTreeSet<Key> = wanted.iter().map(|team| self.ensure_team(team)).collect();
            let present: BTreeSet<Key> =
                self.teams.iter().filter(|(_, team)| team.has(key)).map(|(team, _)| team.clone()).collect();
            present.difference(&wanted).for_each(|team| self.leave(team, key));
            wanted.difference(&present).for_each(|team| self.join(team, key, now));
        }
        change.join.iter().for_each(|team| self.join(team, key, now));
        change.leave.iter().for_each(|team| self.leave(team, key));
        change.expire.iter().for_each(|team| self.expire(team, key, now));
    }

    /// Adds an identifier of a person at Ubuntu One. The next sign-in uses it if `is_used`.
    pub fn add_identifier(&mut self, key: &str, identifier: &str, is_used: bool) -> Result<(), ChangeError> {
        let key = self.people.get_key_value(key).map(|(key, _)| key.clone()).ok_or(ChangeError::UnknownKey)?;
        self.check_identifier(identifier, &key)?;
        self.insert_identifier(&key, identifier, is_used);
        Ok(())
    }

    fn check_identifier(&self, identifier: &str, key: &Key) -> Result<(), ChangeError> {
        let is_free = self.logins.get(identifier).is_none_or(|owner| owner == key);
        if is_free { Ok(()) } else { Err(ChangeError::AlreadyUsed) }
    }

    /// launchpad.md, 3: a new identifier leads to the person, and older ones stay valid.
    fn insert_identifier(&mut self, key: &Key, identifier: &str, is_used: bool) {
        let Some(person) = self.people.get_mut(key) else { return };
        let target = match person.presence {
            Presence::Person if person.status != AccountStatus::Closed => Some(key.clone()),
            // The identifiers of a merged person lead to the survivor, those of an absent or closed one to no person.
            _ => self.identifiers.get(&person.identifier).cloned(),
        };
        if !person.identifiers.iter().any(|known| known == identifier) {
            person.identifiers.push(identifier.to_owned());
        }
        if is_used {
            person.identifier = identifier.to_owned();
        }
        self.logins.insert(identifier.to_owned(), key.clone());
        if let Some(target) = target {
            self.identifiers.insert(identifier.to_owned(), target);
        }
    }

    pub(super) fn leave(&mut self, team: &str, key: &str) {
        self.invalidate_lists();
        let team = self.ensure_team(team);
        if let Some(membership) = self.teams.get_mut(&team).and_then(|team| team.memberships.get_mut(key)) {
            membership.status = Status::Deactivated;
        }
    }

    /// launchpad.md, 3: the old name is 404 without a redirect, and available to people and teams immediately.
    pub(super) fn rename(&mut self, key: &Key, name: String) {
        self.invalidate_lists();
        let Some(person) = self.people.get_mut(key) else { return };
        if person.presence != Presence::Absent {
            self.names.remove(&person.name);
            self.names.insert(name.clone(), key.clone());
        }
        person.name = name;
    }

    pub(super) fn check_name(&self, name: &str, key: &Key) -> Result<(), ChangeError> {
        if !is_name(name) {
            return Err(ChangeError::InvalidName);
        }
        if self.names.get(name).is_none_or(|owner| owner == key) { Ok(()) } else { Err(ChangeError::AlreadyUsed) }
    }
}

/// launchpad.md, 7: the characters of a name. The database accepts a single character and sets no maximum length, so
/// both are valid here.
pub(super) fn is_name(name: &str) -> bool {
    let has_valid_octets =
        name.bytes().all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || b"+.-".contains(&octet));
    has_valid_octets && !name.is_empty() && !name.starts_with(['+', '.', '-'])
}

fn set_fields(person: &mut Person, change: &PersonChange) {
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
