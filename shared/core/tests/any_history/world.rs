//! A minimal model of the product around the pure rules: a table, a queue that loses, repeats and delays messages, and a sync
//! that looks members up by identity.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use membermail_core::address::{Address, DomainName};
use membermail_core::alias::{Alias, Reason, Status};
use membermail_core::community::Rules;
use membermail_core::eligibility::Account;
use membermail_core::expiry::CLOCK_SKEW;
use membermail_core::lifecycle::Step;
use membermail_core::member::{MemberId, ObservedName, PersonName};
use membermail_core::plan::{Comparison, Evidence, Plan, Planner};
use membermail_core::random::CountingRandom;
use membermail_core::rolling::{Cursor, Rolling};
use membermail_core::roster::{Names, Roster};

use crate::launchpad::Launchpad;
use crate::syncs::{Faults, PastSync};
use crate::{Event, NAMES, PEOPLE};

/// A member with their identities and the member that they were linked to.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) identifiers: BTreeSet<usize>,
    pub(crate) merged_into: Option<MemberId>,
    pub(crate) banned: bool,
    pub(crate) ban_changed_at: Option<Timestamp>,
    pub(crate) observed: Option<ObservedName>,
}

/// A message to `write-aliases`: a step and the time of the reading.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) step: Step,
    pub(crate) read_at: Timestamp,
}

pub(crate) struct World {
    pub(crate) launchpad: Launchpad,
    pub(crate) members: BTreeMap<MemberId, Member>,
    pub(crate) owner_of: BTreeMap<usize, MemberId>,
    pub(crate) claims: BTreeMap<PersonName, MemberId>,
    pub(crate) table: BTreeMap<Address, Alias>,
    pub(crate) counts: BTreeMap<MemberId, usize>,
    pub(crate) owners: BTreeMap<Address, MemberId>,
    /// One entry per change of an alias.
    pub(crate) audit: Vec<(Address, u64)>,
    pub(crate) queue: Vec<Message>,
    /// The index of the run whose plan was held last.
    pub(crate) held: Option<usize>,
    pub(crate) runs: Vec<PastSync>,
    /// The previous value of each write, for stale reads.
    pub(crate) undo: Vec<(Address, Option<Alias>)>,
    /// The amount by which the sync's clock is ahead.
    pub(crate) skew: SignedDuration,
    pub(crate) previous: Names,
    pub(crate) cursor: Cursor,
    pub(crate) rules: Rules,
    pub(crate) now: Timestamp,
    pub(crate) random: CountingRandom,
}

