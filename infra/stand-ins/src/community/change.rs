//! What the switches change.

use std::collections::BTreeSet;

use jiff::Timestamp;
use membermail_core::member::LaunchpadName;
use serde::Deserialize;

use super::{Community, Key, Person, Status};

/// A change of a person; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Change {
    name: Option<String>,
    /// The last part of their identifier: from now on the person signs in by another one.
    word: Option<String>,
    nickname: Option<String>,
    email: Option<String>,
    language: Option<String>,
    signed: Option<bool>,
    is_valid: Option<bool>,
    suspended: Option<bool>,
    is_team: Option<bool>,
    /// The teams that they are a direct member of from now on, and no others.
    teams: Option<BTreeSet<String>>,
    join: BTreeSet<String>,
    leave: BTreeSet<String>,
    /// Teams in which the membership runs out now.
    expire: BTreeSet<String>,
}

/// Somebody who is added.
#[derive(Clone, Debug, Deserialize)]
pub struct NewPerson {
    name: String,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    teams: BTreeSet<String>,
}

/// Why a change is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeError {
    /// There is nobody of that key.
    Nobody,
    /// Somebody else or a team has that name.
    Taken,
    /// Launchpad could not give that name.
    NotAName,
    /// There is no such membership.
    NoMember,
}

impl Community {
    /// Adds somebody; their key is their name.
    pub fn add(&mut self, new: NewPerson, now: Timestamp) -> Result<Key, ChangeError> {
        let NewPerson { name, email, teams } = new;
        let key = Key::from(name);
        self.check_name(&key, &key)?;
        if self.people.contains_key(&key) {
            return Err(ChangeError::Taken);
        }
        let id = self.next_id();
        let mut person = Person::new(id, &key);
        person.email = email.unwrap_or(person.email);
        self.insert(key.clone(), person);
        teams.iter().for_each(|team| self.join(team, &key, now));
        Ok(key)
    }

    /// Takes somebody away, as if they had never been.
    pub fn remove(&mut self, key: &str) -> Result<(), ChangeError> {
        let person = self.people.remove(key).ok_or(ChangeError::Nobody)?;
        if self.names.get(&person.name).is_some_and(|of| **of == *key) {
            self.names.remove(&person.name);
        }
        self.words.remove(&person.word);
        for team in self.teams.values_mut() {
            team.memberships.remove(key);
        }
        self.forget_lists();
        Ok(())
    }

    /// Changes somebody, wholly or not at all.
    pub fn change(&mut self, key: &str, change: Change, now: Timestamp) -> Result<(), ChangeError> {
        let key = self.people.get_key_value(key).map(|(key, _)| key.clone()).ok_or(ChangeError::Nobody)?;
        if let Some(name) = &change.name {
            self.check_name(name, &key)?;
        }
        if change.word.as_ref().and_then(|word| self.words.get(word)).is_some_and(|of| *of != key) {
            return Err(ChangeError::Taken);
        }
        let has = |team: &String| self.teams.get(team.as_str()).is_some_and(|team| team.memberships.contains_key(&key));
        if !change.leave.iter().chain(&change.expire).all(has) {
            return Err(ChangeError::NoMember);
        }
        if let Some(name) = change.name.clone() {
            self.rename(&key, name);
        }
        if let Some(person) = self.people.get_mut(&key) {
            person.revision += 1;
            if let Some(word) = change.word {
                self.words.remove(&person.word);
                self.words.insert(word.clone(), key.clone());
                person.word = word;
            }
            person.nickname = change.nickname.unwrap_or_else(|| person.nickname.clone());
            person.email = change.email.unwrap_or_else(|| person.email.clone());
            person.language = change.language.unwrap_or_else(|| person.language.clone());
            person.signed = change.signed.unwrap_or(person.signed);
            person.is_valid = change.is_valid.unwrap_or(person.is_valid);
            person.suspended = change.suspended.unwrap_or(person.suspended);
            person.is_team = change.is_team.unwrap_or(person.is_team);
        }
        if let Some(wanted) = change.teams {
            let now_in: Vec<_> =
                self.teams.iter().filter(|(_, team)| team.has(&key)).map(|(name, _)| name.clone()).collect();
            now_in.iter().filter(|team| !wanted.contains(&***team)).for_each(|team| self.leave(team, &key));
            wanted
                .iter()
                .filter(|team| !now_in.iter().any(|has| **has == ***team))
                .for_each(|team| self.join(team, &key, now));
        }
        change.join.iter().for_each(|team| self.join(team, &key, now));
        change.leave.iter().for_each(|team| self.leave(team, &key));
        change.expire.iter().for_each(|team| {
            self.expire(team, &key, now);
        });
        Ok(())
    }

