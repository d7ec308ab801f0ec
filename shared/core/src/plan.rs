//! A plan: what a sync would do to a domain's aliases, made of values and carried out elsewhere.
//!
//! Planning has three phases. [`Planner::new`] compares the aliases with the roster and finds who has to be looked up by
//! identity; [`Planner::answer`] takes what the membership source said of each; [`Planner::finish`] makes the steps. Every
//! step except a ban rests on an answer of the same run, never on the roster alone.

mod remembered;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::{Address, DomainName, LocalPart};
use crate::alias::{Alias, Reason, Status};
use crate::community::Rules;
use crate::expiry::is_from_future;
use crate::lifecycle::{Action, Step, tend};
use crate::member::{LaunchpadName, MemberId, ObservedName};
use crate::rolling::{Cursor, Rolling};
use crate::roster::{Names, Roster};

/// What the membership source says of a member in this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The member who gets new addresses: the one that was asked about, or the one that they were linked to.
    pub owner: MemberId,
    /// The name; none, where no account has any of their identities.
    pub known_as: Option<ObservedName>,
    /// Whether they are eligible in this domain, with the team membership of this moment.
    pub eligible: Result<(), Reason>,
}

/// Makes a plan for one domain.
#[derive(Debug)]
pub struct Planner<'a> {
    domain: DomainName,
    rules: &'a Rules,
    roster: Roster,
    /// By local part.
    aliases: Vec<Alias>,
    /// Places of `aliases`, by owner.
    by_member: HashMap<MemberId, Vec<u32>>,
    banned: &'a BTreeSet<MemberId>,
    answers: BTreeMap<MemberId, Evidence>,
    /// Members who could not be looked up in this run: their aliases stay as they are.
    postponed: BTreeSet<MemberId>,
    /// Addresses that members can have, where an operator said otherwise than the rules.
    limits: BTreeMap<MemberId, u16>,
    gives_addresses: bool,
    now: Timestamp,
}

/// How many there are of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// People in the team.
    pub participants: u64,
    /// Aliases that were active before.
    pub active: u64,
    /// Aliases that were in their grace period before.
    #[serde(default)]
    pub leaving: u64,
    /// Aliases that were suspended before.
    #[serde(default)]
    pub suspended: u64,
    /// First addresses of members who joined.
    pub create: u64,
    /// Addresses for new names, beside old ones.
    pub rename: u64,
    /// Aliases that become active again.
    pub restore: u64,
    /// Aliases whose grace period begins.
    pub leave: u64,
    /// Aliases that end.
    pub suspend: u64,
    /// Aliases whose personal data goes.
    pub retire: u64,
    /// Aliases that stay as they are.
    pub unchanged: u64,
    /// Active aliases that the plan removes, except bans.
    pub taken: u64,
    /// Aliases that may have to go and whose members could not be looked up in this run.
    #[serde(default)]
    pub unverified: u64,
    /// Members that were looked up by identity.
    #[serde(default)]
    pub looked_up: u64,
}

impl Counts {
    /// Whether any alias changes its state.
    pub fn has_changes(&self) -> bool {
        let Self { create, rename, restore, leave, suspend, retire, .. } = self;
        create + rename + restore + leave + suspend + retire > 0
    }
}

/// What a sync would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The domain.
    pub domain: DomainName,
    /// When reading the team began.
    pub read_at: Timestamp,
    /// How many of each.
    pub counts: Counts,
    /// By address; grants come before removals.
    pub steps: Vec<Step>,
}

impl<'a> Planner<'a> {
    /// For this domain, its roster and all of its aliases. `gives_addresses` is false while the domain is not verified.
    pub fn new(
        domain: DomainName,
        roster: Roster,
        mut aliases: Vec<Alias>,
        banned: &'a BTreeSet<MemberId>,
        gives_addresses: bool,
        rules: &'a Rules,
        read_at: Timestamp,
    ) -> Self {
        aliases.sort_by(|one, other| one.address.local_part.cmp(&other.address.local_part));
        let mut by_member: HashMap<MemberId, Vec<u32>> = HashMap::new();
        for (place, alias) in (0..).zip(&aliases) {
            by_member.entry(alias.member).or_default().push(place);
        }
        let (answers, postponed, limits) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        let now = read_at;
        Self { domain, rules, roster, aliases, by_member, banned, answers, postponed, limits, gives_addresses, now }
    }

