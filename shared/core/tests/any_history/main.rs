//! Any history of people, teams and operators, with crashes, wrong clocks, tables that are behind, writers that meet, and lost,
//! repeated and delayed messages: no address ever has two owners, no eligible member loses one, no grace period is cut short,
//! every change is audited, and after clean syncs the table matches the rules.

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
use membermail_core::plan::Plan;
use proptest::prelude::*;

use crate::world::{Message, World, domain};

/// People and identifiers at the beginning.
const PEOPLE: usize = 6;
/// Fewer names than people, so that names are given up and taken by others; some give no address.
const NAMES: [&str; 6] = ["ada", "ben", "cleo", "dan", "postmaster", "ada+bank"];

/// What can happen.
#[derive(Clone, Debug)]
enum Event {
    Joins(usize),
    Leaves(usize),
    IsRenamed(usize, usize),
    Swap(usize, usize),
    Merge(usize, usize),
    Deactivates(usize),
    Job(usize),
    Reactivates(usize),
    IsSuspended(usize),
    Closes(usize),
    Signs(usize, bool),
    Bans(usize, bool),
    SignsIn(usize),
    Days(i64),
    /// A run whose messages go on the queue, except the last `lost`: it died while it sent them.
    Sync {
        lost: usize,
        unseen: Option<usize>,
        fails: usize,
        stores: bool,
        behind: usize,
    },
    /// The clock of the sync is ahead by this number of hours, or behind.
    Skew(i64),
    /// Two messages are delivered to two writers at the same time, and stay on the queue.
    Race(usize, usize),
    /// An operator releases the held plan, and what is still right of it goes on the queue.
    Release,
    /// A message is delivered, and again later if it stays on the queue.
    Deliver {
        which: usize,
        stays: bool,
    },
}

fn event() -> impl Strategy<Value = Event> {
    let who = 0..PEOPLE;
    let pair = || (0..PEOPLE, 0..PEOPLE);
    prop_oneof![
        5 => who.clone().prop_map(Event::Joins),
        2 => who.clone().prop_map(Event::Leaves),
        3 => (who.clone(), 0..NAMES.len()).prop_map(|(place, name)| Event::IsRenamed(place, name)),
        2 => pair().prop_map(|(one, other)| Event::Swap(one, other)),
        1 => pair().prop_map(|(from, into)| Event::Merge(from, into)),
        1 => who.clone().prop_map(Event::Deactivates),
        1 => who.clone().prop_map(Event::Job),
        1 => who.clone().prop_map(Event::Reactivates),
        1 => who.clone().prop_map(Event::IsSuspended),
        1 => who.clone().prop_map(Event::Closes),
        1 => (who.clone(), any::<bool>()).prop_map(|(place, signed)| Event::Signs(place, signed)),
        1 => (who.clone(), any::<bool>()).prop_map(|(place, banned)| Event::Bans(place, banned)),
        6 => who.prop_map(Event::SignsIn),
        2 => (1_i64..200).prop_map(Event::Days),
        5 => (0_usize..3, proptest::option::of(0..PEOPLE), 0_usize..3, any::<bool>(), 0_usize..4)
            .prop_map(|(lost, unseen, fails, stores, behind)| Event::Sync { lost, unseen, fails, stores, behind }),
        3 => prop::sample::select(vec![-9_000, -1, 0, 1, 9_000, 9_000]).prop_map(Event::Skew),
        3 => any::<(usize, usize)>().prop_map(|(one, other)| Event::Race(one, other)),
        2 => Just(Event::Release),
        8 => (any::<usize>(), any::<bool>()).prop_map(|(which, stays)| Event::Deliver { which, stays }),
    ]
}

impl World {
    /// What the rules say of a table in step with the team.
    fn check(&mut self) {
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
            // A member without an address who was renamed before joining is found at the next sign-in.
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
        assert_eq!(audited.len(), self.audit.len(), "a change was made twice");
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
    fn clean_syncs_make_everything_right(
        residents in 0..=PEOPLE,
        events in proptest::collection::vec(event(), 1..60),
    ) {
        let mut world = World::with_residents(residents);
        events.into_iter().for_each(|event| world.happen(event));
        world.sync_cleanly();
        world.check();
    }

    /// No clean sync takes an address from a member who is eligible at that moment.
    #[test]
    fn eligible_member_keeps_every_address(
        events in proptest::collection::vec(event(), 1..60),
        unseen in proptest::option::of(0..PEOPLE),
    ) {
        let mut world = World::new();
        events.into_iter().for_each(|event| world.happen(event));
        world.queue.clear();
        world.now += SignedDuration::from_secs(1);
        let (plan, ..) = world.plan(unseen, 0, true);
        for step in plan.steps.iter().filter(|step: &&Step| step.action.removes() && step.action.can_wait()) {
            let evidence = world.look_up(step.member, false).map(|(_, evidence)| evidence);
            prop_assert!(evidence.is_none_or(|evidence| evidence.eligible.is_err()), "{}", step);
        }
    }

    /// Any order of the steps of a run, each any number of times, comes to the same table.
    #[test]
    fn order_and_repeats_do_not_matter(
        events in proptest::collection::vec(event(), 1..40),
        order in proptest::collection::vec(any::<prop::sample::Index>(), 0..30),
    ) {
        let happen = || {
            let mut world = World::new();
            events.iter().cloned().for_each(|event| world.happen(event));
            world.queue.clear();
            world
        };
        let (mut one, mut other) = (happen(), happen());
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
        let states = |world: &World| {
            let states = world.table.values().map(|alias| (alias.address.to_string(), alias.member, alias.status));
            states.collect::<Vec<_>>()
        };
        // At the limit of addresses the order says which name gets the last one.
        let limit = usize::from(one.rules.addresses_per_domain);
        if one.counts.values().all(|count| *count < limit) {
            prop_assert_eq!(states(&one), states(&other));
        }
    }
}
