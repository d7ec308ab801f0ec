//! Plans for changes of a team.

use super::*;
use crate::community::Rules;
use crate::member::{Fingerprint, PersonName};
use crate::random::CountingRandom;
use crate::reserved::ReservedName;
use crate::roster::{Names, Roster, RosterEntry};
use crate::testing::{address, alias, now, observed};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn name(text: &str) -> PersonName {
    PersonName::parse(text).unwrap()
}

/// A small world: the team's pages, the table, and what the source says of the members who are looked up.
struct World {
    roster: Vec<RosterEntry>,
    aliases: Vec<Alias>,
    banned: BTreeSet<MemberId>,
    reserved: BTreeSet<ReservedName>,
    answers: BTreeMap<MemberId, Evidence>,
    member: MemberId,
    random: CountingRandom,
    gives_addresses: bool,
}

impl World {
    fn new() -> Self {
        let random = CountingRandom::default();
        Self {
            roster: Vec::new(),
            aliases: Vec::new(),
            banned: BTreeSet::new(),
            reserved: BTreeSet::new(),
            answers: BTreeMap::new(),
            member: MemberId::new(at("2026-01-01T00:00:00Z"), &random),
            random,
            gives_addresses: true,
        }
    }

    /// The next member; what follows is theirs.
    fn member(mut self) -> Self {
        self.member = MemberId::new(at("2026-01-01T00:00:00Z"), &self.random);
        self
    }

    fn listed(mut self, text: &str, fingerprint: i64) -> Self {
        let fingerprint = Fingerprint(fingerprint);
        self.roster.push(RosterEntry { name: name(text), fingerprint, is_valid: true, signed_code_of_conduct: true });
        self
    }

    fn but(mut self, change: impl Fn(&mut RosterEntry)) -> Self {
        change(self.roster.last_mut().unwrap());
        self
    }

    fn with(mut self, local_part: &str, known_as: (&str, i64), status: Status, reason: Reason) -> Self {
        let since = at("2026-11-01T00:00:00Z");
        self.aliases.push(Alias {
            address: address(&format!("{local_part}@ubuntu.com")),
            member: self.member,
            known_as: observed(known_as.0, known_as.1, since),
            since,
            until: (status == Status::Leaving).then(|| at("2026-11-15T00:00:00Z")),
            version: 1,
            ..alias(status, reason)
        });
        self
    }

    fn active(self, local_part: &str, fingerprint: i64) -> Self {
        self.with(local_part, (local_part, fingerprint), Status::Active, Reason::Eligible)
    }

    /// The alias of before has its state since then.
    fn since(mut self, time: &str) -> Self {
        self.aliases.last_mut().unwrap().since = at(time);
        self
    }

    fn reserved(mut self, name: &str) -> Self {
        self.reserved.insert(ReservedName::parse(name).unwrap());
        self
    }

    fn banned(mut self) -> Self {
        self.banned.insert(self.member);
        self
    }

    /// The source gives the member this name.
    fn called(mut self, text: &str, fingerprint: i64, eligible: Result<(), Reason>) -> Self {
        let known_as = Some(observed(text, fingerprint, at("2026-11-24T10:00:01Z")));
        self.answers.insert(self.member, Evidence { owner: self.member, known_as, eligible });
        self
    }

    fn planner<'a>(&'a self, rules: &'a Rules) -> Planner<'a> {
        Planner::new(
            Comparison::new(
                "ubuntu.com".parse().unwrap(),
                Roster::new(self.roster.clone()),
                self.aliases.clone(),
                &self.banned,
                self.gives_addresses,
                rules,
                now(),
            )
            .with_reserved(self.reserved.clone()),
        )
    }

    fn plan(&self) -> Plan {
        let rules = Rules::default();
        let mut planner = self.planner(&rules);
        self.answers.iter().for_each(|(member, evidence)| planner.add_evidence(*member, evidence.clone()));
        planner.finish()
    }

    fn due(&self) -> usize {
        self.planner(&Rules::default()).comparison().due().len()
    }
}

#[test]
fn reserved_name_gets_no_new_address() {
    let world = World::new()
        .reserved("council")
        .reserved("alice")
        .member()
        .listed("council", 1)
        .called("council", 1, Ok(()))
        // Alice got her address before the name was reserved.
        .member()
        .listed("alice", 2)
        .with("alice", ("alice", 2), Status::Leaving, Reason::NotInTeam)
        .called("alice", 2, Ok(()));
    let plan = world.plan();
    assert_eq!((plan.counts.create, plan.counts.restore, plan.steps.len()), (0, 1, 1), "{plan:?}");
}