    /// The roster.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Members who have to be looked up before their aliases can change: the pages say that they left, came back, lost a
    /// flag, or show another name or fingerprint.
    pub fn due(&self) -> Vec<MemberId> {
        let mut due = BTreeSet::new();
        for alias in &self.aliases {
            if !self.banned.contains(&alias.member) && !self.is_newer(alias) && self.page_action(alias).is_some() {
                due.insert(alias.member);
            }
        }
        due.into_iter().collect()
    }

    /// Names on the roster that no alias of the domain is known by and that were not on the previous one.
    pub fn joiners(&self, previous: &Names) -> Vec<LaunchpadName> {
        let mut is_known = vec![false; self.roster.len()];
        for alias in self.aliases.iter().filter(|alias| alias.status != Status::Retired) {
            if let Some(place) = self.roster.place_of(&alias.known_as) {
                is_known[place] = true;
            }
        }
        let entries = self.roster.entries().iter().zip(is_known);
        entries
            .filter(|(entry, is_known)| !is_known && !previous.contains(&entry.name, entry.fingerprint))
            .map(|(entry, _)| entry.name.clone())
            .collect()
    }

    /// The next members of the rolling check, from a cursor on. `is_shared` says which fingerprints several accounts of
    /// the source have, beyond those of this roster.
    pub fn rolling(&self, cursor: &Cursor, count: usize, is_shared: impl Fn(&ObservedName) -> bool) -> Rolling {
        let is_weak = |alias: &Alias| self.roster.is_shared(alias.known_as.fingerprint) || is_shared(&alias.known_as);
        let aliases = self.aliases.iter().filter(|alias| {
            alias.status != Status::Retired
                && !self.banned.contains(&alias.member)
                && !self.answers.contains_key(&alias.member)
        });
        let candidates = aliases.map(|alias| (is_weak(alias), &alias.address.local_part, alias.member));
        Rolling::next(candidates, cursor, count)
    }

    /// How many members have an alias here that the rolling check looks after.
    pub fn members(&self) -> usize {
        self.by_member.len()
    }

    /// Whether the roster lists this name with this fingerprint.
    pub fn is_listed(&self, known_as: &ObservedName) -> bool {
        self.roster.place_of(known_as).is_some()
    }

    /// Takes what the membership source said of a member.
    pub fn answer(&mut self, member: MemberId, evidence: Evidence) {
        self.answers.insert(member, evidence);
    }

    /// Whether a member has as many addresses as they can have. Retired addresses count too.
    pub fn is_at_limit(&self, member: MemberId) -> bool {
        let limit = self.limits.get(&member).copied().unwrap_or(self.rules.addresses_per_domain);
        self.by_member.get(&member).map_or(0, Vec::len) >= usize::from(limit)
    }

    /// Takes an operator's word on how many addresses a member can have.
    pub fn limit(&mut self, member: MemberId, limit: u16) {
        self.limits.insert(member, limit);
    }

    /// Leaves a member for the next run: the source did not answer for them, or there was no time.
    pub fn postpone(&mut self, member: MemberId) {
        self.postponed.insert(member);
    }

    /// Makes the steps.
    pub fn finish(self) -> Plan {
        let mut counts = Counts {
            participants: self.roster.len() as u64,
            looked_up: self.answers.len() as u64,
            ..Counts::default()
        };
        let mut steps = Vec::new();
        for alias in &self.aliases {
            self.tend_alias(alias, &mut counts, &mut steps);
        }
        if self.gives_addresses {
            let mut given = BTreeSet::new();
            for evidence in self.answers.values().filter(|evidence| given.insert(evidence.owner)) {
                self.give(evidence, &mut counts, &mut steps);
            }
        }
        steps.sort_by(|one: &Step, other: &Step| {
            let place = |step: &Step| step.action.removes();
            (place(one), &one.address.local_part).cmp(&(place(other), &other.address.local_part))
        });
        Plan { domain: self.domain, read_at: self.now, counts, steps }
    }

    /// What the pages alone ask for.
    fn page_action(&self, alias: &Alias) -> Option<Action> {
        let page = match self.roster.place_of(&alias.known_as) {
            Some(place) => self.roster.entries()[place].check(),
            None => Err(Reason::NotInTeam),
        };
        tend(alias, page, self.rules, self.now)
    }

    /// Whether the alias changed after reading began: its member may have joined behind a page that was read already.
    fn is_newer(&self, alias: &Alias) -> bool {
        alias.since > self.now
    }

