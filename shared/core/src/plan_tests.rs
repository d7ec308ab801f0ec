//! Plans that read like a story: who was there, who is there now, and what follows.

use super::*;
use crate::eligibility::Person;
use crate::member::LaunchpadName;
use crate::random::CountingRandom;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A small world: the team as Launchpad tells it, and the table.
struct World {
    team: Vec<Person>,
    people: Vec<Known>,
    aliases: Vec<Alias>,
    random: CountingRandom,
    gives_addresses: bool,
}

impl World {
    fn new() -> Self {
        let random = CountingRandom::default();
        Self { team: Vec::new(), people: Vec::new(), aliases: Vec::new(), random, gives_addresses: true }
    }

    fn in_team(mut self, id: u64, name: &str) -> Self {
        self.team.push(Person {
            id: LaunchpadId(id),
            name: LaunchpadName::parse(name).unwrap(),
            is_team: false,
            is_valid: true,
            signed_code_of_conduct: true,
        });
        self
    }

    fn but(mut self, change: impl Fn(&mut Person)) -> Self {
        change(self.team.last_mut().unwrap());
        self
    }

    fn known(mut self, id: u64) -> Self {
        let member = MemberId::new(at("2026-01-01T00:00:00Z"), &self.random);
        self.people.push(Known { person: LaunchpadId(id), member, banned: false, shredded: false });
        self
    }

    fn except(mut self, change: impl Fn(&mut Known)) -> Self {
        change(self.people.last_mut().unwrap());
        self
    }

    /// An alias of whoever was made known last.
    fn with(mut self, local_part: &str, status: Status, reason: Reason) -> Self {
        let Known { person, member, .. } = *self.people.last().unwrap();
        self.aliases.push(Alias {
            address: Address { local_part: local_part.parse().unwrap(), domain: "ubuntu.com".parse().unwrap() },
            member,
            person,
            status,
            reason,
            since: at("2026-11-01T00:00:00Z"),
            until: (status == Status::Leaving).then(|| at("2026-11-15T00:00:00Z")),
            version: 1,
        });
        self
    }

    /// The alias of before has its state since then.
    fn since(mut self, time: &str) -> Self {
        self.aliases.last_mut().unwrap().since = at(time);
        self
    }

    fn active(self, local_part: &str) -> Self {
        self.with(local_part, Status::Active, Reason::Eligible)
    }

    fn plan(&self) -> Plan {
        let (rules, roster) = (Rules::default(), Roster::new(self.team.clone()));
        let (domain, now) = ("ubuntu.com".parse().unwrap(), at("2026-11-24T10:00:00Z"));
        let mut planner = Planner::new(domain, roster, self.gives_addresses, &rules, now);
        self.people.iter().for_each(|known| planner.know(*known));
        self.aliases.iter().for_each(|alias| planner.compare(alias));
        planner.finish()
    }
}

#[test]
fn a_day_in_the_life_of_a_team() {
    let world = World::new()
        // Alice was there and is.
        .in_team(1, "alice")
        .known(1)
        .active("alice")
        // Bob signed in before he joined.
        .in_team(2, "bob")
        .known(2)
        // Carol is in the team and never signed in.
        .in_team(3, "carol")
        // Dave left.
        .known(4)
        .active("dave")
        // Erin is called erin-new now; her old address goes on.
        .in_team(5, "erin-new")
        .known(5)
        .active("erin")
        // Frank came back before his address ended.
        .in_team(6, "frank")
        .known(6)
        .with("frank", Status::Leaving, Reason::NotInTeam)
        // Grace did not.
        .known(7)
        .with("grace", Status::Leaving, Reason::NotInTeam)
        // Heidi's account was deactivated, and ivan took his signature back.
        .in_team(8, "heidi")
        .but(|person| person.is_valid = false)
        .known(8)
        .active("heidi")
        .in_team(9, "ivan")
        .but(|person| person.signed_code_of_conduct = false)
        .known(9)
        .active("ivan")
        // Judy was banned.
        .in_team(10, "judy")
        .known(10)
        .except(|known| known.banned = true)
        .active("judy")
        // Mallory's address was suspended half a year ago.
        .known(11)
        .with("mallory", Status::Suspended, Reason::NotInTeam)
        .since("2026-05-01T00:00:00Z");
    insta::assert_snapshot!(world.plan());
}

