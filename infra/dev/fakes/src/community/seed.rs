//! The initial community. It is deterministic: people, ids, dates and identifiers are always the same.

use jiff::{SignedDuration, Timestamp};

use super::{Community, Key, Person};

/// The teams that give addresses, with the interval of their members among the generated people.
const TEAMS: [(&str, usize); 6] = [
    ("ubuntumembers", 3),
    ("kubuntu-members", 7),
    ("lubuntu-members", 11),
    ("edubuntu-members", 13),
    ("ubuntustudio-core", 17),
    ("ubuntu-smtp-test", 97),
];
/// Generated people beyond this number are all in the first team, to make it large.
const SPREAD_PEOPLE: usize = 1_950;

/// Parameters of the initial community.
#[derive(Clone, Debug)]
pub struct Seed {
    /// Total number of people; the people of the scenarios are always included.
    pub people: usize,
    /// A team that contains all generated people.
    pub all_in: Option<String>,
    /// Direct members of GitLab's group `community/members`; the users of the scenarios are always included.
    pub gitlab_members: usize,
    /// The start time; memberships expire some time after it.
    pub now: Timestamp,
}

impl Seed {
    /// The default community of 2,000 people.
    pub fn standard(now: Timestamp) -> Self {
        Self { people: 2_000, all_in: None, gitlab_members: 250, now }
    }
}

impl Community {
    /// Creates the initial community.
    pub fn seeded(seed: &Seed) -> Self {
        let mut community = Self { last_id: 1_000, ..Self::default() };
        for team in TEAMS.map(|(team, _)| team).into_iter().chain(seed.all_in.as_deref()) {
            community.ensure_team(team);
        }
        community.add_scenario_people(seed.now);
        for number in 1..=99 {
            let teams = &["ubuntumembers"];
            community.add_seed_person(
                &format!("pat{number:02}"),
                "a member of ubuntu.com, for trying things",
                teams,
                seed.now,
            );
        }
        for number in 1..=seed.people.saturating_sub(community.people.len()) {
            let mut teams: Vec<_> =
                TEAMS.iter().filter(|(_, divisor)| number % divisor == 0).map(|(team, _)| *team).collect();
            if number > SPREAD_PEOPLE {
                teams.push(TEAMS[0].0);
            }
            teams.extend(seed.all_in.as_deref());
            community.add_seed_person(&format!("member{number:04}"), "", &teams, seed.now);
        }
        community
    }

    pub(super) fn add_seed_person(
        &mut self,
        name: &str,
        scenario: &'static str,
        teams: &[&str],
        now: Timestamp,
    ) -> &mut Person {
        let key = Key::from(name);
        for team in teams {
            self.join(team, name, now);
        }
        let id = self.next_id();
        let person = Person { scenario, ..Person::new(id, &key, unique_date(id)) };
        self.insert_person(key, person)
    }
}

/// A date with microseconds that is unique per number.
pub(super) fn unique_date(number: u64) -> Timestamp {
    const START: i64 = 1_136_113_200;
    let number = i64::try_from(number % 1_000_000_000).unwrap_or_default();
    let start = Timestamp::from_second(START).unwrap_or_default();
    start + SignedDuration::from_secs(number * 601) + SignedDuration::from_micros(number * 7_919 % 1_000_000)
}
