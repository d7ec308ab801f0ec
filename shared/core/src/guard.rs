//! The guard: holds a plan that changes more than a sync may change without an operator, and says why.
//!
//! It counts distinct addresses within [`WINDOW`], so that a team that shrinks by a little every hour is held the same day.
//! Grants, removals, suspensions and retirements have bounds of their own. A kind of change that the plan does not contain
//! is never a reason, and bans are not counted: an operator decided each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::alias::{Reason, Status};
use crate::community::Rules;
use crate::lifecycle::{Action, Step};
use crate::member::MemberId;
use crate::plan::{Counts, Plan};

/// Changes within this time add up.
pub const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// A kind of change that the guard counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// New addresses, and addresses that become active again.
    Grants,
    /// Active addresses whose grace period begins.
    Removals,
    /// Addresses that refuse mail after their grace period.
    Suspensions,
    /// Addresses whose personal data is deleted.
    Retirements,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Grants, Self::Removals, Self::Suspensions, Self::Retirements];

    /// The kind of an action; none for what is never held: a ban, and a name that is recorded.
    pub fn of(action: &Action) -> Option<Self> {
        match action {
            Action::Create | Action::Rename { .. } | Action::Restore => Some(Self::Grants),
            Action::Leave { .. } => Some(Self::Removals),
            Action::Suspend { reason: Reason::Banned } | Action::Observe => None,
            Action::Suspend { .. } => Some(Self::Suspensions),
            Action::Retire => Some(Self::Retirements),
        }
    }

    /// The word that is stored and printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grants => "grants",
            Self::Removals => "removals",
            Self::Suspensions => "suspensions",
            Self::Retirements => "retirements",
        }
    }

    /// The state of the addresses that it can happen to.
    fn pool(self) -> Status {
        match self {
            Self::Grants | Self::Removals => Status::Active,
            Self::Suspensions => Status::Leaving,
            Self::Retirements => Status::Suspended,
        }
    }
}

/// Why a plan is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum HoldReason {
    /// There are more changes of one kind within [`WINDOW`] than the rules let pass.
    Bound {
        /// Of which kind.
        kind: Kind,
        /// Distinct addresses: of this plan, and of earlier runs.
        count: u64,
        /// How many of them earlier runs changed.
        earlier: u64,
        /// Compared with this number of addresses …
        of: u64,
        /// … in this state.
        among: Status,
    },
    /// The members of this number of addresses could not be looked up in the run.
    Unverified {
        /// How many.
        count: u64,
    },
}

impl HoldReason {
    /// Whether it is only for what the plan grants.
    pub fn is_for_grants(&self) -> bool {
        matches!(self, Self::Bound { kind: Kind::Grants, .. })
    }
}

impl fmt::Display for HoldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bound { kind, count, earlier, of, among } => {
                write!(
                    f,
                    "{count} {} within {} hours, with {of} {} addresses",
                    kind.as_str(),
                    WINDOW.as_hours(),
                    among.as_str()
                )?;
                if *earlier > 0 { write!(f, " ({earlier} by earlier runs)") } else { Ok(()) }
            }
            Self::Unverified { count } => write!(f, "the members of {count} addresses could not be looked up"),
        }
    }
}

/// Whether a plan may be carried out without an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Pass,
    /// It waits for an operator, for these reasons.
    Hold(Vec<HoldReason>),
}

impl Verdict {
    /// Why it is held; none where it passes.
    pub fn reasons(self) -> Vec<HoldReason> {
        match self {
            Self::Pass => Vec::new(),
            Self::Hold(reasons) => reasons,
        }
    }
}

/// What earlier runs did, as the guard needs it.
#[derive(Clone, Debug)]
pub struct PastRun {
    /// What its plan counted.
    pub counts: Option<Counts>,
    /// What became of its steps.
    pub outcome: Outcome,
}

/// What became of the steps of a run.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// They were handed on without an operator's decision, or may have been. The grants of a first sync are left out.
    Unattended {
        /// The steps.
        steps: Vec<Step>,
        /// Whether it was a part of the domain's first sync.
        first_sync: bool,
    },
    /// An operator saw the plan with these reasons, and released it.
    Released(Vec<HoldReason>),
    /// Nothing was handed on but bans.
    Withheld,
}

