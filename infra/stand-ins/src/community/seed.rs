//! The community at its start: the same people, ids, dates and words every time.

use jiff::{SignedDuration, Timestamp};

use super::{Community, Key, Person};

/// The teams that give addresses, with about how many of the crowd are in each.
const TEAMS: [(&str, usize); 6] = [
    ("ubuntumembers", 3),
    ("kubuntu-members", 7),
    ("lubuntu-members", 11),
    ("edubuntu-members", 13),
    ("ubuntustudio-core", 17),
    ("ubuntu-smtp-test", 97),
];
/// The crowd from here on makes one team large, so all of them are in it.
const MIXED: usize = 1_950;

/// How the community begins.
#[derive(Clone, Debug)]
pub struct Seed {
    /// The number of people in all, but never fewer than have names of their own.
    pub people: usize,
    /// A team that all of the crowd are in.
    pub all_in: Option<String>,
    /// The time of the beginning: memberships are good for a while from then.
    pub now: Timestamp,
}

impl Seed {
    /// A community of some 2,000.
    pub fn usual(now: Timestamp) -> Self {
        Self { people: 2_000, all_in: None, now }
    }
}

impl Community {
    /// The community at its start.
    pub fn seeded(seed: &Seed) -> Self {
        let mut community = Self { last_id: 1_000, ..Self::default() };
        for team in TEAMS.map(|(team, _)| team).into_iter().chain(seed.all_in.as_deref()) {
            community.team_key(team);
        }
        community.add_named(seed.now);
        for number in 1..=99 {
            let teams = &["ubuntumembers"];
            community.seed(&format!("pat{number:02}"), "a member of ubuntu.com, for trying things", teams, seed.now);
        }
        for number in 1..=seed.people.saturating_sub(community.people.len()) {
            let mut teams: Vec<_> =
                TEAMS.iter().filter(|(_, each)| number % each == 0).map(|(team, _)| *team).collect();
            if number > MIXED {
                teams.push(TEAMS[0].0);
            }
            teams.extend(seed.all_in.as_deref());
            community.seed(&format!("member{number:04}"), "", &teams, seed.now);
        }
        community
    }

    pub(super) fn seed(&mut self, name: &str, shows: &'static str, teams: &[&str], now: Timestamp) -> &mut Person {
        let key = Key::from(name);
        for team in teams {
            self.join(team, name, now);
        }
        let id = self.next_id();
        let person = Person { shows, ..Person::new(id, &key, date_of(id)) };
        self.insert(key, person)
    }
}

/// A date with microseconds that no other number has: the seconds differ.
pub(super) fn date_of(number: u64) -> Timestamp {
    const BEGIN: i64 = 1_136_113_200;
    let number = i64::try_from(number % 1_000_000_000).unwrap_or_default();
    let begin = Timestamp::from_second(BEGIN).unwrap_or_default();
    begin + SignedDuration::from_secs(number * 601) + SignedDuration::from_micros(number * 7_919 % 1_000_000)
}
