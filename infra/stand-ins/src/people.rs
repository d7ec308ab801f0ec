//! A made-up community of some 2,000 people, the same at every start.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// The teams that give addresses, with about how many of the crowd are in each.
const TEAMS: [(&str, usize); 6] = [
    ("ubuntumembers", 3),
    ("kubuntu-members", 7),
    ("lubuntu-members", 11),
    ("edubuntu-members", 13),
    ("ubuntustudio-core", 17),
    ("ubuntu-smtp-test", 97),
];
const CROWD: u64 = 1_950;

/// Somebody, as the provider and Launchpad know them.
#[derive(Clone, Debug)]
pub struct Person {
    /// Launchpad's id.
    pub id: u64,
    /// Launchpad's name just now.
    pub name: String,
    /// The word at the end of the claimed identifier.
    pub word: String,
    /// What the provider calls them: the name of when they signed up.
    pub nickname: String,
    /// The address that the provider knows.
    pub email: String,
    /// An active account.
    pub is_valid: bool,
    /// Signed the Code of Conduct.
    pub signed: bool,
    /// Their page is gone.
    pub suspended: bool,
    /// Whether Launchpad has an account for them.
    pub known: bool,
    /// What they show, for the list at the provider.
    pub shows: &'static str,
}

/// A change of a person, by the control interface.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    name: Option<String>,
    email: Option<String>,
    signed: Option<bool>,
    is_valid: Option<bool>,
    teams: Option<BTreeSet<String>>,
}

/// People and teams.
#[derive(Clone, Debug, Default)]
pub struct People {
    /// By a key that stays: the name that they had at the start.
    pub persons: BTreeMap<String, Person>,
    /// A team's direct members: keys of persons, or names of teams.
    pub teams: BTreeMap<String, BTreeSet<String>>,
}

impl People {
    /// The community at its start.
    pub fn seeded() -> Self {
        let mut people = Self::default();
        for (team, _) in TEAMS {
            people.teams.insert(team.to_owned(), BTreeSet::new());
        }
        people.named();
        for number in 1..=40 {
            people.add(&format!("pat{number:02}"), "a member of ubuntu.com, for trying things", &["ubuntumembers"]);
        }
        for number in 1..=CROWD {
            let index = usize::try_from(number).unwrap_or_default();
            let teams: Vec<&str> = TEAMS.iter().filter(|(_, each)| index % each == 0).map(|(team, _)| *team).collect();
            people.add(&format!("member{number:04}"), "", &teams);
        }
        people
    }

    fn named(&mut self) {
        self.add("alice", "gets addresses at ubuntu.com and kubuntu.org", &["ubuntumembers", "kubuntu-members"]);
        // A team within a team within a team: only participation tells that bob is in.
        self.add("bob", "is a member through a team within a team", &["ubuntu-translators-core"]);
        self.join("ubuntu-translators", "ubuntu-translators-core");
        self.join("ubuntumembers", "ubuntu-translators");
        self.add("carol", "is in none of the teams", &[]);
        self.add("dave", "has not signed the Code of Conduct", &["ubuntumembers"]).signed = false;
        self.add("erin", "has an account that is not active", &["ubuntumembers"]).is_valid = false;
        self.add("frank", "is suspended", &["ubuntumembers"]).suspended = true;
        self.add("grace", "was renamed; the login still says grace-old", &["ubuntumembers"]).nickname =
            "grace-old".to_owned();
        self.add("grace-old", "took the name that grace gave up", &[]);
        self.add("heidi+tag", "has a plus in the name", &["ubuntumembers"]);
        self.add("ivan..dots", "has a name that is no address", &["ubuntumembers"]);
        self.add("postmaster", "has a name that is reserved", &["ubuntumembers"]);
        self.add("loop", "signs in with an address of the community", &["ubuntumembers"]).email =
            "loop@ubuntu.com".to_owned();
        self.add("nobody-here", "has no Launchpad account", &[]).known = false;
        self.add("smtp-tester", "is in the test team only", &["ubuntu-smtp-test"]);
    }

    fn add(&mut self, name: &str, shows: &'static str, teams: &[&str]) -> &mut Person {
        for team in teams {
            self.join(team, name);
        }
        let id = 1_000 + self.persons.len() as u64;
        let person = Person {
            id,
            name: name.to_owned(),
            word: word(id),
            nickname: name.to_owned(),
            email: format!("{}@mail.example", name.replace('+', "-").replace("..", ".")),
            is_valid: true,
            signed: true,
            suspended: false,
            known: true,
            shows,
        };
        self.persons.entry(name.to_owned()).or_insert(person)
    }

    fn join(&mut self, team: &str, member: &str) {
        self.teams.entry(team.to_owned()).or_default().insert(member.to_owned());
    }

    /// Applies a change; `false` where there is nobody of that key.
    pub fn change(&mut self, key: &str, change: Change) -> bool {
        let Some(person) = self.persons.get_mut(key) else { return false };
        let Change { name, email, signed, is_valid, teams } = change;
        person.name = name.unwrap_or_else(|| person.name.clone());
        person.email = email.unwrap_or_else(|| person.email.clone());
        person.signed = signed.unwrap_or(person.signed);
        person.is_valid = is_valid.unwrap_or(person.is_valid);
        if let Some(wanted) = teams {
            self.teams.values_mut().for_each(|members| {
                members.remove(key);
            });
            wanted.iter().for_each(|team| self.join(team, key));
        }
        true
    }

    /// The person of that name just now, with their key.
    pub fn by_name(&self, name: &str) -> Option<(&String, &Person)> {
        self.persons.iter().find(|(_, person)| person.name == name && person.known)
    }

    /// The person of that word, with their key.
    pub fn by_word(&self, word: &str) -> Option<(&String, &Person)> {
        self.persons.iter().find(|(_, person)| person.word == word)
    }

    /// All teams that a person or team takes part in, through others too.
    pub fn teams_of(&self, member: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut open = vec![member.to_owned()];
        while let Some(member) = open.pop() {
            for (team, members) in &self.teams {
                if members.contains(&member) && found.insert(team.clone()) {
                    open.push(team.clone());
                }
            }
        }
        found
    }

    /// All participants of a team: keys of persons and names of teams, through others too.
    pub fn participants(&self, team: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut open = vec![team.to_owned()];
        while let Some(team) = open.pop() {
            for member in self.teams.get(&team).into_iter().flatten() {
                if found.insert(member.clone()) {
                    open.push(member.clone());
                }
            }
        }
        found
    }
}

/// Seven letters and digits that look drawn by lot, as the provider's do.
fn word(id: u64) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";
    let mut state = id.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (0..7)
        .map(|_| {
            state = state.rotate_left(17).wrapping_mul(0x2545_F491_4F6C_DD1D);
            let index = usize::try_from(state >> 40).unwrap_or_default() % LETTERS.len();
            char::from(LETTERS[index])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_an_id_and_a_word_of_their_own() {
        let people = People::seeded();
        assert!(people.persons.len() > 1_990);
        let words: BTreeSet<_> = people.persons.values().map(|person| &person.word).collect();
        assert_eq!(words.len(), people.persons.len());
    }

    #[test]
    fn participation_goes_through_teams() {
        let people = People::seeded();
        let teams = people.teams_of("bob");
        assert!(teams.contains("ubuntumembers") && teams.contains("ubuntu-translators"));
        assert!(people.participants("ubuntumembers").contains("bob"));
    }
}
