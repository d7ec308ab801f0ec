//! The lifecycle of an alias as its member comes and goes: active, leaving, suspended, retired, and back.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::{Address, LocalPart};
use crate::alias::{Alias, Reason, Status};
use crate::clock::later;
use crate::community::Rules;
use crate::expiry::{CLOCK_SKEW, has_come, is_from_future};
use crate::guard::Kind;
use crate::member::{MemberId, ObservedName};

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The alias.
    pub address: Address,
    /// Its owner.
    pub member: MemberId,
    /// The version of the alias that the step was planned on; 0 where there was none. On another it is stale.
    pub version: u64,
    /// What the membership source said of the member in this run; absent for a step that needed no look-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_as: Option<ObservedName>,
    /// The action.
    #[serde(flatten)]
    pub action: Action,
}

/// What a step does to an alias.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Action {
    /// A first address for a member who joined the team.
    Create,
    /// A new address for a member with a new name; the old one goes on forwarding.
    Rename {
        /// The local part of the old address.
        from: LocalPart,
    },
    /// Eligible again: active as before.
    Restore,
    /// No longer eligible: mail flows until the end of the grace period.
    Leave {
        /// Why.
        reason: Reason,
        /// The end of the grace period.
        until: Timestamp,
    },
    /// Mail is refused from now on.
    Suspend {
        /// Why.
        reason: Reason,
    },
    /// The personal data goes, the local part stays assigned.
    Retire,
    /// Records the name that the alias is known by from now on; its state stays.
    Observe,
}

impl Action {
    /// The word that is stored.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Rename { .. } => "rename",
            Self::Restore => "restore",
            Self::Leave { .. } => "leave",
            Self::Suspend { .. } => "suspend",
            Self::Retire => "retire",
            Self::Observe => "observe",
        }
    }

    /// Whether it removes something from the member.
    pub fn removes(&self) -> bool {
        match self {
            Self::Create | Self::Rename { .. } | Self::Restore | Self::Observe => false,
            Self::Leave { .. } | Self::Suspend { .. } | Self::Retire => true,
        }
    }

    /// Whether a held plan withholds it: every change of an alias except a ban, which an operator has decided on already.
    pub fn can_wait(&self) -> bool {
        Kind::of(self).is_some()
    }
}

/// What an alias needs, given that its member is eligible or why not.
pub fn tend(alias: &Alias, eligible: Result<(), Reason>, rules: &Rules, now: Timestamp) -> Option<Action> {
    match (alias.status, eligible) {
        // Only the member can bring a retired one back: by signing in, for its destination is gone. An erasure that failed
        // is planned until it is done.
        (Status::Retired, _) => alias.erase_pending.then_some(Action::Retire),
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
        // A loop of somebody who is gone is not a loop to mend any more, but an address to retire one day; and a ban
        // is told from what was before it.
        (Status::Suspended, Err(reason))
            if alias.reason == Reason::Loop || (reason == Reason::Banned && alias.reason != Reason::Banned) =>
        {
            Some(Action::Suspend { reason })
        }
        (Status::Suspended, Err(_)) => (later(alias.since, rules.retire_after()) <= now).then_some(Action::Retire),
    }
}

/// Why a step changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unapplied {
    /// The alias is no longer what the step was planned on: the step was applied before, or a newer change counts.
    Stale,
    /// Its time has not come: the clock of the run that planned it was ahead. A run with a right clock plans it again.
    Early,
}

/// The alias after a step that is applied at `now`, by the clock of the function that applies it. `loops` says whether its
/// destination lies in a domain of the community.
pub fn apply(alias: &Alias, step: &Step, rules: &Rules, loops: bool, now: Timestamp) -> Result<Alias, Unapplied> {
    let is_current = alias.version == step.version && alias.member == step.member;
    if !is_current || alias.status == Status::Retired {
        return Err(Unapplied::Stale);
    }
    if is_early(alias, &step.action, rules, now) {
        return Err(Unapplied::Early);
    }
    let (status, reason, until) = match &step.action {
        // A grant looks at what is there itself, and an observation is no change of state.
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
    let (version, erase_pending) = (alias.version + 1, status == Status::Retired);
    Ok(Alias { status, reason, until, known_as, since: now, version, erase_pending, ..alias.clone() })
}

/// Whether a removal comes before its time. A ban has none.
fn is_early(alias: &Alias, action: &Action, rules: &Rules, now: Timestamp) -> bool {
    let due = match (action, alias.status) {
        (Action::Suspend { reason: Reason::Banned }, _) => None,
        (Action::Suspend { .. }, Status::Leaving) => alias.until,
        // No grace period has begun.
        (Action::Suspend { .. }, Status::Active) | (Action::Retire, Status::Active | Status::Leaving) => {
            return true;
        }
        (Action::Retire, Status::Suspended) => Some(later(alias.since, rules.retire_after())),
        _ => None,
    };
    due.is_some_and(|due| !has_come(due, now))
}

/// The later of two observations. One from the future counts for nothing: its clock was ahead, and it would keep every right
/// one out.
pub fn newer<'a>(stored: &'a ObservedName, seen: Option<&'a ObservedName>, now: Timestamp) -> &'a ObservedName {
    let replaces = |seen: &&ObservedName| {
        let is_later = seen.observed_at > stored.observed_at || is_from_future(stored.observed_at, now);
        is_later && has_come(seen.observed_at, now)
    };
    seen.filter(replaces).unwrap_or(stored)
}

#[cfg(test)]
#[path = "lifecycle_tests.rs"]
mod tests;
