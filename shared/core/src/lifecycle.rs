//! The lifecycle of an alias: active, leaving (the grace period), suspended, retired, and back.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::{AsRefStr, Display, EnumIter};

use crate::address::{Address, LocalPart};
use crate::alias::{Alias, ExpectedVersion, Reason, Status};
use crate::clock::later;
use crate::community::Rules;
use crate::expiry::{CLOCK_SKEW, has_come, is_from_future};
use crate::member::{MemberId, ObservedName};

/// A step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The alias.
    pub address: Address,
    /// Its owner.
    pub member: MemberId,
    /// The version of the alias that the step was planned on. If the alias has another one, the step is stale.
    pub expected: ExpectedVersion,
    /// The member's name at the membership source in this run; absent if the step needed no look-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_as: Option<ObservedName>,
    /// The action.
    #[serde(flatten)]
    pub action: Action,
}

/// The action of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, AsRefStr)]
#[serde(tag = "action", rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Action {
    /// Create the first address of a member who joined the team.
    Create,
    /// Create an address for the new name of a member; the old address keeps forwarding.
    Rename {
        /// The local part of the old address.
        from: LocalPart,
    },
    /// Make an alias active again: its member is eligible again.
    Restore,
    /// Begin the grace period: the member is no longer eligible.
    Leave {
        /// The reason.
        reason: Reason,
        /// The end of the grace period.
        until: Timestamp,
    },
    /// Reject mail from now on.
    Suspend {
        /// The reason.
        reason: Reason,
    },
    /// Erase the personal data; the local part stays assigned.
    Retire,
    /// Record the current name of the member; the state of the alias does not change.
    Observe,
}

impl Action {
    /// Whether it removes something from the member.
    pub fn is_removal(&self) -> bool {
        match self {
            Self::Create | Self::Rename { .. } | Self::Restore | Self::Observe => false,
            Self::Leave { .. } | Self::Suspend { .. } | Self::Retire => true,
        }
    }

    /// The kind that the guard counts it as; `None` for actions that are never held: a ban, which an operator decided
    /// already, and an observation, which changes no state.
    pub fn kind(&self) -> Option<ChangeKind> {
        match self {
            Self::Create | Self::Rename { .. } | Self::Restore => Some(ChangeKind::Grants),
            Self::Leave { .. } => Some(ChangeKind::Removals),
            Self::Suspend { reason: Reason::Banned } | Self::Observe => None,
            Self::Suspend { .. } => Some(ChangeKind::Suspensions),
            Self::Retire => Some(ChangeKind::Retirements),
        }
    }

    /// Whether a held plan holds it back until an operator decides.
    pub fn is_guarded(&self) -> bool {
        self.kind().is_some()
    }
}

/// A kind of change that the guard counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumIter)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum ChangeKind {
    /// New addresses, and addresses that become active again.
    Grants,
    /// Active addresses whose grace period begins.
    Removals,
    /// Addresses that reject mail after their grace period.
    Suspensions,
    /// Addresses whose personal data is deleted.
    Retirements,
}

impl ChangeKind {
    /// The status of the addresses that it can happen to.
    pub(crate) fn pool(self) -> Status {
        match self {
            Self::Grants | Self::Removals => Status::Active,
            Self::Suspensions => Status::Leaving,
            Self::Retirements => Status::Suspended,
        }
    }
}

