//! Adding and removing people and teams, and changing teams and memberships.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::account::{AccountStatus, Presence};
use super::change::{ChangeError, is_name};
use super::{Community, Key, Membership, Person, Status, Team};

/// First id of a team. Ids of people are lower.
const FIRST_TEAM_ID: u64 = 1_000_000_000;
/// Key of the default owner of teams.
pub(super) const DEFAULT_OWNER: &str = "ubuntu-admin";

/// A person to add.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewPerson {
    name: String,
    display_name: Option<String>,
    email: Option<String>,
    teams: BTreeSet<String>,
    /// "Active" if absent.
    status: Option<AccountStatus>,
    /// Whether only Ubuntu One has the login, and Launchpad has no person for it.
    is_unknown: bool,
    /// The time of the request if absent.
    date_created: Option<Timestamp>,
}

/// A team to add.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewTeam {
    name: String,
    display_name: Option<String>,
    is_private: bool,
    owner: Option<String>,
    date_created: Option<Timestamp>,
    /// Keys of its direct members: people and teams.
    members: BTreeSet<String>,
    /// Teams that it joins.
    join: BTreeSet<String>,
}

/// A change of a team. Absent fields stay unchanged.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TeamChange {
    /// launchpad.md, 3: the old name is 404 and available immediately.
    name: Option<String>,
    display_name: Option<String>,
    is_private: Option<bool>,
    /// Key of the owner.
    owner: Option<String>,
    date_created: Option<Timestamp>,
    /// Teams that it joins.
    join: BTreeSet<String>,
    /// Teams that it leaves.
    leave: BTreeSet<String>,
}

impl Community {
    /// Adds a person. The key is the name, unless that key is already used.
    pub fn add_person(&mut self, new: NewPerson, now: Timestamp) -> Result<Key, ChangeError> {
        let key = self.choose_key(&new.name)?;
        let id = self.next_id();
        let mut person = Person::new(id, &Key::from(new.name), new.date_created.unwrap_or(now));
        person.display_name = new.display_name.unwrap_or(person.display_name);
        person.email = new.email.unwrap_or(person.email);
        person.status = new.status.unwrap_or(person.status);
        if new.is_unknown {
            person.presence = Presence::Absent;
        }
        let is_known = person.presence == Presence::Person;
        self.insert_person(key.clone(), person);
        new.teams.iter().filter(|_| is_known).for_each(|team| self.join(team, &key, now));
        Ok(key)
    }

    /// Removes a person with all identifiers and memberships.
    pub fn remove_person(&mut self, key: &str) -> Result<(), ChangeError> {
        let person = self.people.remove(key).ok_or(ChangeError::UnknownKey)?;
        self.release_name(&person.name, key);
        self.logins.retain(|_, owner| **owner != *key);
        self.identifiers.retain(|_, owner| **owner != *key);
        self.end_memberships(key);
        Ok(())
    }

    /// Adds a team. The key is the name, unless that key is already used.
    pub fn add_team(&mut self, new: NewTeam, now: Timestamp) -> Result<Key, ChangeError> {
        let key = self.choose_key(&new.name)?;
        if !new.members.iter().all(|key| self.has_key(key)) {
            return Err(ChangeError::UnknownKey);
        }
        self.insert_team(key.clone(), &new.name);
        new.members.iter().for_each(|member| self.join(&key, member, now));
        let change = TeamChange {
            name: None,
            display_name: new.display_name,
            is_private: Some(new.is_private),
            owner: new.owner,
            date_created: Some(new.date_created.unwrap_or(now)),
            join: new.join,
            leave: BTreeSet::new(),
        };
        self.change_team(&key, change, now)?;
        Ok(key)
    }

    /// Changes a team; an error leaves it unchanged.
    pub fn change_team(&mut self, key: &str, change: TeamChange, now: Timestamp) -> Result<(), ChangeError> {
        let (key, team) = self.team_by_key_or_name(key).ok_or(ChangeError::UnknownKey)?;
        let key = key.clone();
        let old_name = team.name.clone();
        if let Some(name) = &change.name {
            self.check_name(name, &key)?;
        }
        self.invalidate_lists();
        let Some(team) = self.teams.get_mut(&key) else { return Err(ChangeError::UnknownKey) };
        if let Some(name) = change.name {
            self.names.remove(&old_name);
            self.names.insert(name.clone(), key.clone());
            team.name = name;
        }
        team.display_name = change.display_name.unwrap_or_else(|| team.display_name.clone());
        team.is_private = change.is_private.unwrap_or(team.is_private);
        team.owner = change.owner.map_or_else(|| team.owner.clone(), Key::from);
        team.date_created = change.date_created.unwrap_or(team.date_created);
        change.join.iter().for_each(|team| self.join(team, &key, now));
        change.leave.iter().for_each(|team| self.leave(team, &key));
        Ok(())
    }

