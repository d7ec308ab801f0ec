//! The plan of a sync for the aliases of a domain, in pure code.
//!
//! Planning has three phases, each with its type: a [`Comparison`] of aliases and roster shows who has to be looked up by
//! identity, a [`Planner`] collects the evidence about them, and a [`Plan`] has the steps. Every step except a ban needs
//! evidence from the same run, never the roster alone.

mod comparison;
mod remembered;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::{Address, DomainName, LocalPart};
use crate::alias::{Alias, ExpectedVersion, Reason, Status};
use crate::expiry::is_from_future;
use crate::lifecycle::{Action, Step, next_action};
use crate::member::{MemberId, ObservedName};
use crate::rolling::{Cursor, Rolling};

pub use self::comparison::Comparison;

/// What the membership source says about a member in this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The member who gets new addresses: the member who was looked up, or the one that they were linked to.
    pub owner: MemberId,
    /// The name; `None` if no account has any of their identities.
    pub known_as: Option<ObservedName>,
    /// Whether the member is eligible in this domain.
    pub eligible: Result<(), Reason>,
}

/// Collects evidence about the members of a [`Comparison`] and makes the plan.
#[derive(Debug)]
pub struct Planner<'a> {
    compared: Comparison<'a>,
    evidence: BTreeMap<MemberId, Evidence>,
    /// Members who could not be looked up in this run: their aliases stay as they are.
    postponed: BTreeSet<MemberId>,
    /// Address limits that an operator set for members.
    limits: BTreeMap<MemberId, u16>,
}

/// The counts of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// People in the team.
    pub participants: u64,
    /// Aliases that were active before.
    pub active: u64,
    /// Aliases that were in their grace period before.
    pub leaving: u64,
    /// Aliases that were suspended before.
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
    pub removed: u64,
    /// Aliases that may have to go and whose members could not be looked up in this run.
    pub unverified: u64,
    /// Members that were looked up by identity.
    pub looked_up: u64,
}

impl Counts {
    /// Whether an alias changes its status.
    pub fn has_changes(&self) -> bool {
        let Self { create, rename, restore, leave, suspend, retire, .. } = self;
        create + rename + restore + leave + suspend + retire > 0
    }
}

/// The steps of a sync.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The domain.
    pub domain: DomainName,
    /// When reading the team began.
    pub read_at: Timestamp,
    /// The counts of the steps and aliases.
    pub counts: Counts,
    /// By address; grants come before removals.
    pub steps: Vec<Step>,
}

impl<'a> Planner<'a> {
    /// Starts without evidence.
    pub fn new(compared: Comparison<'a>) -> Self {
        Self { compared, evidence: BTreeMap::new(), postponed: BTreeSet::new(), limits: BTreeMap::new() }
    }

