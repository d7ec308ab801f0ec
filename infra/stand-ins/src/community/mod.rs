//! The made-up community: people, teams, and who is a member where.

mod change;
mod person;
mod seed;
mod team;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

pub use change::{Change, ChangeError, NewPerson};
pub use person::Person;
pub use seed::Seed;
pub use team::{Membership, Status, Team};

/// What stays of a person or team: the name that they had at the start.
pub type Key = Arc<str>;

/// People and teams, found quickly by all that they are asked for by.
#[derive(Clone, Debug, Default)]
pub struct Community {
    people: BTreeMap<Key, Person>,
    teams: BTreeMap<Key, Team>,
    /// People whom Launchpad knows, by their name just now.
    names: HashMap<String, Key>,
    words: HashMap<String, Key>,
    /// Lists in the order of names, kept until somebody joins, leaves or is renamed: a page must not cost its team.
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

    /// The team of that name; teams are not renamed here.
    pub fn team(&self, name: &str) -> Option<(&Key, &Team)> {
        self.teams.get_key_value(name)
    }

    /// The person of that name just now, if Launchpad knows them.
    pub fn by_name(&self, name: &str) -> Option<(&Key, &Person)> {
        self.names.get(name).and_then(|key| self.people.get_key_value(key))
    }

    /// The person of that word in the identifier.
    pub fn by_word(&self, word: &str) -> Option<(&Key, &Person)> {
        self.words.get(word).and_then(|key| self.people.get_key_value(key))
    }

    /// What a name on Launchpad leads to: the key of a person or of a team.
    pub fn key_of(&self, name: &str) -> Option<Key> {
        let person = self.names.get(name).cloned();
        person.or_else(|| self.teams.get_key_value(name).map(|(key, _)| key.clone()))
    }

    /// What somebody or a team is called just now.
    pub fn name_of<'a>(&'a self, key: &'a str) -> &'a str {
        self.people.get(key).map_or(key, |person| &person.name)
    }

    /// All teams that a person or team takes part in, through others too.
    pub fn teams_of(&self, member: &str) -> BTreeSet<Key> {
        let mut found = BTreeSet::new();
        let mut open = vec![Key::from(member)];
        while let Some(member) = open.pop() {
            for (name, team) in &self.teams {
                if team.has(&member) && found.insert(name.clone()) {
                    open.push(name.clone());
                }
            }
        }
        found
    }

    /// Everybody who takes part in a team, through others too, and these others; in the order of names.
    pub fn participants(&mut self, team: &str) -> Arc<[Key]> {
        if let Some(list) = self.participants.get(team) {
            return list.clone();
        }
        let (mut found, mut open) = (HashSet::new(), vec![Key::from(team)]);
        while let Some(team) = open.pop() {
            for member in self.teams.get(&team).into_iter().flat_map(Team::active) {
                if found.insert(member.clone()) && self.teams.contains_key(member) {
                    open.push(member.clone());
                }
            }
        }
        let list = self.in_order(found);
        self.participants.insert(team.into(), list.clone());
        list
    }

    /// The direct members of a team, in the order of names.
    pub fn members(&mut self, team: &str) -> Arc<[Key]> {
        if let Some(list) = self.members.get(team) {
            return list.clone();
        }
        let list = self.in_order(self.teams.get(team).into_iter().flat_map(Team::active).cloned());
        self.members.insert(team.into(), list.clone());
        list
    }

    fn in_order(&self, keys: impl IntoIterator<Item = Key>) -> Arc<[Key]> {
        let mut keys: Vec<_> = keys.into_iter().collect();
        // Looked up once each: of a large team, comparisons are many more than people.
        keys.sort_by_cached_key(|key| self.name_of(key).to_owned());
        keys.into()
    }

    /// The lists may be other ones now.
    fn forget_lists(&mut self) {
        self.participants.clear();
        self.members.clear();
    }
}