    fn leave(&mut self, team: &str, key: &str) {
        self.forget_lists();
        if let Some(membership) = self.teams.get_mut(team).and_then(|team| team.memberships.get_mut(key)) {
            membership.status = Status::Deactivated;
        }
    }

    fn rename(&mut self, key: &Key, name: String) {
        self.forget_lists();
        let Some(person) = self.people.get_mut(key) else { return };
        self.names.remove(&person.name);
        if person.known {
            self.names.insert(name.clone(), key.clone());
        }
        person.name = name;
    }

    fn check_name(&self, name: &str, key: &Key) -> Result<(), ChangeError> {
        LaunchpadName::parse(name).map_err(|_| ChangeError::NotAName)?;
        let is_free =
            self.names.get(name).is_none_or(|of| of == key) && (!self.teams.contains_key(name) || **key == *name);
        if is_free { Ok(()) } else { Err(ChangeError::Taken) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Seed;
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn community() -> Community {
        Community::seeded(&Seed { people: 100, all_in: None, now: NOW })
    }

    fn change(json: serde_json::Value) -> Change {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_name_that_was_given_up_can_be_taken_and_a_taken_one_cannot() {
        let mut community = community();
        let to_alice = || change(serde_json::json!({ "name": "alice" }));
        assert_eq!(community.change("bob", to_alice(), NOW), Err(ChangeError::Taken));
        community.change("alice", change(serde_json::json!({ "name": "alice2" })), NOW).unwrap();
        community.change("bob", to_alice(), NOW).unwrap();
        assert_eq!(&**community.by_name("alice").unwrap().0, "bob");
        assert_eq!(&**community.by_name("alice2").unwrap().0, "alice");
        assert!(community.by_name("bob").is_none());
    }

    #[rstest::rstest]
    #[case("a team's", "ubuntumembers", ChangeError::Taken)]
    #[case("not Launchpad's", "Al Ice", ChangeError::NotAName)]
    fn names_that_nobody_can_have(#[case] _what: &str, #[case] name: &str, #[case] expected: ChangeError) {
        assert_eq!(community().change("alice", change(serde_json::json!({ "name": name })), NOW), Err(expected));
    }

    #[test]
    fn lists_follow_the_changes() {
        let mut community = community();
        let is_in = |community: &mut Community, key: &str| {
            community.participants("ubuntumembers").iter().any(|member| &**member == key)
        };
        assert!(is_in(&mut community, "alice") && !is_in(&mut community, "carol"));
        community.change("carol", change(serde_json::json!({ "join": ["ubuntumembers"] })), NOW).unwrap();
        community.change("alice", change(serde_json::json!({ "expire": ["ubuntumembers"] })), NOW).unwrap();
        assert!(!is_in(&mut community, "alice") && is_in(&mut community, "carol"));
        community.change("alice", change(serde_json::json!({ "teams": ["ubuntumembers"] })), NOW).unwrap();
        community.change("carol", change(serde_json::json!({ "teams": [] })), NOW).unwrap();
        assert!(is_in(&mut community, "alice") && !is_in(&mut community, "carol"));
        let absent = change(serde_json::json!({ "leave": ["lubuntu-members"] }));
        assert_eq!(community.change("alice", absent, NOW), Err(ChangeError::NoMember));
    }

    #[test]
    fn people_come_and_go() {
        let mut community = community();
        let walter = || serde_json::from_str(r#"{ "name": "walter", "teams": ["ubuntumembers"] }"#).unwrap();
        community.add(walter(), NOW).unwrap();
        assert_eq!(community.add(walter(), NOW), Err(ChangeError::Taken));
        let word = community.by_name("walter").unwrap().1.word.clone();
        assert!(community.teams_of("walter").contains("ubuntumembers"));
        community.remove("walter").unwrap();
        assert!(community.by_name("walter").is_none() && community.by_word(&word).is_none());
        assert_eq!(community.remove("walter"), Err(ChangeError::Nobody));
    }
}
