//! Property tests over histories of people, teams and operators, with crashes, wrong clocks, stale reads, concurrent writers,
//! and lost, repeated and delayed messages. An address never has two owners, an eligible member never loses one, no grace
//! period is shortened, every change is audited, and after clean syncs the table matches the rules.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

mod launchpad;
mod syncs;
mod world;
mod writers;

use std::collections::BTreeSet;

use jiff::SignedDuration;
use membermail_core::address::{Address, LocalPart};
use membermail_core::alias::Status;
use membermail_core::lifecycle::Step;
use membermail_core::member::MemberId;
use membermail_core::plan::Plan;
use proptest::prelude::*;

use crate::world::{Message, World, domain};

/// Number of people, and of their identifiers, at the start.
const PEOPLE: usize = 6;
/// As many names as people, so that names are reused; some give no address.
const NAMES: [&str; 6] = ["ada", "ben", "cleo", "dan", "postmaster", "ada+bank"];

/// An event in a history.
#[derive(Clone, Debug)]
enum Event {
    Join(usize),
    Leave(usize),
    Rename(usize, usize),
    Swap(usize, usize),
    Merge(usize, usize),
    Deactivate(usize),
    RunJob(usize),
    Reactivate(usize),
    Suspend(usize),
    Close(usize),
    SignCode(usize, bool),
    Ban(usize, bool),
    SignIn(usize),
    Days(i64),
    /// A run. It dies before it enqueues its last `lost` messages.
    Sync {
        lost: usize,
        unseen: Option<usize>,
        fails: usize,
        saves_names: bool,
        lag: usize,
    },
    /// The sync's clock is ahead by this number of hours; negative: behind.
    Skew(i64),
    /// Two messages are delivered to two writers concurrently, and stay in the queue.
    Race(usize, usize),
    /// An operator releases the held plan.
    Release,
    /// A message is delivered. With `redeliver` it stays in the queue.
    Deliver {
        index: usize,
        redeliver: bool,
    },
}

fn event() -> impl Strategy<Value = Event> {
    let person = 0..PEOPLE;
    let pair = (0..PEOPLE, 0..PEOPLE);
    prop_oneof![
        5 => person.clone().prop_map(Event::Join),
        2 => person.clone().prop_map(Event::Leave),
        3 => (person.clone(), 0..NAMES.len()).prop_map(|(person, name)| Event::Rename(person, name)),
        2 => pair.clone().prop_map(|(one, other)| Event::Swap(one, other)),
        1 => pair.prop_map(|(from, into)| Event::Merge(from, into)),
        1 => person.clone().prop_map(Event::Deactivate),
        1 => person.clone().prop_map(Event::RunJob),
        1 => person.clone().prop_map(Event::Reactivate),
        1 => person.clone().prop_map(Event::Suspend),
        1 => person.clone().prop_map(Event::Close),
        1 => (person.clone(), any::<bool>()).prop_map(|(person, signed)| Event::SignCode(person, signed)),
        1 => (person.clone(), any::<bool>()).prop_map(|(person, banned)| Event::Ban(person, banned)),
        6 => person.prop_map(Event::SignIn),
        2 => (1_i64..200).prop_map(Event::Days),
        5 => (0_usize..3, proptest::option::of(0..PEOPLE), 0_usize..3, any::<bool>(), 0_usize..4)
            .prop_map(|(lost, unseen, fails, saves_names, lag)| Event::Sync { lost, unseen, fails, saves_names, lag }),
        3 => prop::sample::select(vec![-9_000, -1, 0, 1, 9_000, 9_000]).prop_map(Event::Skew),
        3 => any::<(usize, usize)>().prop_map(|(one, other)| Event::Race(one, other)),
        2 => Just(Event::Release),
        8 => (any::<usize>(), any::<bool>()).prop_map(|(index, redeliver)| Event::Deliver { index, redeliver }),
    ]
}

impl World {
    fn states(&self) -> Vec<(&Address, MemberId, Status)> {
        self.table.iter().map(|(address, alias)| (address, alias.member, alias.status)).collect()
    }