pub(crate) fn domain() -> DomainName {
    "ubuntu.com".parse().unwrap()
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            launchpad: Launchpad::new(PEOPLE),
            members: BTreeMap::new(),
            owner_of: BTreeMap::new(),
            claims: BTreeMap::new(),
            table: BTreeMap::new(),
            counts: BTreeMap::new(),
            owners: BTreeMap::new(),
            audit: Vec::new(),
            queue: Vec::new(),
            held: None,
            runs: Vec::new(),
            undo: Vec::new(),
            skew: SignedDuration::ZERO,
            previous: Names::default(),
            cursor: Cursor::default(),
            // Low limits, so that a few people reach them.
            rules: Rules { hold_above_count: 1, hold_above_percent: 40, ..Rules::default() },
            now: "2026-01-01T00:00:00Z".parse().unwrap(),
            random: CountingRandom::default(),
        }
    }

    /// A world in which `count` people have joined and signed in.
    pub(crate) fn with_residents(count: usize) -> Self {
        let mut world = Self::new();
        for person in 0..count {
            world.handle(Event::Join(person));
            world.handle(Event::SignIn(person));
        }
        world
    }

    pub(crate) fn handle(&mut self, event: Event) {
        // Each event has a later time than the one before.
        self.now += SignedDuration::from_secs(1);
        let launchpad = &mut self.launchpad;
        match event {
            Event::Join(person) => launchpad.change(person, |profile| profile.in_team = true),
            Event::Leave(person) => launchpad.change(person, |profile| profile.in_team = false),
            Event::SignCode(person, signed) => launchpad.change(person, |profile| profile.signed = signed),
            Event::Suspend(person) => launchpad.change(person, |profile| profile.account = Account::Suspended),
            Event::Rename(person, name) => launchpad.rename(person, NAMES[name]),
            Event::Swap(one, other) => launchpad.swap(one, other),
            Event::Merge(from, into) => launchpad.merge(from, into),
            Event::Deactivate(person) => launchpad.deactivate(person),
            Event::RunJob(person) => launchpad.run_job(person),
            Event::Reactivate(person) => launchpad.reactivate(person),
            Event::Close(person) => launchpad.close(person),
            Event::Ban(person, banned) => self.ban(person, banned),
            Event::SignIn(identifier) => self.sign_in(identifier),
            Event::Days(days) => self.now += SignedDuration::from_hours(24 * days),
            Event::Skew(hours) => self.skew = SignedDuration::from_hours(hours),
            Event::Sync { lost, unseen, fails, saves_names, lag } => {
                self.sync(Faults { lost, unseen, fails, saves_names, lag });
            }
            Event::Release => self.release(),
            Event::Deliver { index, redeliver } if !self.queue.is_empty() => {
                let index = index % self.queue.len();
                let message = if redeliver { self.queue[index].clone() } else { self.queue.swap_remove(index) };
                self.apply(&message);
            }
            Event::Race(one, other) if !self.queue.is_empty() => {
                let [one, other] = [one, other].map(|index| self.queue[index % self.queue.len()].clone());
                self.race(&one, &other);
            }
            Event::Race(..) | Event::Deliver { .. } => {}
        }
    }

    fn ban(&mut self, identifier: usize, banned: bool) {
        if let Some(owner) = self.owner_of.get(&identifier).copied()
            && let Some(member) = self.members.get_mut(&owner)
        {
            member.banned = banned;
            member.ban_changed_at = Some(self.now);
        }
    }

    pub(crate) fn survivor(&self, id: MemberId) -> MemberId {
        self.members[&id].merged_into.unwrap_or(id)
    }

    fn is_banned(&self, id: MemberId) -> bool {
        self.members[&self.survivor(id)].banned
    }

    /// A sign-in with an identifier, which Launchpad may not know.
    fn sign_in(&mut self, identifier: usize) {
        let id = *self.owner_of.entry(identifier).or_insert_with(|| {
            let id = MemberId::new(self.now, &self.random);
            let identifiers = BTreeSet::from([identifier]);
            let member = Member { identifiers, merged_into: None, banned: false, ban_changed_at: None, observed: None };
            self.members.insert(id, member);
            id
        });
        let Some((owner, evidence)) = self.look_up(id, true) else { return };
        if let Evidence { known_as: Some(known_as), eligible: Ok(()), .. } = evidence
            && let Some(alias) = self.decide_grant(&known_as, owner)
        {
            assert!(self.commit(alias), "there is no concurrent writer");
        }
    }

    /// Looks the member up by identity and, with `records`, records the name and resolves conflicts about it.
    pub(crate) fn look_up(&mut self, id: MemberId, records: bool) -> Option<(MemberId, Evidence)> {
        self.look_up_at(id, records, self.now)
    }

    fn look_up_at(&mut self, id: MemberId, records: bool, at: Timestamp) -> Option<(MemberId, Evidence)> {
        let survivor = self.survivor(id);
        let member = self.members[&survivor].clone();
        if member.banned {
            return None;
        }
        let found = member.identifiers.iter().find_map(|one| Some((*one, self.launchpad.person(*one)?)));
        let Some((identifier, person)) = found else {
            let eligible = Err(Reason::AccountClosed);
            return Some((survivor, Evidence { owner: survivor, known_as: None, eligible }));
        };
        let known_as = person.observed(at);
        let mut owner = survivor;
        if records {
            owner = self.record(survivor, &known_as);
        }
        if self.is_banned(owner) {
            return None;
        }
        let eligible = match person.check() {
            Ok(()) if self.launchpad.is_in_team(identifier) => Ok(()),
            Ok(()) => Err(Reason::NotInTeam),
            Err(reason) => Err(reason),
        };
        Some((owner, Evidence { owner, known_as: Some(known_as), eligible }))
    }

    /// Claims the name. Its former holder is looked up: with the same name they are the same person, and are linked.
    fn record(&mut self, id: MemberId, known_as: &ObservedName) -> MemberId {
        let holder = self.claims.get(&known_as.name).map(|holder| self.survivor(*holder));
        let mut owner = id;
        if let Some(holder) = holder.filter(|holder| *holder != id) {
            let identifiers = self.members[&holder].identifiers.clone();
            let person = identifiers.iter().find_map(|one| self.launchpad.person(*one));
            if person.is_some_and(|person| person.name == known_as.name) {
                self.link(holder, id);
                owner = holder;
            }
        }
        self.claims.insert(known_as.name.clone(), owner);
        if let Some(member) = self.members.get_mut(&owner) {
            member.observed = Some(known_as.clone());
        }
        owner
    }

    fn link(&mut self, member: MemberId, other: MemberId) {
        let identifiers = self.members[&other].identifiers.clone();
        for identifier in &identifiers {
            self.owner_of.insert(*identifier, member);
        }
        for one in self.members.values_mut().filter(|one| one.merged_into == Some(other)) {
            one.merged_into = Some(member);
        }
        if let Some(other) = self.members.get_mut(&other) {
            other.merged_into = Some(member);
            other.identifiers.clear();
        }
        if let Some(member) = self.members.get_mut(&member) {
            member.identifiers.extend(identifiers);
        }
    }

    /// Reads the pages, looks members up and plans, as the engine does.
    pub(crate) fn plan(&mut self, unseen: Option<usize>, fails: usize, records: bool) -> (Plan, Names, Cursor) {
        self.plan_with_lag(unseen, fails, records, 0)
    }

    /// A plan from a stale read that misses the latest `lag` writes.
    pub(crate) fn plan_with_lag(
        &mut self,
        unseen: Option<usize>,
        fails: usize,
        records: bool,
        lag: usize,
    ) -> (Plan, Names, Cursor) {
        let roster = Roster::new(self.launchpad.roster(unseen));
        let mut names = roster.names();
        let aliases = self.stale_table(lag).into_values().collect();
        let clock = self.sync_clock();
        let banned: BTreeSet<_> = self.members.keys().copied().filter(|id| self.is_banned(*id)).collect();
        let rules = self.rules.clone();
        let comparison = Comparison::new(domain(), roster, aliases, &banned, true, &rules, clock);
        let mut wanted = comparison.due();
        let joiners = comparison.joiners(&self.previous);
        let mut planner = Planner::new(comparison);
        let members = joiners.iter().filter_map(|name| Some((name.clone(), *self.claims.get(name)?)));
        let joining: Vec<_> = members.collect();
        wanted.extend(joining.iter().map(|(_, member)| *member));
        let Rolling(next) = planner.rolling(&self.cursor, 2, |_| false);
        wanted.extend(next.iter().map(|(member, _)| *member));
        let cursor = next.last().map_or_else(|| self.cursor.clone(), |(_, cursor)| cursor.clone());
        let mut looked_up = BTreeSet::new();
        for member in wanted {
            if !looked_up.insert(member) {
                continue;
            }
            if looked_up.len() <= fails {
                planner.postpone(member);
                let failed = joining.iter().filter(|(_, one)| *one == member);
                names.forget(&failed.map(|(name, _)| name.clone()).collect::<Vec<_>>());
            } else if let Some((_, evidence)) = self.look_up_at(member, records, clock) {
                planner.add_evidence(member, evidence);
            } else {
                planner.postpone(member);
            }
        }
        (planner.finish(), names, cursor)
    }

    /// Syncs without faults until the rolling check has covered every member.
    pub(crate) fn sync_cleanly(&mut self) {
        self.queue.clear();
        // The clock is corrected, and the times of a clock that was an hour ahead pass.
        self.skew = SignedDuration::ZERO;
        self.now += SignedDuration::from_hours(25);
        for _ in 0..2 * self.table.len().max(2) {
            self.now += SignedDuration::from_secs(1);
            let (Plan { steps, read_at, .. }, names, cursor) = self.plan(None, 0, true);
            steps.into_iter().for_each(|step| self.apply(&Message { step, read_at }));
            self.previous = names;
            self.cursor = cursor;
        }
    }
}

/// Whether a transition keeps the grace period before the suspension and the time before the retirement.
pub(crate) fn can_become(before: &Alias, after: &Alias, rules: &Rules) -> bool {
    match (before.status, after.status) {
        (Status::Active, Status::Suspended) => after.reason == Reason::Banned,
        (Status::Active, Status::Leaving) => after.until.unwrap() >= after.since + rules.leaving(),
        (Status::Leaving, Status::Suspended) => {
            after.reason == Reason::Banned || before.until.unwrap() <= after.since + CLOCK_SKEW
        }
        (Status::Suspended, Status::Retired) => before.since + rules.retire_after() <= after.since + CLOCK_SKEW,
        (Status::Active | Status::Leaving, Status::Retired) => false,
        (Status::Suspended | Status::Retired, Status::Leaving) => false,
        (Status::Retired, Status::Suspended | Status::Retired) => false,
        (_, Status::Active) | (Status::Leaving, Status::Leaving) | (Status::Suspended, Status::Suspended) => true,
    }
}