#[test]
fn plan_has_each_kind_of_step() {
    let world = World::new()
        // Alice was there and is.
        .member()
        .listed("alice", 1)
        .active("alice", 1)
        // Bob signed in before he joined.
        .member()
        .listed("bob", 2)
        .called("bob", 2, Ok(()))
        // Carol is in the team and never signed in.
        .listed("carol", 3)
        // Dave left.
        .member()
        .active("dave", 4)
        .called("dave", 4, Err(Reason::NotInTeam))
        // Erin is called erin-new now; her old address keeps forwarding.
        .member()
        .listed("erin-new", 5)
        .active("erin", 5)
        .called("erin-new", 5, Ok(()))
        // Frank came back before his address ended, and Grace did not.
        .member()
        .listed("frank", 6)
        .with("frank", ("frank", 6), Status::Leaving, Reason::NotInTeam)
        .called("frank", 6, Ok(()))
        .member()
        .with("grace", ("grace", 7), Status::Leaving, Reason::NotInTeam)
        .called("grace", 7, Err(Reason::NotInTeam))
        // Heidi deactivated her account, and Ivan withdrew his signature.
        .member()
        .listed("heidi", 8)
        .but(|entry| entry.is_valid = false)
        .active("heidi", 8)
        .called("heidi", 8, Err(Reason::Deactivated))
        .member()
        .listed("ivan", 9)
        .but(|entry| entry.signed_code_of_conduct = false)
        .active("ivan", 9)
        .called("ivan", 9, Err(Reason::CodeOfConductWithdrawn))
        // Judy was banned.
        .member()
        .listed("judy", 10)
        .active("judy", 10)
        .banned()
        // Mallory's address was suspended half a year ago.
        .member()
        .with("mallory", ("mallory", 11), Status::Suspended, Reason::NotInTeam)
        .since("2026-05-01T00:00:00Z")
        .called("mallory", 11, Err(Reason::NotInTeam))
        // Nina is missing on the pages and in the team all the same.
        .member()
        .active("nina", 12)
        .called("nina", 12, Ok(()))
        // Oscar has the name that his alias is not known by yet, and no address for it: it is reserved.
        .member()
        .listed("postmaster", 13)
        .active("oscar", 13)
        .called("postmaster", 13, Ok(()));
    insta::assert_snapshot!(world.plan());
}

#[test]
fn nothing_is_due_when_unchanged() {
    let world = World::new().member().listed("alice", 1).active("alice", 1).listed("bob", 2);
    assert_eq!(world.due(), 0);
    assert!(world.plan().is_empty() && world.plan().steps.is_empty());
}

#[rstest::rstest]
#[case::missing(World::new().member().active("alice", 1), 1)]
#[case::another_date(World::new().member().listed("alice", 2).active("alice", 1), 1)]
#[case::renamed(World::new().member().listed("alice-smith", 1).active("alice", 1), 1)]
#[case::not_valid(World::new().member().listed("alice", 1).but(|entry| entry.is_valid = false).active("alice", 1), 1)]
#[case::back(
    World::new().member().listed("alice", 1).with("alice", ("alice", 1), Status::Leaving, Reason::NotInTeam), 0
)]
#[case::end_of_grace(World::new().member().with("alice", ("alice", 1), Status::Leaving, Reason::NotInTeam), 1)]
fn differing_page_requires_look_up(#[case] world: World, #[case] unverified: u64) {
    assert_eq!(world.due(), 1);
    // Without an answer nothing happens, and a removal that could not be verified is counted.
    let plan = world.plan();
    assert!(plan.steps.is_empty());
    assert_eq!(plan.counts.unverified, unverified);
}

#[test]
fn postponed_member_is_not_unverified() {
    let world = World::new().member().active("alice", 1);
    let rules = Rules::default();
    let mut planner = world.planner(&rules);
    planner.postpone(world.member);
    let plan = planner.finish();
    assert!(plan.steps.is_empty() && plan.counts.unverified == 0);
}

#[test]
fn stranger_gets_no_freed_name() {
    // Alice is alice-smith now, and a stranger, who signed in, is alice.
    let world = World::new()
        .member()
        .listed("alice-smith", 1)
        .active("alice", 1)
        .called("alice-smith", 1, Ok(()))
        .member()
        .listed("alice", 2)
        .called("alice", 2, Ok(()));
    insta::assert_snapshot!(world.plan());
}

#[test]
fn swapped_names_move_no_address() {
    let world = World::new()
        .member()
        .listed("ben", 1)
        .active("ada", 1)
        .called("ben", 1, Ok(()))
        .member()
        .listed("ada", 2)
        .active("ben", 2)
        .called("ada", 2, Ok(()));
    let plan = world.plan();
    assert!(plan.is_empty());
    let names: Vec<_> =
        plan.steps.iter().map(|step| step.known_as.as_ref().map(|known_as| known_as.name.as_str())).collect();
    assert_eq!(names, [Some("ben"), Some("ada")]);
}

