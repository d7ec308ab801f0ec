//! The product around the pure rules, as simply as it can be: a table, a queue that loses, repeats and delays, and the
//! sync that looks members up by identity.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use membermail_core::address::{Address, DomainName};
use membermail_core::alias::{Alias, Reason, Status};
use membermail_core::community::Rules;
use membermail_core::expiry::CLOCK_SKEW;
use membermail_core::lifecycle::Step;
use membermail_core::member::{LaunchpadName, MemberId, ObservedName};
use membermail_core::plan::{Evidence, Plan, Planner};
use membermail_core::random::CountingRandom;
use membermail_core::rolling::{Cursor, Rolling};
use membermail_core::roster::{Names, Roster};

use crate::launchpad::Launchpad;
use crate::syncs::{Adversity, PastSync};
use crate::{Event, NAMES, PEOPLE};

/// A member: their identities, and the one that they were linked to.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) identifiers: BTreeSet<usize>,
    pub(crate) merged_into: Option<MemberId>,
    pub(crate) banned: bool,
    pub(crate) ban_changed_at: Option<Timestamp>,
    pub(crate) observed: Option<ObservedName>,
}

/// A step on its way to `write-aliases`, and when the team was read.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) step: Step,
    pub(crate) read_at: Timestamp,
}

pub(crate) struct World {
    pub(crate) launchpad: Launchpad,
    pub(crate) members: BTreeMap<MemberId, Member>,
    pub(crate) owner_of: BTreeMap<usize, MemberId>,
    pub(crate) claims: BTreeMap<LaunchpadName, MemberId>,
    pub(crate) table: BTreeMap<Address, Alias>,
    pub(crate) counts: BTreeMap<MemberId, usize>,
    pub(crate) owners: BTreeMap<Address, MemberId>,
    /// One entry for each change of an alias.
    pub(crate) audit: Vec<(Address, u64)>,
    pub(crate) queue: Vec<Message>,
    /// The held plan that was announced last, by its place among the runs.
    pub(crate) held: Option<usize>,
    pub(crate) runs: Vec<PastSync>,
    /// The latest writes, each with what was there before: a reader can be behind by some of them.
    pub(crate) undo: Vec<(Address, Option<Alias>)>,
    /// How far the clock of the sync is ahead.
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
            // Few enough that a handful of people come to it.
            rules: Rules { hold_above_count: 1, hold_above_percent: 40, ..Rules::default() },
            now: "2026-01-01T00:00:00Z".parse().unwrap(),
            random: CountingRandom::default(),
        }
    }

    /// So many people have joined and signed in before anything goes wrong.
    pub(crate) fn with_residents(count: usize) -> Self {
        let mut world = Self::new();
        for place in 0..count {
            world.happen(Event::Joins(place));
            world.happen(Event::SignsIn(place));
        }
        world
    }

    pub(crate) fn happen(&mut self, event: Event) {
        // Time passes between any two events, so that "before" and "after" differ.
        self.now += SignedDuration::from_secs(1);
        let launchpad = &mut self.launchpad;
        match event {
            Event::Joins(place) => change(launchpad, place, |someone| someone.in_team = true),
            Event::Leaves(place) => change(launchpad, place, |someone| someone.in_team = false),
            Event::Signs(place, signed) => change(launchpad, place, |someone| someone.signed = signed),
            Event::IsSuspended(place) => {
                change(launchpad, place, |someone| {
                    someone.account = membermail_core::eligibility::Account::Suspended;
                });
            }
            Event::IsRenamed(place, name) => launchpad.rename(place, NAMES[name]),
            Event::Swap(one, other) => launchpad.swap(one, other),
            Event::Merge(from, into) => launchpad.merge(from, into),
            Event::Deactivates(place) => launchpad.deactivate(place),
            Event::Job(place) => launchpad.run_job(place),
            Event::Reactivates(place) => launchpad.reactivate(place),
            Event::Closes(place) => launchpad.close(place),
            Event::Bans(place, banned) => self.ban(place, banned),
            Event::SignsIn(identifier) => self.sign_in(identifier),
            Event::Days(days) => self.now += SignedDuration::from_hours(24 * days),
            Event::Skew(hours) => self.skew = SignedDuration::from_hours(hours),
            Event::Sync { lost, unseen, fails, stores, behind } => {
                self.sync(Adversity { lost, unseen, fails, stores, behind });
            }
            Event::Release => self.release(),
            Event::Deliver { which, stays } if !self.queue.is_empty() => {
                let which = which % self.queue.len();
                let message = if stays { self.queue[which].clone() } else { self.queue.swap_remove(which) };
                self.apply(&message);
            }
            Event::Race(one, other) if !self.queue.is_empty() => {
                let (one, other) = (one % self.queue.len(), other % self.queue.len());
                self.race(&self.queue[one].clone(), &self.queue[other].clone());
            }
            Event::Race(..) => {}
            Event::Deliver { .. } => {}
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

    /// A sign-in with an identifier, whether Launchpad knows it or not.
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
            && let Some(alias) = self.granted(&known_as, owner)
        {
            assert!(self.commit(alias), "no other writer is at it");
        }
    }

    /// Asks by identity, records the name, and settles who has it. `records` is false for a look-up that changes nothing.
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

    /// Claims the name. Another member who had it last is asked about: the same name is the same person, who are linked.
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

    /// Reads the pages and looks up, as the engine does.
    pub(crate) fn plan(&mut self, unseen: Option<usize>, fails: usize, records: bool) -> (Plan, Names, Cursor) {
        self.plan_behind(unseen, fails, records, 0)
    }

    /// The same from an index that is behind by some writes.
    pub(crate) fn plan_behind(
        &mut self,
        unseen: Option<usize>,
        fails: usize,
        records: bool,
        behind: usize,
    ) -> (Plan, Names, Cursor) {
        let roster = Roster::new(self.launchpad.roster(unseen));
        let mut names = roster.names();
        let aliases = self.behind(behind).into_values().collect();
        let clock = self.clock_of_sync();
        let banned: BTreeSet<_> = self.members.keys().copied().filter(|id| self.is_banned(*id)).collect();
        let rules = self.rules.clone();
        let mut planner = Planner::new(domain(), roster, aliases, &banned, true, &rules, clock);
        let mut wanted = planner.due();
        let joiners = planner.joiners(&self.previous);
        let members = joiners.iter().filter_map(|name| Some((name.clone(), *self.claims.get(name)?)));
        let joining: Vec<_> = members.collect();
        wanted.extend(joining.iter().map(|(_, member)| *member));
        let Rolling(next) = planner.rolling(&self.cursor, 2, |_| false);
        wanted.extend(next.iter().map(|(member, _)| *member));
        let cursor = next.last().map_or_else(|| self.cursor.clone(), |(_, cursor)| cursor.clone());
        let mut asked = BTreeSet::new();
        for member in wanted {
            if !asked.insert(member) {
                continue;
            }
            if asked.len() <= fails {
                planner.postpone(member);
                let failed = joining.iter().filter(|(_, one)| *one == member);
                names.forget(&failed.map(|(name, _)| name.clone()).collect::<Vec<_>>());
            } else if let Some((_, evidence)) = self.look_up_at(member, records, clock) {
                planner.answer(member, evidence);
            } else {
                planner.postpone(member);
            }
        }
        (planner.finish(), names, cursor)
    }

    /// Syncs in which nothing is lost, until every member had their turn in the rolling check.
    pub(crate) fn sync_cleanly(&mut self) {
        self.queue.clear();
        // The clock is set right, and what a wrong one wrote is no longer from the future.
        self.skew = SignedDuration::ZERO;
        self.now += SignedDuration::from_hours(25);
        for _ in 0..2 * self.table.len().max(2) {
            self.now += SignedDuration::from_secs(1);
            let (Plan { steps, read_at, .. }, names, cursor) = self.plan(None, 0, true);
            steps.into_iter().for_each(|step| self.apply(&Message { step, read_at }));
            (self.previous, self.cursor) = (names, cursor);
        }
    }
}

fn change(launchpad: &mut Launchpad, place: usize, change: impl Fn(&mut crate::launchpad::Someone)) {
    if let Some(someone) = launchpad.someone(place) {
        change(someone);
    }
}

/// What no step may skip: a grace period before mail is refused, and half a year before the data is gone.
pub(crate) fn may_become(before: &Alias, after: &Alias, rules: &Rules) -> bool {
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
