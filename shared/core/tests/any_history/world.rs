//! The product around the pure rules, as simply as it can be: a table, a queue that loses, repeats and delays, and the
//! sync that looks members up by identity.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use membermail_core::address::{Address, DomainName, LocalPart};
use membermail_core::alias::{self, Alias, Decision, Reason, Status, Wish};
use membermail_core::community::Rules;
use membermail_core::email::EmailAddress;
use membermail_core::guard::{self, History, Verdict};
use membermail_core::lifecycle::{self, Action, Step};
use membermail_core::member::{LaunchpadName, MemberId, ObservedName};
use membermail_core::plan::{Evidence, Plan, Planner};
use membermail_core::random::CountingRandom;
use membermail_core::rolling::{Cursor, Rolling};
use membermail_core::roster::{Names, Roster};

use crate::launchpad::Launchpad;
use crate::{Event, NAMES, PEOPLE};

/// A member: their identities, and the one that they were linked to.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) identifiers: BTreeSet<usize>,
    pub(crate) merged_into: Option<MemberId>,
    pub(crate) banned: bool,
    pub(crate) observed: Option<ObservedName>,
}

pub(crate) struct World {
    pub(crate) launchpad: Launchpad,
    pub(crate) members: BTreeMap<MemberId, Member>,
    pub(crate) owner_of: BTreeMap<usize, MemberId>,
    pub(crate) claims: BTreeMap<LaunchpadName, MemberId>,
    pub(crate) table: BTreeMap<Address, Alias>,
    pub(crate) counts: BTreeMap<MemberId, usize>,
    owners: BTreeMap<Address, MemberId>,
    /// One entry for each change of an alias.
    pub(crate) audit: Vec<(Address, u64)>,
    pub(crate) queue: Vec<Step>,
    held: Vec<Step>,
    previous: Names,
    cursor: Cursor,
    pub(crate) rules: Rules,
    pub(crate) now: Timestamp,
    random: CountingRandom,
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
            held: Vec::new(),
            previous: Names::default(),
            cursor: Cursor::default(),
            // Few enough that a handful of people come to it.
            rules: Rules { hold_above_count: 1, hold_above_percent: 40, ..Rules::default() },
            now: "2026-01-01T00:00:00Z".parse().unwrap(),
            random: CountingRandom::default(),
        }
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
            Event::Sync { lost, unseen, fails, stores } => self.sync(lost, unseen, fails, stores),
            Event::Release => self.release(),
            Event::Deliver { which, stays } if !self.queue.is_empty() => {
                let which = which % self.queue.len();
                let step = if stays { self.queue[which].clone() } else { self.queue.swap_remove(which) };
                self.apply(&step);
            }
            Event::Deliver { .. } => {}
        }
    }

    fn ban(&mut self, identifier: usize, banned: bool) {
        if let Some(owner) = self.owner_of.get(&identifier).copied()
            && let Some(member) = self.members.get_mut(&owner)
        {
            member.banned = banned;
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
            let member = Member { identifiers, merged_into: None, banned: false, observed: None };
            self.members.insert(id, member);
            id
        });
        let Some((owner, evidence)) = self.look_up(id, true) else { return };
        if let Evidence { known_as: Some(known_as), eligible: Ok(()), .. } = evidence {
            self.grant(&known_as, owner);
        }
    }

    /// Asks by identity, records the name, and settles who has it. `records` is false for a look-up that changes nothing.
    pub(crate) fn look_up(&mut self, id: MemberId, records: bool) -> Option<(MemberId, Evidence)> {
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
        let known_as = person.observed(self.now);
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

    fn grant(&mut self, known_as: &ObservedName, owner: MemberId) {
        let Ok(local_part) = LocalPart::of(&known_as.name) else { return };
        let address = Address { local_part, domain: domain() };
        let destination = EmailAddress::parse("somebody@mail.example").unwrap();
        let wish = Wish { member: owner, destination: &destination, eligible_at: known_as.observed_at };
        let existing = self.table.get(&address).cloned();
        match alias::decide(existing.as_ref(), wish, &[domain()]) {
            Decision::Create { status, reason } | Decision::Change { status, reason, .. } => {
                let count = self.counts.entry(owner).or_default();
                if existing.is_none() && *count >= usize::from(self.rules.addresses_per_domain) {
                    return;
                }
                *count += usize::from(existing.is_none());
                let version = existing.as_ref().map_or(1, |alias| alias.version + 1);
                let known_as = known_as.clone();
                let (since, until, erase_pending) = (self.now, None, false);
                let member = owner;
                self.write(Alias { address, member, known_as, status, reason, since, until, version, erase_pending });
            }
            Decision::Unchanged => {
                if existing.is_some_and(|alias| !alias.known_as.is_same_as(known_as)) {
                    self.observe(&address, owner, known_as);
                }
            }
            Decision::Refuse(_) => {}
        }
    }

    fn observe(&mut self, address: &Address, member: MemberId, known_as: &ObservedName) {
        if let Some(alias) = self.table.get_mut(address).filter(|alias| alias.member == member) {
            alias.known_as = lifecycle::newer(&alias.known_as, Some(known_as), self.now).clone();
        }
    }

    /// What `write-aliases` does with a step.
    pub(crate) fn apply(&mut self, step: &Step) {
        match (&step.action, &step.known_as) {
            (Action::Create | Action::Rename { .. }, Some(known_as)) => {
                if self.is_banned(step.member) {
                    return;
                }
                self.grant(known_as, self.survivor(step.member));
                if let Action::Rename { from } = &step.action {
                    let from = Address { local_part: from.clone(), domain: domain() };
                    self.observe(&from, step.member, known_as);
                }
            }
            (Action::Observe, Some(known_as)) => self.observe(&step.address, step.member, known_as),
            _ => {
                let Some(alias) = self.table.get(&step.address) else { return };
                if let Ok(after) = lifecycle::apply(alias, step, &self.rules, false, self.now) {
                    // The erasure follows at once.
                    self.write(Alias { erase_pending: false, ..after });
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
        self.audit.push((alias.address.clone(), alias.version));
        self.table.insert(alias.address.clone(), alias);
    }

    /// A run. `unseen` is a person whom the pages miss; `fails` members of all that are looked up get no answer; of the
    /// steps `lost` are not handed on, since the run dies; `stores` says whether it dies before it stores the names.
    fn sync(&mut self, lost: usize, unseen: Option<usize>, fails: usize, stores: bool) {
        let (plan, names, cursor) = self.plan(unseen, fails, true);
        let verdict = guard::check(&plan, &History::default(), &self.rules);
        let Plan { mut steps, .. } = plan;
        if verdict != Verdict::Pass {
            self.held = steps.extract_if(.., |step| step.action.can_wait()).collect();
        }
        steps.truncate(steps.len().saturating_sub(lost));
        self.queue.extend(steps);
        if stores && lost == 0 {
            (self.previous, self.cursor) = (names, cursor);
        }
    }

    fn release(&mut self) {
        let held = std::mem::take(&mut self.held);
        let (Plan { steps, .. }, ..) = self.plan(None, 0, true);
        let is_held = |step: &Step| held.iter().any(|one| (&one.address, one.version) == (&step.address, step.version));
        self.queue.extend(steps.into_iter().filter(|step| step.action.can_wait() && is_held(step)));
    }

    /// Reads the pages and looks up, as the engine does.
    pub(crate) fn plan(&mut self, unseen: Option<usize>, fails: usize, records: bool) -> (Plan, Names, Cursor) {
        let roster = Roster::new(self.launchpad.roster(unseen));
        let mut names = roster.names();
        let aliases = self.table.values().cloned().collect();
        let banned: BTreeSet<_> = self.members.keys().copied().filter(|id| self.is_banned(*id)).collect();
        let rules = self.rules.clone();
        let mut planner = Planner::new(domain(), roster, aliases, &banned, true, &rules, self.now);
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
            } else if let Some((_, evidence)) = self.look_up(member, records) {
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
        for _ in 0..2 * self.table.len().max(2) {
            self.now += SignedDuration::from_secs(1);
            let (Plan { steps, .. }, names, cursor) = self.plan(None, 0, true);
            steps.iter().for_each(|step| self.apply(step));
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
fn may_become(before: &Alias, after: &Alias, rules: &Rules) -> bool {
    match (before.status, after.status) {
        (Status::Active, Status::Suspended) => after.reason == Reason::Banned,
        (Status::Active, Status::Leaving) => after.until.unwrap() >= before.since + rules.leaving(),
        (Status::Leaving, Status::Suspended) => after.reason == Reason::Banned || before.until.unwrap() <= after.since,
        (Status::Suspended, Status::Retired) => before.since + rules.retire_after() <= after.since,
        (Status::Active | Status::Leaving, Status::Retired) => false,
        (Status::Suspended | Status::Retired, Status::Leaving) => false,
        (Status::Retired, Status::Suspended | Status::Retired) => false,
        (_, Status::Active) | (Status::Leaving, Status::Leaving) | (Status::Suspended, Status::Suspended) => true,
    }
}
