//! The lifecycle of an alias as its member comes and goes: active, leaving, suspended, retired, and back.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::{Address, LocalPart};
use crate::alias::{Alias, Reason, Status};
use crate::clock::later;
use crate::community::Rules;
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
        // Only the member can bring a retired one back: by signing in, for its destination is gone.
        (Status::Active, Ok(())) | (Status::Retired, _) => None,
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

/// The alias after a step, or nothing where the step was planned on another version of it: then the step was applied
/// before, or a newer change counts. `loops` says whether its destination lies in a domain of the community.
pub fn apply(alias: &Alias, step: &Step, loops: bool, now: Timestamp) -> Option<Alias> {
    if alias.version != step.version || alias.member != step.member {
        return None;
    }
    let (status, reason, until) = match &step.action {
        // A grant looks at what is there itself, and an observation is no change of state.
        Action::Create | Action::Rename { .. } | Action::Observe => return None,
        Action::Restore if loops => (Status::Suspended, Reason::Loop, None),
        Action::Restore => (Status::Active, Reason::Eligible, None),
        Action::Leave { reason, until } => (Status::Leaving, *reason, Some(*until)),
        Action::Suspend { reason } => (Status::Suspended, *reason, None),
        Action::Retire => (Status::Retired, alias.reason, None),
    };
    let known_as = newer(&alias.known_as, step.known_as.as_ref()).clone();
    Some(Alias { status, reason, until, known_as, since: now, version: alias.version + 1, ..alias.clone() })
}

/// The later of two observations.
pub fn newer<'a>(stored: &'a ObservedName, seen: Option<&'a ObservedName>) -> &'a ObservedName {
    seen.filter(|seen| seen.observed_at > stored.observed_at).unwrap_or(stored)
}

#[cfg(test)]
#[path = "lifecycle_tests.rs"]
mod tests;