/// Changes within the window before a plan.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// By kind: each address once, with its owner.
    changed: BTreeMap<Kind, BTreeMap<Address, MemberId>>,
    /// By kind: what the oldest run of the window counted.
    start: BTreeMap<Kind, Counts>,
    is_first_sync: bool,
}

impl History {
    /// Of these runs, newest first. A release ends the window of the kinds that its run was held for: the operator saw what
    /// had added up to it. `is_first_sync` says whether the domain's first sync has not come to its end.
    pub fn of(newest_first: impl IntoIterator<Item = PastRun>, is_first_sync: bool) -> Self {
        let mut history = Self { is_first_sync, ..Self::default() };
        let mut open: BTreeSet<_> = Kind::ALL.into();
        for PastRun { counts, outcome } in newest_first {
            match outcome {
                Outcome::Unattended { steps, first_sync } => {
                    for step in steps {
                        let kind = Kind::of(&step.action).filter(|kind| open.contains(kind));
                        if let Some(kind) = kind.filter(|kind| !(first_sync && *kind == Kind::Grants)) {
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

/// Whether the reasons showed an operator the changes of a kind. A run that was held before reasons were stored was held for
/// its removals.
fn is_seen(reasons: &[HoldReason], kind: Kind) -> bool {
    if reasons.is_empty() {
        return kind != Kind::Grants;
    }
    reasons.iter().any(|reason| match reason {
        HoldReason::Bound { kind: held, .. } => *held == kind,
        HoldReason::Unverified { .. } => kind != Kind::Grants,
    })
}

/// Looks at how much a plan changes, together with the changes of the window before it.
pub fn check(plan: &Plan, history: &History, rules: &Rules) -> Verdict {
    let mut reasons: Vec<_> = Kind::ALL.into_iter().filter_map(|kind| bound(kind, plan, history, rules)).collect();
    let unverified = plan.counts.unverified;
    reasons.extend((unverified > 0).then_some(HoldReason::Unverified { count: unverified }));
    if reasons.is_empty() { Verdict::Pass } else { Verdict::Hold(reasons) }
}

fn bound(kind: Kind, plan: &Plan, history: &History, rules: &Rules) -> Option<HoldReason> {
    let mut changed: BTreeMap<&Address, MemberId> = BTreeMap::new();
    for step in plan.steps.iter().filter(|step| Kind::of(&step.action) == Some(kind)) {
        changed.insert(&step.address, step.member);
    }
    let planned = changed.len();
    // A first sync gives every member their address at once; there is nothing yet to compare it with.
    if planned == 0 || (kind == Kind::Grants && history.is_first_sync) {
        return None;
    }
    changed.extend(history.changed.get(&kind).into_iter().flatten().map(|(address, member)| (address, *member)));
    let (count, earlier) = (changed.len() as u64, (changed.len() - planned) as u64);
    let reason = |of, among| Some(HoldReason::Bound { kind, count, earlier, of, among });

    // Against the larger of start and end: a window in which the domain grew must not make usual numbers look large.
    let start = history.start.get(&kind).copied().unwrap_or_default();
    let in_state = |status| in_state(&start, status).max(in_state(&plan.counts, status));
    let active = in_state(Status::Active);
    let (least, percent) = match kind {
        Kind::Grants => (rules.hold_above_grants, rules.hold_above_grants_percent),
        Kind::Removals => (rules.hold_above_count, rules.hold_above_percent),
        Kind::Suspensions | Kind::Retirements => (rules.hold_above_ends, rules.hold_above_ends_percent),
    };
    let is_many = count > u64::from(least);
    if is_many && is_above(count, active, percent) {
        return reason(active, Status::Active);
    }
    // In a small team the count never comes to the bound, and in a large one the addresses that can end are a small part of
    // the active ones: half of those that it can happen to is much in both.
    let pool = in_state(kind.pool());
    let is_half = count * 100 >= pool * u64::from(rules.hold_small_team_percent);
    // One leaver with several addresses is one leaver.
    let members: BTreeSet<_> = changed.values().collect();
    let is_some = match kind {
        Kind::Grants => false,
        Kind::Removals => members.len() > 1,
        Kind::Suspensions | Kind::Retirements => is_many,
    };
    if is_some && is_half { reason(pool, kind.pool()) } else { None }
}

fn is_above(count: u64, of: u64, percent: u8) -> bool {
    count * 100 > of * u64::from(percent)
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
