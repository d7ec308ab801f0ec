//! Plans that read like a story: who was there, who is there now, and what follows.

use super::*;
use crate::member::Fingerprint;
use crate::random::CountingRandom;
use crate::roster::RosterEntry;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn name(text: &str) -> LaunchpadName {
    LaunchpadName::parse(text).unwrap()
}

/// A small world: the team's pages, the table, and what the source says of the members who are looked up.
struct World {
    roster: Vec<RosterEntry>,
    aliases: Vec<Alias>,
    banned: BTreeSet<MemberId>,
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
        self.aliases.push(Alias {
            address: Address { local_part: local_part.parse().unwrap(), domain: "ubuntu.com".parse().unwrap() },
            member: self.member,
            known_as: observed(known_as.0, known_as.1, "2026-11-01T00:00:00Z"),
            status,
            reason,
            since: at("2026-11-01T00:00:00Z"),
            until: (status == Status::Leaving).then(|| at("2026-11-15T00:00:00Z")),
            version: 1,
            erase_pending: false,
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

    fn banned(mut self) -> Self {
        self.banned.insert(self.member);
        self
    }

    /// The source gives the member this name.
    fn called(self, text: &str, fingerprint: i64, eligible: Result<(), Reason>) -> Self {
        let known_as = Some(observed(text, fingerprint, "2026-11-24T10:00:01Z"));
        self.answered(known_as, eligible)
    }

    fn answered(mut self, known_as: Option<ObservedName>, eligible: Result<(), Reason>) -> Self {
        self.answers.insert(self.member, Evidence { owner: self.member, known_as, eligible });
        self
    }

    fn planner<'a>(&'a self, rules: &'a Rules) -> Planner<'a> {
        let (domain, now) = ("ubuntu.com".parse().unwrap(), at("2026-11-24T10:00:00Z"));
        let (roster, aliases) = (Roster::new(self.roster.clone()), self.aliases.clone());
        Planner::new(domain, roster, aliases, &self.banned, self.gives_addresses, rules, now)
    }

    fn plan(&self) -> Plan {
        let rules = Rules::default();
        let mut planner = self.planner(&rules);
        self.answers.iter().for_each(|(member, evidence)| planner.answer(*member, evidence.clone()));
        planner.finish()
    }

    fn due(&self) -> usize {
        self.planner(&Rules::default()).due().len()
    }
}

fn observed(text: &str, fingerprint: i64, time: &str) -> ObservedName {
    ObservedName { name: name(text), fingerprint: Fingerprint(fingerprint), observed_at: at(time) }
}

#[test]
fn day_in_the_life_of_a_team() {
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
        // Erin is called erin-new now; her old address goes on.
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
fn member_is_looked_up_when_pages_differ(#[case] world: World, #[case] unverified: u64) {
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
fn stranger_gets_no_address_of_a_freed_name() {
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
fn both_addresses_are_kept_when_renamed_back() {
    let world = World::new().member().listed("alice", 1).active("alice", 1).with(
        "alice-smith",
        ("alice", 1),
        Status::Active,
        Reason::Eligible,
    );
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
    let mut world =
        World::new().member().listed("alice", 1).called("alice", 1, Ok(())).member().active("bob", 2).called(
            "bob",
            2,
            Err(Reason::NotInTeam),
        );
    world.gives_addresses = false;
    let actions: Vec<_> = world.plan().steps.iter().map(|step| step.action.as_str()).collect();
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
    let new: Vec<_> = plan.steps.iter().filter(|step| step.version == 0).collect();
    assert_eq!(new.len(), 1);
    assert_eq!((new[0].member, new[0].action.as_str()), (survivor, "rename"));
}

#[test]
fn joiners_are_new_on_the_roster() {
    let world = World::new().member().listed("alice", 1).active("alice", 1).listed("bob", 2).listed("cleo", 3);
    let rules = Rules::default();
    let joiners = |previous: &Names| world.planner(&rules).joiners(previous);
    assert_eq!(joiners(&Names::default()), [name("bob"), name("cleo")]);
    let previous = |entries: &[(&str, i64)]| {
        let world = entries.iter().fold(World::new(), |world, (text, date)| world.listed(text, *date));
        Roster::new(world.roster).names()
    };
    assert_eq!(joiners(&previous(&[("alice", 1), ("bob", 2)])), [name("cleo")]);
    // Another person took bob's name.
    assert_eq!(joiners(&previous(&[("bob", 9), ("cleo", 3)])), [name("bob")]);
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
    let order = |is_shared: fn(&ObservedName) -> bool| {
        let planner = world.planner(&rules);
        let Rolling(next) = planner.rolling(&Cursor::default(), 9, is_shared);
        let local_parts = next.into_iter().filter_map(|(_, cursor)| cursor.after);
        local_parts.map(String::from).collect::<Vec<_>>()
    };
    assert_eq!(order(|_| false), ["ben", "zoe", "ada", "cleo"]);
    assert_eq!(order(|known_as| known_as.fingerprint == Fingerprint(7)), ["ben", "cleo", "zoe", "ada"]);
}

fn leaving(members: u64, leavers: u64) -> Plan {
    (0..members)
        .fold(World::new(), |world, id| {
            let (text, date) = (format!("member{id}"), i64::try_from(id).unwrap());
            if id < leavers {
                world.member().active(&text, date).called(&text, date, Err(Reason::NotInTeam))
            } else {
                world.member().listed(&text, date).active(&text, date)
            }
        })
        .plan()
}

#[test]
fn plan_counts_what_the_guard_compares() {
    let world = (0..20).fold(World::new(), |world, id| {
        let text = format!("member{id}");
        world.member().with(&text, (&text, id), Status::Leaving, Reason::NotInTeam).called(
            &text,
            id,
            Err(Reason::NotInTeam),
        )
    });
    let world = world.member().listed("last", 99).active("last", 99).member().listed("banned", 98).active("banned", 98);
    let world = world.banned().member().with("gone", ("gone", 97), Status::Suspended, Reason::NotInTeam);
    let counts = world.plan().counts;
    assert_eq!((counts.active, counts.leaving, counts.suspended), (2, 20, 1));
    // Mail of the twenty ends, and that of the banned member; a ban does not count as taken.
    assert_eq!((counts.suspend, counts.taken), (21, 0));
}

#[test]
fn alias_of_this_moment_stays() {
    let world = World::new().member().active("alice", 1).since("2026-11-24T10:00:05Z").called(
        "alice",
        1,
        Err(Reason::NotInTeam),
    );
    assert_eq!(world.due(), 0);
    assert!(world.plan().is_empty());
}

#[test]
fn plan_survives_a_round_trip() {
    let plan = leaving(50, 6);
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
}