    /// The comparison of aliases and roster.
    pub fn comparison(&self) -> &Comparison<'a> {
        &self.compared
    }

    /// The next members of the rolling check, from a cursor on. `is_shared` says which fingerprints several accounts of
    /// the source have, beyond those of this roster.
    pub fn rolling(&self, cursor: &Cursor, count: usize, is_shared: impl Fn(&ObservedName) -> bool) -> Rolling {
        let aliases = self.compared.aliases.iter().filter(|alias| {
            alias.status != Status::Retired
                && !self.compared.banned.contains(&alias.member)
                && !self.evidence.contains_key(&alias.member)
        });
        let candidates = aliases.map(|alias| {
            let known_as = &alias.known_as;
            let is_weak = self.compared.roster.is_shared(known_as.fingerprint) || is_shared(known_as);
            (is_weak, &alias.address.local_part, alias.member)
        });
        Rolling::next(candidates, cursor, count)
    }

    /// Adds the evidence about a member.
    pub fn add_evidence(&mut self, member: MemberId, evidence: Evidence) {
        self.evidence.insert(member, evidence);
    }

    /// Whether a member has the maximum of addresses. Retired addresses count too.
    pub fn is_at_limit(&self, member: MemberId) -> bool {
        let limit = self.limits.get(&member).copied().unwrap_or(self.compared.rules.addresses_per_domain);
        self.compared.aliases_of(member).count() >= usize::from(limit)
    }

    /// Sets the address limit that an operator chose for a member.
    pub fn set_limit(&mut self, member: MemberId, limit: u16) {
        self.limits.insert(member, limit);
    }

    /// Leaves a member for the next run: the source did not respond for them, or there was no time.
    pub fn postpone(&mut self, member: MemberId) {
        self.postponed.insert(member);
    }

    /// Makes the steps.
    pub fn finish(self) -> Plan {
        let mut counts = Counts {
            participants: self.compared.roster.len() as u64,
            looked_up: self.evidence.len() as u64,
            ..Counts::default()
        };
        let mut steps = Vec::new();
        for alias in &self.compared.aliases {
            self.plan_alias(alias, &mut counts, &mut steps);
        }
        if self.compared.gives_addresses {
            let mut given = BTreeSet::new();
            for evidence in self.evidence.values().filter(|evidence| given.insert(evidence.owner)) {
                self.plan_grant(evidence, &mut counts, &mut steps);
            }
        }
        steps.sort_by_cached_key(|step| (step.action.is_removal(), step.address.local_part.clone()));
        Plan { domain: self.compared.domain, read_at: self.compared.now, counts, steps }
    }

    /// Whether a member is eligible; `None` without evidence.
    fn eligible(&self, member: MemberId) -> Option<Result<(), Reason>> {
        if self.compared.banned.contains(&member) {
            return Some(Err(Reason::Banned));
        }
        self.evidence.get(&member).map(|evidence| evidence.eligible)
    }

    fn plan_alias(&self, alias: &Alias, counts: &mut Counts, steps: &mut Vec<Step>) {
        let was_active = alias.status == Status::Active;
        match alias.status {
            Status::Active => counts.active += 1,
            Status::Leaving => counts.leaving += 1,
            Status::Suspended => counts.suspended += 1,
            Status::Retired => {}
        }
        let evidence = self.evidence.get(&alias.member);
        let eligible = self.eligible(alias.member);
        let known_as = evidence.and_then(|evidence| evidence.known_as.clone());
        let action = eligible.and_then(|eligible| next_action(alias, eligible, self.compared.rules, self.compared.now));
        let Some(action) = action.filter(|_| !self.compared.is_newer(alias)) else {
            counts.unchanged += 1;
            let removal = self
                .compared
                .roster_action(alias)
                .filter(|action| action.is_removal() && !self.compared.is_newer(alias));
            let is_open = eligible.is_none() && !self.postponed.contains(&alias.member);
            counts.unverified += u64::from(is_open && removal.is_some());
            if let Some(known_as) = known_as.filter(|seen| is_to_be_recorded(alias, seen, self.compared.now)) {
                steps.push(step(alias, Some(known_as), Action::Observe));
            }
            return;
        };
        let count = match action {
            Action::Restore => &mut counts.restore,
            Action::Leave { .. } => &mut counts.leave,
            Action::Suspend { .. } => &mut counts.suspend,
            // Only the erasure is repeated.
            _ if alias.status == Status::Retired => &mut counts.unchanged,
            _ => &mut counts.retire,
        };
        *count += 1;
        counts.removed += u64::from(was_active && action.is_guarded());
        steps.push(step(alias, known_as, action));
    }

    /// Plans an address for the name of a member, unless they have it already.
    fn plan_grant(&self, evidence: &Evidence, counts: &mut Counts, steps: &mut Vec<Step>) {
        let Evidence { owner: member, known_as: Some(known_as), eligible: Ok(()) } = evidence else { return };
        let member = *member;
        if self.compared.banned.contains(&member) {
            return;
        }
        // The account page explains a name without an address.
        let Ok(local_part) = LocalPart::of(&known_as.name) else { return };
        if self.compared.is_reserved(&local_part) {
            return;
        }
        // Already assigned, to this member or another.
        if self.compared.aliases.binary_search_by(|alias| alias.address.local_part.cmp(&local_part)).is_ok() {
            return;
        }
        if self.is_at_limit(member) {
            return;
        }
        let former = self
            .compared
            .aliases_of(member)
            .filter(|alias| alias.status.forwards())
            .max_by_key(|alias| (alias.since, &alias.address));
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
            // The name is recorded together with the new address, so that a lost message is planned again.
            steps.retain(|step| {
                step.action != Action::Observe || step.member != member || step.address.local_part != *from
            });
        }
        let address = Address { local_part, domain: self.compared.domain.clone() };
        steps.push(Step {
            address,
            member,
            expected: ExpectedVersion::Absent,
            known_as: Some(known_as.clone()),
            action,
        });
    }
}

/// Whether the observed name has to be recorded for the alias.
fn is_to_be_recorded(alias: &Alias, seen: &ObservedName, now: Timestamp) -> bool {
    let stored = &alias.known_as;
    alias.status != Status::Retired
        && (seen.observed_at > stored.observed_at || is_from_future(stored.observed_at, now))
        && !seen.is_same_as(stored)
}

fn step(alias: &Alias, known_as: Option<ObservedName>, action: Action) -> Step {
    let expected = ExpectedVersion::At(alias.version);
    Step { address: alias.address.clone(), member: alias.member, expected, known_as, action }
}

impl Plan {
    /// Whether no alias changes its status; observations do not count.
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| step.action == Action::Observe)
    }

    /// Number of aliases of the domain.
    pub fn aliases(&self) -> u64 {
        let Counts { restore, leave, suspend, retire, unchanged, .. } = self.counts;
        restore + leave + suspend + retire + unchanged
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
