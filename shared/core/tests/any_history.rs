//! Whatever happens to a team, and whatever is lost, repeated or late on the way: after a clean sync the table is what the
//! rules say, and no address has ever had two owners.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use membermail_core::address::{Address, DomainName, LocalPart};
use membermail_core::alias::{self, Alias, Decision, Reason, Status, Wish};
use membermail_core::community::Rules;
use membermail_core::eligibility::Person;
use membermail_core::email::EmailAddress;
use membermail_core::lifecycle::{self, Action, Step};
use membermail_core::member::{LaunchpadId, LaunchpadName, MemberId};
use membermail_core::plan::{Guard, Known, Plan, Planner};
use membermail_core::random::CountingRandom;
use membermail_core::roster::Roster;
use proptest::prelude::*;

const PEOPLE: u64 = 6;
/// Fewer names than people, so that names are given up and taken by others.
const NAMES: [&str; 5] = ["ada", "ben", "cleo", "dan", "postmaster"];

/// What can happen.
#[derive(Clone, Debug)]
enum Event {
    Joins(u64),
    Leaves(u64),
    IsRenamed(u64, usize),
    Signs(u64, bool),
    IsActive(u64, bool),
    Bans(u64, bool),
    SignsIn(u64),
    Days(i64),
    /// A run whose messages go on the queue, but for so many of the last: it died while it sent them. One that takes too
    /// much hands on what can not wait.
    Sync {
        lost: usize,
    },
    /// Somebody looks at the plan that is held, and what is still right of it goes on the queue.
    Release,
    /// A message is delivered, and again later if it stays on the queue.
    Deliver {
        which: usize,
        stays: bool,
    },
}

#[derive(Clone, Debug)]
struct Someone {
    person: Person,
    in_team: bool,
    member: Option<MemberId>,
    banned: bool,
}

struct World {
    people: BTreeMap<u64, Someone>,
    table: BTreeMap<Address, Alias>,
    owners: BTreeMap<Address, MemberId>,
    queue: Vec<(Timestamp, Step)>,
    held: Vec<Step>,
    rules: Rules,
    now: Timestamp,
    random: CountingRandom,
}

fn domain() -> DomainName {
    "ubuntu.com".parse().unwrap()
}

impl World {
    fn new() -> Self {
        let someone = |id: u64| Someone {
            person: Person {
                id: LaunchpadId(id),
                name: LaunchpadName::parse(&format!("person{id}")).unwrap(),
                is_team: false,
                is_valid: true,
                signed_code_of_conduct: true,
            },
            in_team: false,
            member: None,
            banned: false,
        };
        Self {
            people: (0..PEOPLE).map(|id| (id, someone(id))).collect(),
            table: BTreeMap::new(),
            owners: BTreeMap::new(),
            queue: Vec::new(),
            held: Vec::new(),
            // Few enough that a handful of people come to it.
            rules: Rules { hold_above_count: 1, hold_above_percent: 40, ..Rules::default() },
            now: "2026-01-01T00:00:00Z".parse().unwrap(),
            random: CountingRandom::default(),
        }
    }

    fn happen(&mut self, event: Event) {
        // Time passes between any two events, so that "before" and "after" are told apart.
        self.now += SignedDuration::from_secs(1);
        match event {
            Event::Joins(id) => self.someone(id).in_team = true,
            Event::Leaves(id) => self.someone(id).in_team = false,
            Event::IsRenamed(id, name) => self.rename(id, NAMES[name]),
            Event::Signs(id, signed) => self.someone(id).person.signed_code_of_conduct = signed,
            Event::IsActive(id, valid) => self.someone(id).person.is_valid = valid,
            Event::Bans(id, banned) => self.someone(id).banned = banned,
            Event::SignsIn(id) => self.sign_in(id),
            Event::Days(days) => self.now += SignedDuration::from_hours(24 * days),
            Event::Sync { lost } => {
                let plan = self.plan();
                let guard = plan.guard(&self.rules);
                let Plan { read_at, mut steps, .. } = plan;
                if guard == Guard::Hold {
                    self.held = steps.extract_if(.., |step| step.action.can_wait()).collect();
                }
                steps.truncate(steps.len().saturating_sub(lost));
                self.queue.extend(steps.into_iter().map(|step| (read_at, step)));
            }
            Event::Release => {
                let held = std::mem::take(&mut self.held);
                let Plan { read_at, steps, .. } = self.plan();
                let is_held =
                    |step: &Step| held.iter().any(|one| (&one.address, one.version) == (&step.address, step.version));
                let released = steps.into_iter().filter(|step| step.action.can_wait() && is_held(step));
                self.queue.extend(released.map(|step| (read_at, step)));
            }
            Event::Deliver { which, stays } if !self.queue.is_empty() => {
                let which = which % self.queue.len();
                let (read_at, step) = if stays { self.queue[which].clone() } else { self.queue.swap_remove(which) };
                self.take(read_at, &step);
            }
            Event::Deliver { .. } => {}
        }
    }