    /// Asserts that the table matches the team and the rules.
    fn assert_consistent(&mut self) {
        let members: Vec<_> = self.members.keys().copied().collect();
        for alias in self.table.values().cloned().collect::<Vec<_>>() {
            let is_banned = self.members[&self.survivor(alias.member)].banned;
            let evidence = self.look_up(alias.member, false).map(|(_, evidence)| evidence);
            let is_eligible = !is_banned && evidence.is_some_and(|evidence| evidence.eligible.is_ok());
            let expected = is_eligible && alias.status != Status::Retired;
            assert_eq!(alias.status == Status::Active, expected, "{alias:?}");
            if alias.status == Status::Leaving {
                assert!(alias.until.unwrap() > self.now && !is_banned, "{alias:?}");
            }
        }
        for member in members {
            if self.members[&member].merged_into.is_some() {
                continue;
            }
            // A member without an address who was renamed before joining is found only at the next sign-in.
            let has_alias = self
                .table
                .values()
                .any(|alias| alias.status != Status::Retired && self.survivor(alias.member) == member);
            let Some((_, evidence)) = self.look_up(member, false) else { continue };
            let (Some(known_as), Ok(())) = (evidence.known_as, evidence.eligible) else { continue };
            let Ok(local_part) = LocalPart::of(&known_as.name) else { continue };
            let is_full =
                self.counts.get(&member).copied().unwrap_or_default() >= usize::from(self.rules.addresses_per_domain);
            if has_alias && !is_full {
                let address = Address { local_part, domain: domain() };
                assert!(self.table.contains_key(&address), "{address} is missing");
            }
        }
        let limit = usize::from(self.rules.addresses_per_domain);
        assert!(self.counts.values().all(|count| *count <= limit));
        let audited: BTreeSet<_> = self.audit.iter().collect();
        assert_eq!(audited.len(), self.audit.len(), "a change was applied twice");
        for alias in self.table.values() {
            assert!((1..=alias.version).all(|version| audited.contains(&(alias.address.clone(), version))));
        }
        let (plan, ..) = self.plan(None, 0, false);
        assert!(plan.is_empty(), "{plan}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn clean_syncs_restore_consistency(
        residents in 0..=PEOPLE,
        events in proptest::collection::vec(event(), 1..60),
    ) {
        let mut world = World::with_residents(residents);
        events.into_iter().for_each(|event| world.handle(event));
        world.sync_cleanly();
        world.assert_consistent();
    }

    /// A clean sync removes no address of a member who is eligible at that time.
    #[test]
    fn eligible_member_keeps_every_address(
        events in proptest::collection::vec(event(), 1..60),
        unseen in proptest::option::of(0..PEOPLE),
    ) {
        let mut world = World::new();
        events.into_iter().for_each(|event| world.handle(event));
        world.queue.clear();
        world.now += SignedDuration::from_secs(1);
        let (plan, ..) = world.plan(unseen, 0, true);
        for step in plan.steps.iter().filter(|step: &&Step| step.action.is_removal() && step.action.is_guarded()) {
            let evidence = world.look_up(step.member, false).map(|(_, evidence)| evidence);
            prop_assert!(evidence.is_none_or(|evidence| evidence.eligible.is_err()), "{}", step);
        }
    }

    /// The steps of a run give the same table in any order, with any repeats.
    #[test]
    fn order_and_repeats_change_nothing(
        events in proptest::collection::vec(event(), 1..40),
        order in proptest::collection::vec(any::<prop::sample::Index>(), 0..30),
    ) {
        let [mut one, mut other] = [(); 2].map(|()| {
            let mut world = World::new();
            events.iter().cloned().for_each(|event| world.handle(event));
            world.queue.clear();
            world
        });
        let (Plan { steps, read_at, .. }, ..) = one.plan(None, 0, true);
        other.plan(None, 0, true);
        let messages: Vec<_> = steps.into_iter().map(|step| Message { step, read_at }).collect();
        messages.iter().for_each(|message| one.apply(message));
        for index in order {
            if !messages.is_empty() {
                other.apply(index.get(&messages));
            }
        }
        messages.iter().rev().for_each(|message| other.apply(message));
        // At the address limit, the order decides which name gets the last address.
        let limit = usize::from(one.rules.addresses_per_domain);
        if one.counts.values().all(|count| *count < limit) {
            prop_assert_eq!(one.states(), other.states());
        }
    }
}
