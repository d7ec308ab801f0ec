//! Lists of people and teams in Launchpad's order, kept until they change: a page must not cost its team.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::{Community, Key, Team};

impl Community {
    /// All teams that a person or team takes part in, through others too, by their keys.
    pub fn teams_of(&self, member: &str) -> BTreeSet<Key> {
        let mut found = BTreeSet::new();
        let mut open = vec![Key::from(member)];
        while let Some(member) = open.pop() {
            for (key, team) in &self.teams {
                if team.has(&member) && found.insert(key.clone()) {
                    open.push(key.clone());
                }
            }
        }
        found
    }

    /// launchpad.md, 5: all people and teams in the team, directly and through sub-teams; not the team itself.
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
        found.remove(team);
        let list = self.in_order(found);
        self.participants.insert(team.into(), list.clone());
        list
    }

    /// The direct members of a team.
    pub fn members(&mut self, team: &str) -> Arc<[Key]> {
        if let Some(list) = self.members.get(team) {
            return list.clone();
        }
        let list = self.in_order(self.teams.get(team).into_iter().flat_map(Team::active).cloned());
        self.members.insert(team.into(), list.clone());
        list
    }

    /// launchpad.md, 5: by display name, lower-cased and without digits and punctuation, then by name.
    pub(crate) fn in_order(&self, keys: impl IntoIterator<Item = Key>) -> Arc<[Key]> {
        let is_listed = |key: &Key| self.people.get(key).is_none_or(|person| !person.is_never_listed());
        let mut keys: Vec<_> = keys.into_iter().filter(is_listed).collect();
        // One look-up for each: a large team has many more comparisons than people.
        keys.sort_by_cached_key(|key| (sort_text(self.display_name_of(key)), self.name_of(key).to_owned()));
        keys.into()
    }

    /// Drops the kept lists after a change of names or memberships.
    pub(super) fn forget_lists(&mut self) {
        self.participants.clear();
        self.members.clear();
    }
}

fn sort_text(display_name: &str) -> String {
    let is_kept = |letter: &char| letter.is_alphabetic() || letter.is_whitespace();
    display_name.to_lowercase().chars().filter(is_kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("Alice Adams", "alice adams")]
    #[case("O'Neil 2nd", "oneil nd")]
    #[case("Éva-Mária", "évamária")]
    fn sort_text_lacks_digits_and_punctuation(#[case] display_name: &str, #[case] expected: &str) {
        assert_eq!(sort_text(display_name), expected);
    }
}
