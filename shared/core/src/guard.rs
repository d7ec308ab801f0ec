//! The guard holds a plan that changes more than a sync may change without an operator.
//!
//! It counts distinct addresses within [`WINDOW`], so that a team that shrinks by a little every hour is held the same day.
//! Grants, removals, suspensions and retirements have separate bounds. Bans are not counted, because an operator decided
//! each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator;

use crate::address::Address;
use crate::alias::Status;
use crate::community::Rules;
use crate::lifecycle::{ChangeKind, Step};
use crate::member::MemberId;
use crate::plan::{Counts, Plan};

/// Changes within this time add up.
pub const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// Why a plan is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum HoldReason {
    /// The changes of one kind within [`WINDOW`] exceed the bound of the rules.
    Bound {
        /// The kind of change.
        kind: ChangeKind,
        /// Distinct addresses in this plan and in earlier runs.
        count: u64,
        /// Addresses that only earlier runs changed.
        earlier: u64,
        /// Number of addresses that the count is compared with.
        of: u64,
        /// The status of those addresses.
        among: Status,
    },
    /// The members of some addresses could not be looked up in the run.
    Unverified {
        /// Number of addresses.
        count: u64,
    },
}

impl HoldReason {
    /// Whether the plan is held because of its grants.
    pub fn is_for_grants(&self) -> bool {
        matches!(self, Self::Bound { kind: ChangeKind::Grants, .. })
    }
}

impl fmt::Display for HoldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bound { kind, count, earlier, of, among } => {
                let hours = WINDOW.as_hours();
                write!(f, "{count} {kind} within {hours} hours, with {of} {among} addresses")?;
                if *earlier > 0 { write!(f, " ({earlier} by earlier runs)") } else { Ok(()) }
            }
            Self::Unverified { count } => write!(f, "the members of {count} addresses could not be looked up"),
        }
    }
}

/// The decision of the guard on a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The plan is applied.
    Pass,
    /// The plan waits for an operator, for these reasons.
    Hold(Vec<HoldReason>),
}

impl Verdict {
    /// The reasons of a held plan; empty for one that passes.
    pub fn reasons(self) -> Vec<HoldReason> {
        match self {
            Self::Pass => Vec::new(),
            Self::Hold(reasons) => reasons,
        }
    }
}

/// An earlier run.
#[derive(Clone, Debug)]
pub struct PastRun {
    /// The counts of its plan.
    pub counts: Option<Counts>,
    /// The outcome of its steps.
    pub outcome: Outcome,
}

/// The outcome of the steps of a run.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The steps were applied without a decision of an operator, or may have been. Grants of a first sync do not count.
    Unattended {
        /// The steps.
        steps: Vec<Step>,
        /// Whether the run was a part of the domain's first sync.
        first_sync: bool,
    },
    /// An operator released the plan, which was held for these reasons.
    Released(Vec<HoldReason>),
    /// Only bans were applied.
    Withheld,
}

/// The changes within [`WINDOW`] before a plan.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Changed addresses with their owners, by kind.
    changed: BTreeMap<ChangeKind, BTreeMap<Address, MemberId>>,
    /// The counts of the oldest run in the window, by kind.
    start: BTreeMap<ChangeKind, Counts>,
    is_first_sync: bool,
}

impl History {
    /// Collects the changes of these runs, newest first. A release starts a new window for the kinds that its run was held
    /// for, because the operator saw their sum. `is_first_sync`: the domain's first sync has not finished.
    pub fn of(newest_first: impl IntoIterator<Item = PastRun>, is_first_sync: bool) -> Self {
        let mut history = Self { is_first_sync, ..Self::default() };
        let mut open: BTreeSet<_> = ChangeKind::iter().collect();
        for PastRun { counts, outcome } in newest_first {
            match outcome {
                Outcome::Unattended { steps, first_sync } => {
                    for step in steps {
                        let kind = step.action.kind().filter(|kind| open.contains(kind));
                        if let Some(kind) = kind.filter(|kind| !(first_sync && *kind == ChangeKind::Grants)) {
                            history.changed.entry(kind).or_default().insert(step.address, step.member);
                        }
                    }
                }
                Outcome::Released(reasons) => open.retain(|kind| !is_seen(&reasons, *kind)),
                Outcome::Withheld => {}
            }
            if let Some(counts) = counts {
                history.start.extend(open.iter().map(|kind| (*kind, counts)));
            }
        }
        history
    }
}