    fn tend_alias(&self, alias: &Alias, counts: &mut Counts, steps: &mut Vec<Step>) {
        let was_active = alias.status == Status::Active;
        match alias.status {
            Status::Active => counts.active += 1,
            Status::Leaving => counts.leaving += 1,
            Status::Suspended => counts.suspended += 1,
            Status::Retired => {}
        }
        let evidence = self.answers.get(&alias.member);
        let eligible = match evidence {
            _ if self.banned.contains(&alias.member) => Some(Err(Reason::Banned)),
            Some(evidence) => Some(evidence.eligible),
            None => None,
        };
        let known_as = evidence.and_then(|evidence| evidence.known_as.clone());
        let action = eligible.and_then(|eligible| tend(alias, eligible, self.rules, self.now));
        let Some(action) = action.filter(|_| !self.is_newer(alias)) else {
            counts.unchanged += 1;
            let removal = self.page_action(alias).filter(|action| action.removes() && !self.is_newer(alias));
            let is_open = eligible.is_none() && !self.postponed.contains(&alias.member);
            counts.unverified += u64::from(is_open && removal.is_some());
            if let Some(known_as) = known_as.filter(|seen| is_to_be_recorded(alias, seen, self.now)) {
                steps.push(step(alias, Some(known_as), Action::Observe));
            }
            return;
        };
        let count = match action {
            Action::Restore => &mut counts.restore,
            Action::Leave { .. } => &mut counts.leave,
            Action::Suspend { .. } => &mut counts.suspend,
            // Only its erasure is repeated.
            _ if alias.status == Status::Retired => &mut counts.unchanged,
            _ => &mut counts.retire,
        };
        *count += 1;
        counts.taken += u64::from(was_active && action.can_wait());
        steps.push(step(alias, known_as, action));
    }

    /// An address for the name that the source gave, where the member has none for it yet.
    fn give(&self, evidence: &Evidence, counts: &mut Counts, steps: &mut Vec<Step>) {
        let Evidence { owner: member, known_as: Some(known_as), eligible: Ok(()) } = evidence else { return };
        let member = *member;
        if self.banned.contains(&member) {
            return;
        }
        // A name that gives no address was explained to the member when they signed in.
        let Ok(local_part) = LocalPart::of(&known_as.name) else { return };
        // Assigned already: to the member, so there is nothing to do, or to another one, and it stays theirs.
        if self.aliases.binary_search_by(|alias| alias.address.local_part.cmp(&local_part)).is_ok() {
            return;
        }
        if self.is_at_limit(member) {
            return;
        }
        let own = self.by_member.get(&member).map(Vec::as_slice).unwrap_or_default();
        let own = own.iter().filter_map(|place| self.aliases.get(usize::try_from(*place).ok()?));
        let former = own.filter(|alias| alias.status.forwards()).max_by_key(|alias| (alias.since, &alias.address));
        let action = match former {
            Some(former) => {
                counts.rename += 1;
                Action::Rename { from: former.address.local_part.clone() }
            }
            None => {
                counts.create += 1;
                Action::Create
            }
        };
        if let Action::Rename { from } = &action {
            // The new address is granted first and the name recorded with it: a lost message is planned again.
            steps.retain(|step| {
                step.action != Action::Observe || step.member != member || step.address.local_part != *from
            });
        }
        let address = Address { local_part, domain: self.domain.clone() };
        steps.push(Step { address, member, version: 0, known_as: Some(known_as.clone()), action });
    }
}

/// Whether an alias is to be known by another name from now on.
fn is_to_be_recorded(alias: &Alias, seen: &ObservedName, now: Timestamp) -> bool {
    let stored = &alias.known_as;
    alias.status != Status::Retired
        && (seen.observed_at > stored.observed_at || is_from_future(stored.observed_at, now))
        && !seen.is_same_as(stored)
}

fn step(alias: &Alias, known_as: Option<ObservedName>, action: Action) -> Step {
    Step { address: alias.address.clone(), member: alias.member, version: alias.version, known_as, action }
}

impl Plan {
    /// Whether no alias changes its state. Recording a name is no change.
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| step.action == Action::Observe)
    }

    /// How many aliases the domain has.
    pub fn aliases(&self) -> u64 {
        let Counts { restore, leave, suspend, retire, unchanged, .. } = self.counts;
        restore + leave + suspend + retire + unchanged
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