    fn someone(&mut self, id: u64) -> &mut Someone {
        self.people.get_mut(&id).unwrap()
    }

    /// Launchpad gives a name to one person at a time.
    fn rename(&mut self, id: u64, name: &str) {
        let name = LaunchpadName::parse(name).unwrap();
        if self.people.values().all(|someone| someone.person.name != name) {
            self.someone(id).person.name = name;
        }
    }

    fn eligible(&self, id: u64) -> Result<(), Reason> {
        match &self.people[&id] {
            Someone { banned: true, .. } => Err(Reason::Banned),
            Someone { in_team: false, .. } => Err(Reason::NotInTeam),
            Someone { person: Person { is_valid: false, .. }, .. } => Err(Reason::NotValid),
            Someone { person: Person { signed_code_of_conduct: false, .. }, .. } => Err(Reason::CodeOfConductWithdrawn),
            Someone { .. } => Ok(()),
        }
    }

    fn sign_in(&mut self, id: u64) {
        if self.people[&id].member.is_none() {
            self.someone(id).member = Some(MemberId::new(self.now, &self.random));
        }
        if self.eligible(id).is_ok() {
            let Someone { person, member, .. } = self.people[&id].clone();
            self.give(&person, member.unwrap(), self.now);
        }
    }

    fn give(&mut self, person: &Person, member: MemberId, eligible_at: Timestamp) {
        let Ok(local_part) = LocalPart::of(&person.name) else { return };
        let address = Address { local_part, domain: domain() };
        let destination = EmailAddress::parse("somebody@mail.example").unwrap();
        let wish = Wish { member, destination: &destination, eligible_at };
        let existing = self.table.get(&address);
        match alias::decide(existing, wish, &[domain()]) {
            Decision::Create { status, reason } | Decision::Change { status, reason, .. } => {
                let version = existing.map_or(1, |alias| alias.version + 1);
                let (person, since, until) = (person.id, self.now, None);
                self.write(Alias { address, member, person, status, reason, since, until, version });
            }
            Decision::Unchanged | Decision::Refuse(_) => {}
        }
    }

    fn take(&mut self, read_at: Timestamp, step: &Step) {
        match &step.action {
            Action::Create { name } | Action::Rename { name, .. } => {
                // What the transaction of a grant asks of the member.
                if self.people.values().any(|someone| someone.person.id == step.person && someone.banned) {
                    return;
                }
                let person = Person { name: name.clone(), ..self.people[&step.person.0].person.clone() };
                self.give(&person, step.member, read_at);
            }
            _ => {
                let Some(alias) = self.table.get(&step.address) else { return };
                if let Some(after) = lifecycle::take(alias, step, false, self.now) {
                    self.write(after);
                }
            }
        }
    }

    fn write(&mut self, alias: Alias) {
        let owner = *self.owners.entry(alias.address.clone()).or_insert(alias.member);
        assert_eq!(owner, alias.member, "{} passed to another member", alias.address);
        if let Some(before) = self.table.get(&alias.address) {
            assert!(may_become(before, &alias, &self.rules), "{before:?} became {alias:?}");
        }
        self.table.insert(alias.address.clone(), alias);
    }

    fn plan(&self) -> Plan {
        let team = self.people.values().filter(|someone| someone.in_team).map(|someone| someone.person.clone());
        let mut planner = Planner::new(domain(), Roster::new(team), true, &self.rules, self.now);
        for Someone { person, member, banned, .. } in self.people.values() {
            if let Some(member) = *member {
                planner.know(Known { person: person.id, member, banned: *banned, shredded: false });
            }
        }
        self.table.values().for_each(|alias| planner.compare(alias));
        planner.finish()
    }

