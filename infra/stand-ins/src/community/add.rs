//! People and teams that the controls add, change and take away.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::account::{AccountStatus, Presence};
use super::change::{ChangeError, is_name};
use super::{Community, Key, Membership, Person, Status, Team};

/// Teams have ids of their own range, whatever the number of people is.
const TEAM_IDS: u64 = 1_000_000_000;
/// The key of the owner of all teams that name no other.
pub(super) const OWNER: &str = "ubuntu-admin";

/// A person who is added.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewPerson {
    name: String,
    display_name: Option<String>,
    email: Option<String>,
    teams: BTreeSet<String>,
    /// "Active", where it is absent.
    status: Option<AccountStatus>,
    /// True: Ubuntu One has a login and Launchpad has nothing.
    is_unknown: bool,
    /// The time of the request, where it is absent.
    date_created: Option<Timestamp>,
}

/// A team that is added.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewTeam {
    name: String,
    display_name: Option<String>,
    is_private: bool,
    owner: Option<String>,
    date_created: Option<Timestamp>,
    /// Keys of people and teams that are its direct members.
    members: BTreeSet<String>,
    /// Teams that it is a member of.
    join: BTreeSet<String>,
}

/// A change of a team; an absent field stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TeamChange {
    /// launchpad.md, 3: the old name is 404 and free at once.
    name: Option<String>,
    display_name: Option<String>,
    is_private: Option<bool>,
    /// The key of the owner.
    owner: Option<String>,
    date_created: Option<Timestamp>,
    /// Teams that it becomes a member of.
    join: BTreeSet<String>,
    /// Teams that it leaves.
    leave: BTreeSet<String>,
}

impl Community {
    /// Adds a person; the key is the name, unless another one has that key.
    pub fn add(&mut self, new: NewPerson, now: Timestamp) -> Result<Key, ChangeError> {
        let key = self.new_key(&new.name)?;
        let id = self.next_id();
        let mut person = Person::new(id, &Key::from(new.name), new.date_created.unwrap_or(now));
        person.display_name = new.display_name.unwrap_or(person.display_name);
        person.email = new.email.unwrap_or(person.email);
        person.status = new.status.unwrap_or(person.status);
        if new.is_unknown {
            person.presence = Presence::Nothing;
        }
        let is_known = person.presence == Presence::Person;
        self.insert(key.clone(), person);
        new.teams.iter().filter(|_| is_known).for_each(|team| self.join(team, &key, now));
        Ok(key)
    }

    /// Takes a person away, as if they had never been.
    pub fn remove(&mut self, key: &str) -> Result<(), ChangeError> {
        let person = self.people.remove(key).ok_or(ChangeError::UnknownKey)?;
        self.free(&person.name, key);
        self.logins.retain(|_, of| **of != *key);
        self.identifiers.retain(|_, of| **of != *key);
        self.end_memberships(key);
        Ok(())
    }

    /// Adds a team; the key is the name, unless another one has that key.
    pub fn add_new_team(&mut self, new: NewTeam, now: Timestamp) -> Result<Key, ChangeError> {
        let key = self.new_key(&new.name)?;
        if !new.members.iter().all(|key| self.people.contains_key(&**key) || self.teams.contains_key(&**key)) {
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

    /// Changes a team, wholly or not at all.
    pub fn change_team(&mut self, key: &str, change: TeamChange, now: Timestamp) -> Result<(), ChangeError> {
        let (key, team) = self.team_by_key_or_name(key).ok_or(ChangeError::UnknownKey)?;
        let (key, old) = (key.clone(), team.name.clone());
        if let Some(name) = &change.name {
            self.check_name(name, &key)?;
        }
        self.forget_lists();
        let Some(team) = self.teams.get_mut(&key) else { return Err(ChangeError::UnknownKey) };
        if let Some(name) = change.name {
            self.names.remove(&old);
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

    /// Deletes a team. Its name is free at once.
    pub fn remove_team(&mut self, key: &str) -> Result<(), ChangeError> {
        let key = self.team_by_key_or_name(key).map(|(key, _)| key.clone()).ok_or(ChangeError::UnknownKey)?;
        let team = self.teams.remove(&key).ok_or(ChangeError::UnknownKey)?;
        self.free(&team.name, &key);
        self.end_memberships(&key);
        Ok(())
    }

    fn free(&mut self, name: &str, key: &str) {
        if self.names.get(name).is_some_and(|of| **of == *key) {
            self.names.remove(name);
        }
    }

    pub(super) fn end_memberships(&mut self, key: &str) {
        self.forget_lists();
        for team in self.teams.values_mut() {
            team.memberships.remove(key);
        }
    }

    /// launchpad.md, 3: a freed name can be taken by anyone, but its first owner keeps the key.
    fn new_key(&self, name: &str) -> Result<Key, ChangeError> {
        if !is_name(name) {
            return Err(ChangeError::NotAName);
        }
        if self.names.contains_key(name) {
            return Err(ChangeError::Taken);
        }
        let is_free = |key: &String| !self.people.contains_key(&**key) && !self.teams.contains_key(&**key);
        let mut keys = std::iter::once(name.to_owned()).chain((2_u64..).map(|number| format!("{name}~{number}")));
        keys.find(is_free).map(Key::from).ok_or(ChangeError::Taken)
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn insert(&mut self, key: Key, person: Person) -> &mut Person {
        self.logins.insert(person.word.clone(), key.clone());
        if person.presence == Presence::Person {
            self.names.insert(person.name.clone(), key.clone());
            self.identifiers.insert(person.word.clone(), key.clone());
        }
        self.people.entry(key).insert_entry(person).into_mut()
    }

    /// The key of the team of that key or name; a team that is missing is made.
    pub(super) fn team_key(&mut self, team: &str) -> Key {
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
            id: TEAM_IDS + number,
            name: name.to_owned(),
            display_name: name.to_owned(),
            date_created: super::seed::date_of(number),
            is_private: false,
            owner: OWNER.into(),
            memberships: BTreeMap::new(),
        };
        self.names.insert(name.to_owned(), key.clone());
        self.teams.insert(key, team);
    }

    /// Makes a person, or a team, a member of a team.
    pub(super) fn join(&mut self, team: &str, member: &str, now: Timestamp) {
        self.forget_lists();
        let membership = Membership {
            status: Status::Approved,
            joined: now - SignedDuration::from_hours(24 * 400),
            // People renew it every other year; a team in a team stays.
            expires: (!self.teams.contains_key(member)).then(|| now + SignedDuration::from_hours(24 * 330)),
        };
        let team = self.team_key(team);
        if let Some(team) = self.teams.get_mut(&team) {
            team.memberships.insert(member.into(), membership);
        }
    }

    /// Ends a membership for want of renewal. launchpad.md, 3: until this control, which is the daily job, it counts.
    pub(super) fn expire(&mut self, team: &str, member: &str, when: Timestamp) {
        self.forget_lists();
        let team = self.team_key(team);
        let membership = self.teams.get_mut(&team).and_then(|team| team.memberships.get_mut(member));
        if let Some(membership) = membership {
            (membership.status, membership.expires) = (Status::Expired, Some(when));
        }
    }
}