#[test]
fn renamed_back_keeps_both_addresses() {
    let world = World::new().member().listed("alice", 1).active("alice", 1);
    let world = world.with("alice-smith", ("alice", 1), Status::Active, Reason::Eligible);
    assert_eq!(world.due(), 0);
}

#[rstest::rstest]
#[case::no_dot_atom("ivan..dots")]
#[case::reserved("postmaster")]
#[case::sub_address("victim+bank")]
#[case::merged("alice-merged")]
fn unusable_name_gives_no_address(#[case] text: &str) {
    assert!(World::new().member().listed(text, 1).called(text, 1, Ok(())).plan().is_empty());
}

#[test]
fn unverified_domain_gets_no_alias() {
    let world = World::new().member().listed("alice", 1).called("alice", 1, Ok(()));
    let mut world = world.member().active("bob", 2).called("bob", 2, Err(Reason::NotInTeam));
    world.gives_addresses = false;
    let actions: Vec<_> = world.plan().steps.iter().map(|step| step.action.as_ref().to_owned()).collect();
    assert_eq!(actions, ["leave"]);
}

#[test]
fn linked_member_gets_one_new_address() {
    // Two members are one person, called alice-smith now; each has an address here.
    let world = World::new().listed("alice-smith", 1).member().active("alice", 1);
    let survivor = world.member;
    let mut world = world.called("alice-smith", 1, Ok(())).member().active("al", 1).called("alice-smith", 1, Ok(()));
    world.answers.values_mut().for_each(|evidence| evidence.owner = survivor);
    let plan = world.plan();
    let new: Vec<_> = plan.steps.iter().filter(|step| step.expected == ExpectedVersion::Absent).collect();
    assert_eq!(new.len(), 1);
    assert_eq!((new[0].member, new[0].action.as_ref()), (survivor, "rename"));
}

#[test]
fn joiners_are_new_on_the_roster() {
    let world = World::new().member().listed("alice", 1).active("alice", 1).listed("bob", 2).listed("cleo", 3);
    let rules = Rules::default();
    let planner = world.planner(&rules);
    let comparison = planner.comparison();
    assert_eq!(comparison.joiners(&Names::default()), [name("bob"), name("cleo")]);
    let previous = Roster::new(World::new().listed("alice", 1).listed("bob", 2).roster).names();
    assert_eq!(comparison.joiners(&previous), [name("cleo")]);
    // Another person took bob's name.
    let previous = Roster::new(World::new().listed("bob", 9).listed("cleo", 3).roster).names();
    assert_eq!(comparison.joiners(&previous), [name("bob")]);
}

#[test]
fn rolling_check_takes_weak_evidence_first() {
    let world = World::new()
        .member()
        .listed("ada", 1)
        .active("ada", 1)
        .member()
        .listed("zoe", 5)
        .active("zoe", 5)
        .member()
        .listed("ben", 5)
        .active("ben", 5)
        .member()
        .listed("cleo", 7)
        .active("cleo", 7);
    let rules = Rules::default();
    let planner = world.planner(&rules);
    assert_eq!(order(planner.rolling(&Cursor::default(), 9, |_| false)), ["ben", "zoe", "ada", "cleo"]);
    let next = planner.rolling(&Cursor::default(), 9, |known_as| known_as.fingerprint == Fingerprint(7));
    assert_eq!(order(next), ["ben", "cleo", "zoe", "ada"]);
}

fn order(Rolling(next): Rolling) -> Vec<String> {
    next.into_iter().filter_map(|(_, cursor)| cursor.after).map(String::from).collect()
}

#[test]
fn plan_counts_states_and_changes() {
    let world = (0..20).fold(World::new(), |world, id| {
        let text = format!("member{id}");
        let world = world.member().with(&text, (&text, id), Status::Leaving, Reason::NotInTeam);
        world.called(&text, id, Err(Reason::NotInTeam))
    });
    let world = world.member().listed("last", 99).active("last", 99).member().listed("banned", 98).active("banned", 98);
    let world = world.banned().member().with("gone", ("gone", 97), Status::Suspended, Reason::NotInTeam);
    let counts = world.plan().counts;
    assert_eq!((counts.active, counts.leaving, counts.suspended), (2, 20, 1));
    // Mail of the twenty ends, and that of the banned member; a ban does not count as removed.
    assert_eq!((counts.suspend, counts.removed), (21, 0));
}

#[test]
fn alias_of_this_moment_stays() {
    let world = World::new().member().active("alice", 1).since("2026-11-24T10:00:05Z");
    let world = world.called("alice", 1, Err(Reason::NotInTeam));
    assert_eq!(world.due(), 0);
    assert!(world.plan().is_empty());
}

#[test]
fn plan_survives_a_round_trip() {
    let plan = World::new().member().listed("ada", 1).called("ada", 1, Ok(())).member().active("bob", 2);
    let plan = plan.called("bob", 2, Err(Reason::NotInTeam)).plan();
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
}
