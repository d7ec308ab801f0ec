//! The invented community: people, teams and memberships.

mod account;
mod add;
mod change;
mod event;
mod lists;
mod person;
mod scenarios;
mod seed;
mod team;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub use account::{AccountStatus, PageState, Presence};
pub use add::{NewPerson, NewTeam, TeamChange};
pub use change::{ChangeError, PersonChange};
pub use event::Event;
pub use person::Person;
pub use seed::Seed;
pub use team::{Membership, Status, Team};

/// Immutable id of a person or team in the controls: usually its original name.
pub type Key = Arc<str>;

/// People and teams, with their indexes.
#[derive(Clone, Debug, Default)]
pub struct Community {
    people: BTreeMap<Key, Person>,
    teams: BTreeMap<Key, Team>,
    /// Keys by current name. launchpad.md, 7: people and teams share one namespace.
    names: HashMap<String, Key>,
    /// Logins at Ubuntu One, by the last segment of the claimed identifier.
    logins: HashMap<String, Key>,
    /// People on Launchpad, by the last segment of the claimed identifier. launchpad.md, 3: merging or closing an
    /// account changes this index and not the login.
    identifiers: HashMap<String, Key>,
    /// Cached participants by team.
    participants: HashMap<Key, Arc<[Key]>>,
    /// Cached direct members by team.
    members: HashMap<Key, Arc<[Key]>>,
    last_id: u64,
}

impl Community {
    /// All people with their keys.
    pub fn people(&self) -> impl Iterator<Item = (&Key, &Person)> {
        self.people.iter()
    }

    /// All teams with their keys.
    pub fn teams(&self) -> impl Iterator<Item = (&Key, &Team)> {
        self.teams.iter()
    }

    /// The person with this key.
    pub fn person(&self, key: &str) -> Option<&Person> {
        self.people.get(key)
    }

    /// The team with this key.
    pub fn team(&self, key: &str) -> Option<(&Key, &Team)> {
        self.teams.get_key_value(key)
    }

    /// The team with this key, or else with this current name.
    pub fn team_by_key_or_name(&self, text: &str) -> Option<(&Key, &Team)> {
        self.team(text).or_else(|| self.names.get(text).and_then(|key| self.team(key)))
    }

    /// The person with this current name.
    pub fn person_by_name(&self, name: &str) -> Option<(&Key, &Person)> {
        self.names.get(name).and_then(|key| self.people.get_key_value(key))
    }

    /// The login with this identifier at Ubuntu One.
    pub fn login_by_identifier(&self, identifier: &str) -> Option<(&Key, &Person)> {
        self.logins.get(identifier).and_then(|key| self.people.get_key_value(key))
    }

    /// The person on Launchpad that an identifier leads to.
    pub fn person_by_identifier(&self, identifier: &str) -> Option<(&Key, &Person)> {
        self.identifiers.get(identifier).and_then(|key| self.people.get_key_value(key))
    }

    /// The key of the person or team with this current name.
    pub fn key_by_name(&self, name: &str) -> Option<Key> {
        self.names.get(name).cloned()
    }

    /// Whether a person or team has this key.
    pub fn has_key(&self, key: &str) -> bool {
        self.people.contains_key(key) || self.teams.contains_key(key)
    }

    /// The current name of a person or team.
    pub fn name_of<'a>(&'a self, key: &'a str) -> &'a str {
        match (self.people.get(key), self.teams.get(key)) {
            (Some(person), _) => &person.name,
            (None, Some(team)) => &team.name,
            (None, None) => key,
        }
    }

    /// The current display name of a person or team.
    fn display_name_of<'a>(&'a self, key: &'a str) -> &'a str {
        match (self.people.get(key), self.teams.get(key)) {
            (Some(person), _) => &person.display_name,
            (None, Some(team)) => &team.display_name,
            (None, None) => key,
        }
    }

    /// Whether pages of the web service hide this entry. launchpad.md, 5: only private teams are hidden.
    pub fn is_hidden(&self, key: &str) -> bool {
        self.teams.get(key).is_some_and(|team| team.is_private)
    }
}