    /// Removes a team. Its name is available immediately.
    pub fn remove_team(&mut self, key: &str) -> Result<(), ChangeError> {
        let key = self.team_by_key_or_name(key).map(|(key, _)| key.clone()).ok_or(ChangeError::UnknownKey)?;
        let team = self.teams.remove(&key).ok_or(ChangeError::UnknownKey)?;
        self.release_name(&team.name, &key);
        self.end_memberships(&key);
        Ok(())
    }

    /// Makes the name available, unless it belongs to another key by now.
    fn release_name(&mut self, name: &str, key: &str) {
        if self.names.get(name).is_some_and(|owner| **owner == *key) {
            self.names.remove(name);
        }
    }

    pub(super) fn end_memberships(&mut self, key: &str) {
        self.invalidate_lists();
        for team in self.teams.values_mut() {
            team.memberships.remove(key);
        }
    }

    /// A key for a new person or team. launchpad.md, 3: a released name is available to everyone; its first owner keeps
    /// the key.
    fn choose_key(&self, name: &str) -> Result<Key, ChangeError> {
        if !is_name(name) {
            return Err(ChangeError::InvalidName);
        }
        if self.names.contains_key(name) {
            return Err(ChangeError::AlreadyUsed);
        }
        let mut keys = std::iter::once(name.to_owned()).chain((2_u64..).map(|number| format!("{name}~{number}")));
        keys.find(|key| !self.has_key(key)).map(Key::from).ok_or(ChangeError::AlreadyUsed)
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn insert_person(&mut self, key: Key, person: Person) -> &mut Person {
        self.logins.insert(person.identifier.clone(), key.clone());
        if person.presence == Presence::Person {
            self.names.insert(person.name.clone(), key.clone());
            self.identifiers.insert(person.identifier.clone(), key.clone());
        }
        self.people.entry(key).insert_entry(person).into_mut()
    }

    /// Returns the key of the team with this key or name. Creates the team if it is missing.
    pub(super) fn ensure_team(&mut self, team: &str) -> Key {
        if let Some((key, _)) = self.team_by_key_or_name(team) {
            return key.clone();
        }
        let key = Key::from(team);
        self.insert_team(key.clone(), team);
        key
    }

    fn insert_team(&mut self, key: Key, name: &str) {
        let number = self.teams.len() as u64;
        let team = Team {
            id: FIRST_TEAM_ID + number,
            name: name.to_owned(),
            display_name: name.to_owned(),
            date_created: super::seed::unique_date(number),
            is_private: false,
            owner: DEFAULT_OWNER.into(),
            memberships: BTreeMap::new(),
        };
        self.names.insert(name.to_owned(), key.clone());
        self.teams.insert(key, team);
    }

    /// Makes a person or team a direct member of a team.
    pub(super) fn join(&mut self, team: &str, member: &str, now: Timestamp) {
        self.invalidate_lists();
        let membership = Membership {
            status: Status::Approved,
            joined: now - SignedDuration::from_hours(24 * 400),
            // People renew their membership; that of a team does not expire.
            expires: (!self.teams.contains_key(member)).then(|| now + SignedDuration::from_hours(24 * 330)),
        };
        let team = self.ensure_team(team);
        if let Some(team) = self.teams.get_mut(&team) {
            team.memberships.insert(member.into(), membership);
        }
    }

    /// Expires a membership. launchpad.md, 3: it stays active until a daily job runs; this function is that job.
    pub(super) fn expire(&mut self, team: &str, member: &str, when: Timestamp) {
        self.invalidate_lists();
        let team = self.ensure_team(team);
        let membership = self.teams.get_mut(&team).and_then(|team| team.memberships.get_mut(member));
        if let Some(membership) = membership {
            membership.status = Status::Expired;
            membership.expires = Some(when);
        }
    }
}
