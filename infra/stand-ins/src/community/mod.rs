//! The made-up community: people, teams, and who is a member where.

mod account;
mod add;
mod change;
mod event;
mod lists;
mod named;
mod person;
mod seed;
mod team;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub use account::{AccountStatus, PageState, Presence};
pub use add::{NewPerson, NewTeam, TeamChange};
pub use change::{Change, ChangeError};
pub use event::Event;
pub use person::Person;
pub use seed::Seed;
pub use team::{Membership, Status, Team};

/// The constant reference of a person or team in the controls: mostly the first name.
pub type Key = Arc<str>;

/// People and teams, with an index for each question that is asked.
#[derive(Clone, Debug, Default)]
pub struct Community {
    people: BTreeMap<Key, Person>,
    teams: BTreeMap<Key, Team>,
    /// launchpad.md, 7: people and teams share one space of names.
    names: HashMap<String, Key>,
    /// Logins at Ubuntu One, by the end of the claimed identifier.
    logins: HashMap<String, Key>,
    /// People on Launchpad, by the end of the claimed identifier. launchpad.md, 3: a merge or a closing changes this
    /// and not the login.
    identifiers: HashMap<String, Key>,
    participants: HashMap<Key, Arc<[Key]>>,
    members: HashMap<Key, Arc<[Key]>>,
    last_id: u64,
}

impl Community {
    /// All people, by their keys.
    pub fn people(&self) -> impl Iterator<Item = (&Key, &Person)> {
        self.people.iter()
    }

    /// All teams, by their keys.
    pub fn teams(&self) -> impl Iterator<Item = (&Key, &Team)> {
        self.teams.iter()
    }

    /// The person of that key.
    pub fn person(&self, key: &str) -> Option<&Person> {
        self.people.get(key)
    }

    /// The team of that key.
    pub fn team(&self, key: &str) -> Option<(&Key, &Team)> {
        self.teams.get_key_value(key)
    }

    /// The team of that key, or else of that name just now.
    pub fn team_by_key_or_name(&self, text: &str) -> Option<(&Key, &Team)> {
        self.team(text).or_else(|| self.names.get(text).and_then(|key| self.team(key)))
    }

    /// The person of that name just now.
    pub fn by_name(&self, name: &str) -> Option<(&Key, &Person)> {
        self.names.get(name).and_then(|key| self.people.get_key_value(key))
    }

    /// The login of that identifier at Ubuntu One.
    pub fn login_of(&self, word: &str) -> Option<(&Key, &Person)> {
        self.logins.get(word).and_then(|key| self.people.get_key_value(key))
    }

    /// The person on Launchpad that an identifier leads to.
    pub fn by_identifier(&self, word: &str) -> Option<(&Key, &Person)> {
        self.identifiers.get(word).and_then(|key| self.people.get_key_value(key))
    }

    /// The key of the person or team of that name on Launchpad.
    pub fn key_of(&self, name: &str) -> Option<Key> {
        self.names.get(name).cloned()
    }

    /// The name of a person or team just now.
    pub fn name_of<'a>(&'a self, key: &'a str) -> &'a str {
        let team = || self.teams.get(key).map(|team| team.name.as_str());
        self.people.get(key).map(|person| person.name.as_str()).or_else(team).unwrap_or(key)
    }

    /// The display name of a person or team just now.
    fn display_name_of<'a>(&'a self, key: &'a str) -> &'a str {
        let team = || self.teams.get(key).map(|team| team.display_name.as_str());
        self.people.get(key).map(|person| person.display_name.as_str()).or_else(team).unwrap_or(key)
    }

    /// Whether a page of the web service may have this entry. launchpad.md, 5: only private teams are hidden.
    pub fn is_hidden(&self, key: &str) -> bool {
        self.teams.get(key).is_some_and(|team| team.is_private)
    }
}
