//! Lists of people and teams in Launchpad's order, cached so that the cost of a page does not grow with its team.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::{Community, Key, Team};

impl Community {
    /// Keys of all teams of a person or team, direct and indirect.
    pub fn teams_of(&self, member: &str) -> BTreeSet<Key> {
        let mut found = BTreeSet::new();
        let mut pending = vec![Key::from(member)];
        while let Some(member) = pending.pop() {
            for (key, team) in &self.teams {
                if team.has(&member) && found.insert(key.clone()) {
                    pending.push(key.clone());
                }
            }
        }
        found
    }

    /// launchpad.md, 5: all people and teams in a team, directly and through sub-teams, without the team itself.
    pub fn participants(&mut self, team: &str) -> Arc<[Key]> {
        if let Some(list) = self.participants.get(team) {
            return list.clone();
        }
        let mut found = HashSet::new();
        let mut pending = vec![Key::from(team)];
        while let Some(team) = pending.pop() {
            for member in self.teams.get(&team).into_iter().flat_map(Team::active) {
                if found.insert(member.clone()) && self.teams.contains_key(member) {
                    pending.push(member.clone());
                }
            }
        }
        found.remove(team);
        let list = self.sort_listed(found);
        self.participants.insert(team.into(), list.clone());
        list
    }

    /// The direct members of a team.
    pub fn members(&mut self, team: &str) -> Arc<[Key]> {
        if let Some(list) = self.members.get(team) {
            return list.clone();
        }
        let list = self.sort_listed(self.teams.get(team).into_iter().flat_map(Team::active).cloned());
        self.members.insert(team.into(), list.clone());
        list
    }

    /// Sorts the keys without those that are never listed. launchpad.md, 5: by display name, lower-cased and without
    /// digits and punctuation, then by name.
    pub(crate) fn sort_listed(&self, keys: impl IntoIterator<Item = Key>) -> Arc<[Key]> {
        let mut keys: Vec<_> = keys.into_iter().collect();
        keys.retain(|key| self.people.get(key).is_none_or(|person| !person.is_never_listed()));
        // Cached keys: sorting a large team compares each person many times.
        keys.sort_by_cached_key(|key| (sort_text(self.display_name_of(key)), self.name_of(key).to_owned()));
        keys.into()
    }

    /// Invalidates the cached lists after a change of names or memberships.
    pub(super) fn invalidate_lists(&mut self) {
        self.participants.clear();
        self.members.clear();
    }
}

fn sort_text(display_name: &str) -> String {
    let letters = display_name.to_lowercase();
    letters.chars().filter(|letter| letter.is_alphabetic() || letter.is_whitespace()).collect()
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
