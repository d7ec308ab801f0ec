//! The community at its start: the same people, ids and words every time.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Community, Key, Membership, Person, Status, Team};

/// The teams that give addresses, with about how many of the crowd are in each.
const TEAMS: [(&str, usize); 6] = [
    ("ubuntumembers", 3),
    ("kubuntu-members", 7),
    ("lubuntu-members", 11),
    ("edubuntu-members", 13),
    ("ubuntustudio-core", 17),
    ("ubuntu-smtp-test", 97),
];
/// Those of the crowd from here on are there to make one team large, so all are in it.
const MIXED: usize = 1_950;
/// Longer than any local part may be.
const LONG: &str = "a-name-that-goes-on-and-on-for-longer-than-a-local-part-is-allowed";
/// Teams have ids of their own range, whatever the number of people is.
const TEAM_IDS: u64 = 1_000_000_000;

/// How the community begins.
#[derive(Clone, Debug)]
pub struct Seed {
    /// So many people in all, but never fewer than have names of their own.
    pub people: usize,
    /// A team that all of the crowd are in.
    pub all_in: Option<String>,
    /// When it begins: memberships are good for a while from then.
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
            community.add_team(team);
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

    fn add_named(&mut self, now: Timestamp) {
        let both = ["ubuntumembers", "kubuntu-members"];
        self.seed("alice", "gets addresses at ubuntu.com and kubuntu.org", &both, now);
        // A team within a team within a team: only participation tells that bob is in.
        self.seed("bob", "is a member through a team within a team", &["ubuntu-translators-core"], now);
        self.join("ubuntu-translators", "ubuntu-translators-core", now);
        self.join("ubuntumembers", "ubuntu-translators", now);
        self.seed("carol", "is in none of the teams", &[], now);
        let members = ["ubuntumembers"];
        self.seed("dave", "has not signed the Code of Conduct", &members, now).signed = false;
        self.seed("erin", "has an account that is not active", &members, now).is_valid = false;
        self.seed("frank", "is suspended", &members, now).suspended = true;
        self.seed("grace", "was renamed; the login still says grace-old", &members, now).nickname =
            "grace-old".to_owned();
        self.seed("grace-old", "took the name that grace gave up", &[], now);
        self.seed("heidi+tag", "has a plus in the name", &members, now);
        self.seed("ivan..dots", "has a name that is no address", &members, now);
        self.seed("judy.", "has a name that ends in a dot", &members, now);
        self.seed(LONG, "has a name of more than 64 characters", &members, now);
        self.seed("postmaster", "has a name that is reserved", &members, now);
        self.seed("loop", "signs in with an address of the community", &members, now).email =
            "loop@ubuntu.com".to_owned();
        let nobody = self.seed("nobody-here", "has no Launchpad account", &[], now);
        nobody.known = false;
        self.names.remove("nobody-here");
        self.seed("smtp-tester", "is in the test team only", &["ubuntu-smtp-test"], now);
        self.seed("ubuntu-admin", "looks after the domains", &members, now);
        self.seed("team-account", "is a team, not a person", &members, now).is_team = true;
        self.add_team("team-account");
        self.seed("victor", "was a member until the membership ran out", &members, now);
        self.expire("ubuntumembers", "victor", now - SignedDuration::from_hours(30 * 24));
    }

    fn seed(&mut self, name: &str, shows: &'static str, teams: &[&str], now: Timestamp) -> &mut Person {
        let key = Key::from(name);
        for team in teams {
            self.join(team, name, now);
        }
        let id = self.next_id();
        let person = Person { shows, ..Person::new(id, &key) };
        self.insert(key, person)
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn insert(&mut self, key: Key, person: Person) -> &mut Person {
        self.names.insert(person.name.clone(), key.clone());
        self.words.insert(person.word.clone(), key.clone());
        self.people.entry(key).insert_entry(person).into_mut()
    }

    pub(super) fn add_team(&mut self, name: &str) -> &mut Team {
        let id = TEAM_IDS + self.teams.len() as u64;
        self.teams.entry(name.into()).or_insert_with(|| Team { id, memberships: BTreeMap::new() })
    }

    /// Makes somebody, or a team, a member of a team.
    pub(super) fn join(&mut self, team: &str, member: &str, now: Timestamp) {
        self.forget_lists();
        let membership = Membership {
            status: Status::Approved,
            joined: now - SignedDuration::from_hours(24 * 400),
            // Whoever is in a team renews it every other year; a team in a team stays.
            expires: (!self.teams.contains_key(member)).then(|| now + SignedDuration::from_hours(24 * 330)),
        };
        self.add_team(team).memberships.insert(member.into(), membership);
    }

    /// Ends a membership, as when nobody renewed it.
    pub(super) fn expire(&mut self, team: &str, member: &str, when: Timestamp) -> bool {
        self.forget_lists();
        let membership = self.teams.get_mut(team).and_then(|team| team.memberships.get_mut(member));
        membership.map(|membership| (membership.status, membership.expires) = (Status::Expired, Some(when))).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seeded(people: usize, all_in: Option<&str>) -> Community {
        Community::seeded(&Seed { people, all_in: all_in.map(str::to_owned), now: Timestamp::UNIX_EPOCH })
    }

    #[test]
    fn everybody_has_an_id_and_a_word_of_their_own() {
        let community = seeded(2_000, None);
        assert_eq!(community.people.len(), 2_000);
        assert_eq!(community.words.len(), 2_000);
        let ids: std::collections::BTreeSet<_> = community.people().map(|(_, person)| person.id).collect();
        assert_eq!(ids.len(), 2_000);
    }

    #[test]
    fn participation_goes_through_teams() {
        let mut community = seeded(2_000, None);
        let teams = community.teams_of("bob");
        assert!(teams.contains("ubuntumembers") && teams.contains("ubuntu-translators"));
        assert!(community.participants("ubuntumembers").iter().any(|key| &**key == "bob"));
        assert!(!community.members("ubuntumembers").iter().any(|key| &**key == "bob"));
    }

    #[test]
    fn a_membership_that_ran_out_is_kept_and_does_not_count() {
        let mut community = seeded(100, None);
        let victor = &community.team("ubuntumembers").unwrap().1.memberships["victor"];
        assert_eq!(victor.status, Status::Expired);
        assert!(!community.participants("ubuntumembers").iter().any(|key| &**key == "victor"));
        assert!(community.teams_of("victor").is_empty());
    }

    #[test]
    fn the_community_is_as_large_as_it_is_asked_to_be() {
        let mut large = seeded(12_000, None);
        assert_eq!(large.people.len(), 12_000);
        assert!(large.participants("ubuntumembers").len() > 10_000);
        let mut all = seeded(1_100, Some("kubuntu-members"));
        assert!(all.participants("kubuntu-members").len() > 900);
        assert!(LONG.len() > 64);
    }

    #[test]
    fn whom_launchpad_does_not_know_has_no_name_there() {
        let community = seeded(100, None);
        assert!(community.by_name("nobody-here").is_none() && community.person("nobody-here").is_some());
    }
}