/// Whether the reasons included the changes of a kind.
fn is_seen(reasons: &[HoldReason], kind: ChangeKind) -> bool {
    reasons.iter().any(|reason| match reason {
        HoldReason::Bound { kind: held, .. } => *held == kind,
        HoldReason::Unverified { .. } => kind != ChangeKind::Grants,
    })
}

/// Checks a plan together with the changes of the window before it against the bounds of the rules.
pub fn check(plan: &Plan, history: &History, rules: &Rules) -> Verdict {
    let mut reasons: Vec<_> = ChangeKind::iter().filter_map(|kind| bound(kind, plan, history, rules)).collect();
    let unverified = plan.counts.unverified;
    reasons.extend((unverified > 0).then_some(HoldReason::Unverified { count: unverified }));
    if reasons.is_empty() { Verdict::Pass } else { Verdict::Hold(reasons) }
}

fn bound(kind: ChangeKind, plan: &Plan, history: &History, rules: &Rules) -> Option<HoldReason> {
    let mut changed: BTreeMap<&Address, MemberId> = BTreeMap::new();
    for step in plan.steps.iter().filter(|step| step.action.kind() == Some(kind)) {
        changed.insert(&step.address, step.member);
    }
    let planned = changed.len();
    // A first sync grants all addresses at once, and there is no earlier count to compare with.
    if planned == 0 || (kind == ChangeKind::Grants && history.is_first_sync) {
        return None;
    }
    changed.extend(history.changed.get(&kind).into_iter().flatten().map(|(address, member)| (address, *member)));
    let count = changed.len() as u64;
    let earlier = (changed.len() - planned) as u64;
    // Compares with the larger of start and end, so that a growing domain is not held for usual numbers.
    let start = history.start.get(&kind).copied().unwrap_or_default();
    let active = start.active.max(plan.counts.active);
    let (least, percent) = match kind {
        ChangeKind::Grants => (rules.hold_above_grants, rules.hold_above_grants_percent),
        ChangeKind::Removals => (rules.hold_above_count, rules.hold_above_percent),
        ChangeKind::Suspensions | ChangeKind::Retirements => (rules.hold_above_ends, rules.hold_above_ends_percent),
    };
    let is_many = count > u64::from(least);
    if is_many && count * 100 > active * u64::from(percent) {
        return Some(HoldReason::Bound { kind, count, earlier, of: active, among: Status::Active });
    }
    // In a small team the count stays below the bound, and in a large team the addresses that can end are a small share of
    // the active ones. So half of the possible addresses is too many as well.
    let among = kind.pool();
    let pool = in_state(&start, among).max(in_state(&plan.counts, among));
    let is_half = count * 100 >= pool * u64::from(rules.hold_small_team_percent);
    // Counts members: one leaver can have several addresses.
    let members: BTreeSet<_> = changed.values().collect();
    let is_some = match kind {
        ChangeKind::Grants => false,
        ChangeKind::Removals => members.len() > 1,
        ChangeKind::Suspensions | ChangeKind::Retirements => is_many,
    };
    (is_some && is_half).then_some(HoldReason::Bound { kind, count, earlier, of: pool, among })
}

fn in_state(counts: &Counts, status: Status) -> u64 {
    match status {
        Status::Active => counts.active,
        Status::Leaving => counts.leaving,
        Status::Suspended => counts.suspended,
        Status::Retired => 0,
    }
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