#[test]
fn whoever_joins_and_signs_in_while_the_team_is_read_stays() {
    let joiner = World::new().known(1).active("alice");
    assert_eq!(joiner.plan().counts.leave, 1);
    let joiner = joiner.since("2026-11-24T10:00:01Z");
    assert!(joiner.plan().is_empty(), "{}", joiner.plan());
    assert_eq!((joiner.plan().counts.active, joiner.plan().counts.unchanged), (1, 1));
    // Nor is an address planned for them that they have by now.
    let seen = joiner.in_team(1, "alice");
    assert!(seen.plan().is_empty(), "{}", seen.plan());
}

#[test]
fn nothing_changed() {
    let plan = World::new().in_team(1, "alice").known(1).active("alice").in_team(2, "bob").plan();
    assert!(plan.is_empty());
    insta::assert_snapshot!(plan);
}

#[test]
fn the_name_that_alice_gave_up_never_yields_her_address() {
    let world = World::new().in_team(1, "alice-smith").known(1).active("alice").in_team(2, "alice").known(2);
    insta::assert_snapshot!(world.plan());
}

#[test]
fn who_is_renamed_back_has_both_addresses_already() {
    let world = World::new().in_team(1, "alice").known(1).active("alice").active("alice-smith");
    assert!(world.plan().is_empty());
}

#[test]
fn teams_within_the_team_get_no_address() {
    let world = World::new().in_team(1, "translators").but(|person| person.is_team = true).known(1);
    assert!(world.plan().is_empty());
    assert_eq!(world.plan().counts.participants, 0);
}

#[rstest::rstest]
#[case::no_dot_atom("ivan..dots")]
#[case::reserved("postmaster")]
fn a_name_that_gives_no_address_is_not_planned_again_and_again(#[case] name: &str) {
    assert!(World::new().in_team(1, name).known(1).plan().is_empty());
}

#[test]
fn nothing_is_made_for_whose_data_is_gone_and_nothing_in_a_domain_that_is_not_proven() {
    let shredded = World::new().in_team(1, "alice").known(1).except(|known| known.shredded = true);
    assert!(shredded.plan().is_empty());
    let mut unproven = World::new().in_team(1, "alice").known(1).known(2).active("bob");
    unproven.gives_addresses = false;
    insta::assert_snapshot!(unproven.plan());
}

fn leaving(members: u64, leavers: u64) -> Plan {
    (0..members)
        .fold(World::new(), |world, id| {
            let name = format!("member{id}");
            let world = if id < leavers { world } else { world.in_team(id, &name) };
            world.known(id).active(&name)
        })
        .plan()
}

#[rstest::rstest]
#[case::few_of_few(5, 5, Guard::Pass)]
#[case::six_of_fifty(50, 6, Guard::Hold)]
#[case::exactly_ten_percent(60, 6, Guard::Pass)]
#[case::just_above(59, 6, Guard::Hold)]
#[case::everybody(200, 200, Guard::Hold)]
fn too_much_at_once_is_held(#[case] members: u64, #[case] leavers: u64, #[case] expected: Guard) {
    assert_eq!(leaving(members, leavers).guard(&Rules::default()), expected);
}

#[test]
fn what_ends_as_it_was_told_is_not_counted_again() {
    let world = (0..20).fold(World::new(), |world, id| {
        world.known(id).with(&format!("member{id}"), Status::Leaving, Reason::NotInTeam)
    });
    let plan = world.in_team(99, "last").known(99).active("last").plan();
    assert_eq!((plan.counts.suspend, plan.counts.taken), (20, 0));
    assert_eq!(plan.guard(&Rules::default()), Guard::Pass);
}

/// An operator has looked at each of them.
#[test]
fn bans_are_not_held() {
    let plan = (0..10)
        .fold(World::new(), |world, id| {
            let name = format!("member{id}");
            world.in_team(id, &name).known(id).except(|known| known.banned = true).active(&name)
        })
        .plan();
    assert_eq!((plan.counts.suspend, plan.counts.taken), (10, 0));
    assert_eq!(plan.guard(&Rules::default()), Guard::Pass);
    assert!(plan.steps.iter().all(|step| step.action.takes() && !step.action.can_wait()));
}

#[test]
fn a_plan_is_read_back_as_it_was_written() {
    let plan = leaving(50, 6);
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
}