    /// A sync in which nothing is lost.
    fn sync_cleanly(&mut self) {
        self.queue.clear();
        let Plan { read_at, steps, .. } = self.plan();
        steps.iter().for_each(|step| self.take(read_at, step));
    }

    /// What the rules say of a table in step with the team.
    fn check(&self) {
        for alias in self.table.values() {
            let forwards_for_good = alias.status == Status::Active;
            let eligible = self.eligible(alias.person.0);
            assert_eq!(
                forwards_for_good,
                eligible.is_ok() && alias.status != Status::Retired,
                "{alias:?} and {eligible:?}"
            );
            if alias.status == Status::Leaving {
                assert!(alias.until.unwrap() > self.now && eligible != Err(Reason::Banned), "{alias:?}");
            }
        }
        for someone in self.people.values() {
            let Ok(local_part) = LocalPart::of(&someone.person.name) else { continue };
            let address = Address { local_part, domain: domain() };
            let is_due = someone.member.is_some() && self.eligible(someone.person.id.0).is_ok();
            if is_due {
                assert!(self.table.contains_key(&address), "{address} is missing");
            }
        }
        assert!(self.plan().is_empty(), "{}", self.plan());
    }
}

/// What no step may skip: a grace before mail is refused, and half a year before the data is gone.
fn may_become(before: &Alias, after: &Alias, rules: &Rules) -> bool {
    match (before.status, after.status) {
        (Status::Active, Status::Suspended) => after.reason == Reason::Banned,
        (Status::Active, Status::Leaving) => after.until.unwrap() >= before.since + rules.leaving(),
        (Status::Leaving, Status::Suspended) => after.reason == Reason::Banned || before.until.unwrap() <= after.since,
        (Status::Suspended, Status::Retired) => before.since + rules.retire_after() <= after.since,
        (Status::Active | Status::Leaving, Status::Retired) => false,
        (Status::Suspended | Status::Retired, Status::Leaving) => false,
        (Status::Retired, Status::Suspended) => false,
        (_, Status::Active) | (Status::Leaving, Status::Leaving) | (Status::Suspended, Status::Suspended) => true,
        (Status::Retired, Status::Retired) => false,
    }
}

fn event() -> impl Strategy<Value = Event> {
    let who = 0..PEOPLE;
    prop_oneof![
        4 => who.clone().prop_map(Event::Joins),
        2 => who.clone().prop_map(Event::Leaves),
        2 => (who.clone(), 0..NAMES.len()).prop_map(|(id, name)| Event::IsRenamed(id, name)),
        1 => (who.clone(), any::<bool>()).prop_map(|(id, signed)| Event::Signs(id, signed)),
        1 => (who.clone(), any::<bool>()).prop_map(|(id, valid)| Event::IsActive(id, valid)),
        1 => (who.clone(), any::<bool>()).prop_map(|(id, banned)| Event::Bans(id, banned)),
        4 => who.prop_map(Event::SignsIn),
        2 => (1_i64..200).prop_map(Event::Days),
        4 => (0_usize..4).prop_map(|lost| Event::Sync { lost }),
        2 => Just(Event::Release),
        8 => (any::<usize>(), any::<bool>()).prop_map(|(which, stays)| Event::Deliver { which, stays }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_clean_sync_makes_everything_right(events in proptest::collection::vec(event(), 1..60)) {
        let mut world = World::new();
        events.into_iter().for_each(|event| world.happen(event));
        world.sync_cleanly();
        world.check();
    }

    /// Any order of the steps of a run, each any number of times, comes to the same table.
    #[test]
    fn repeats_and_order_do_not_matter(
        events in proptest::collection::vec(event(), 1..40),
        order in proptest::collection::vec(any::<prop::sample::Index>(), 0..30),
    ) {
        let mut world = World::new();
        events.into_iter().for_each(|event| world.happen(event));
        world.queue.clear();
        let Plan { read_at, steps, .. } = world.plan();
        let mut other = World { table: world.table.clone(), owners: world.owners.clone(), people: world.people.clone(), ..World::new() };
        other.now = world.now;
        steps.iter().for_each(|step| world.take(read_at, step));
        for index in order {
            if !steps.is_empty() {
                other.take(read_at, index.get(&steps));
            }
        }
        steps.iter().rev().for_each(|step| other.take(read_at, step));
        prop_assert_eq!(world.table, other.table);
    }
}