/// The next action for an alias, given whether its member is eligible.
pub fn next_action(alias: &Alias, eligible: Result<(), Reason>, rules: &Rules, now: Timestamp) -> Option<Action> {
    match (alias.status, eligible) {
        // Only a sign-in restores a retired alias, because its destination is erased. A failed erasure is planned again.
        (Status::Retired, _) => alias.erase_pending.then_some(Action::Retire),
        // The member's own decision, whatever the membership source says.
        (Status::Suspended, _) if alias.reason == Reason::Deleted => {
            alias.until.is_none_or(|until| until <= now).then_some(Action::Retire)
        }
        (Status::Active, Ok(())) => None,
        (Status::Suspended, Ok(())) if alias.reason == Reason::Loop => None,
        (Status::Leaving | Status::Suspended, Ok(())) => Some(Action::Restore),
        (Status::Active | Status::Leaving, Err(Reason::Banned)) => Some(Action::Suspend { reason: Reason::Banned }),
        (Status::Active, Err(reason)) => {
            let until = later(now, rules.leaving());
            Some(Action::Leave { reason, until })
        }
        (Status::Leaving, Err(reason)) => {
            let over = alias.until.is_none_or(|until| until <= now);
            over.then_some(Action::Suspend { reason })
        }
        // The reason changes: a loop of a member who left is to be retired like other addresses, and a ban replaces every
        // other reason.
        (Status::Suspended, Err(reason))
            if alias.reason == Reason::Loop || (reason == Reason::Banned && alias.reason != Reason::Banned) =>
        {
            Some(Action::Suspend { reason })
        }
        (Status::Suspended, Err(_)) => (later(alias.since, rules.retire_after()) <= now).then_some(Action::Retire),
    }
}

/// Why a step was not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unapplied {
    /// The alias has another version: the step was applied before, or a newer change wins.
    Stale,
    /// The step is not due: the clock of its run was ahead. A run with a correct clock plans it again.
    Early,
}

/// Applies a step at `now`, the clock of the function that applies it. `loops`: the alias has no destination and gets
/// none.
pub fn apply(alias: &Alias, step: &Step, rules: &Rules, loops: bool, now: Timestamp) -> Result<Alias, Unapplied> {
    let is_current = step.expected == ExpectedVersion::At(alias.version) && alias.member == step.member;
    let is_deleted = alias.reason == Reason::Deleted && step.action != Action::Retire;
    if !is_current || alias.status == Status::Retired || is_deleted {
        return Err(Unapplied::Stale);
    }
    if is_early(alias, &step.action, rules, now) {
        return Err(Unapplied::Early);
    }
    let (status, reason, until) = match &step.action {
        // Grants are decided by `alias::decide_grant`, and an observation changes no state.
        Action::Create | Action::Rename { .. } | Action::Observe => return Err(Unapplied::Stale),
        Action::Restore if loops => (Status::Suspended, Reason::Loop, None),
        Action::Restore => (Status::Active, Reason::Eligible, None),
        Action::Leave { reason, until } => {
            // A delayed step keeps the full grace period, and a clock that was ahead does not prolong it.
            let end = later(now, rules.leaving());
            (Status::Leaving, *reason, Some((*until).clamp(end, later(end, CLOCK_SKEW))))
        }
        Action::Suspend { reason } => (Status::Suspended, *reason, None),
        Action::Retire => (Status::Retired, alias.reason, None),
    };
    let known_as = newer(&alias.known_as, step.known_as.as_ref(), now).clone();
    Ok(Alias {
        status,
        reason,
        until,
        known_as,
        since: now,
        version: alias.version + 1,
        erase_pending: status == Status::Retired,
        ..alias.clone()
    })
}

/// Whether a removal is not due yet. A ban is always due.
fn is_early(alias: &Alias, action: &Action, rules: &Rules, now: Timestamp) -> bool {
    let due = match (action, alias.status) {
        (Action::Suspend { reason: Reason::Banned }, _) => None,
        (Action::Suspend { .. }, Status::Leaving) => alias.until,
        // No grace period has begun.
        (Action::Suspend { .. }, Status::Active) | (Action::Retire, Status::Active | Status::Leaving) => return true,
        (Action::Retire, Status::Suspended) if alias.reason == Reason::Deleted => alias.until,
        (Action::Retire, Status::Suspended) => Some(later(alias.since, rules.retire_after())),
        _ => None,
    };
    due.is_some_and(|due| !has_come(due, now))
}

/// The newer of two observations. Ignores one from the future: its clock was ahead, and it would win over every correct
/// one.
pub fn newer<'a>(stored: &'a ObservedName, seen: Option<&'a ObservedName>, now: Timestamp) -> &'a ObservedName {
    let newer = seen.filter(|seen| {
        let is_later = seen.observed_at > stored.observed_at || is_from_future(stored.observed_at, now);
        is_later && has_come(seen.observed_at, now)
    });
    newer.unwrap_or(stored)
}

#[cfg(test)]
#[path = "lifecycle_tests.rs"]
mod tests;
