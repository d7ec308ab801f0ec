//! What becomes of an alias as its member comes and goes: active, leaving, suspended, retired, and back.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::{Address, LocalPart};
use crate::alias::{Alias, Reason, Status};
use crate::clock::later;
use crate::community::Rules;
use crate::member::{LaunchpadId, LaunchpadName, MemberId};

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Which alias.
    pub address: Address,
    /// Whose.
    pub member: MemberId,
    /// Who that is on Launchpad.
    pub person: LaunchpadId,
    /// The version of the alias that the step was planned on; 0 where there was none. On another it is not taken.
    pub version: u64,
    /// What is to be done.
    #[serde(flatten)]
    pub action: Action,
}

/// What is to be done with an alias.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Action {
    /// Somebody in the team signed in before and has no address here.
    Create {
        /// What Launchpad calls them.
        name: LaunchpadName,
    },
    /// Launchpad calls them otherwise now: a new address, and the old one goes on forwarding.
    Rename {
        /// The local part of the old address.
        from: LocalPart,
        /// What Launchpad calls them now.
        name: LaunchpadName,
    },
    /// Eligible again: as if nothing was.
    Restore,
    /// No longer eligible: mail flows until then.
    Leave {
        /// Why.
        reason: Reason,
        /// Until when.
        until: Timestamp,
    },
    /// Mail is refused from now on.
    Suspend {
        /// Why.
        reason: Reason,
    },
    /// The personal data goes, the name stays taken.
    Retire,
}

impl Action {
    /// The word that is stored.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create",
            Self::Rename { .. } => "rename",
            Self::Restore => "restore",
            Self::Leave { .. } => "leave",
            Self::Suspend { .. } => "suspend",
            Self::Retire => "retire",
        }
    }

    /// Whether it takes something from the member.
    pub fn takes(&self) -> bool {
        match self {
            Self::Create { .. } | Self::Rename { .. } | Self::Restore => false,
            Self::Leave { .. } | Self::Suspend { .. } | Self::Retire => true,
        }
    }

    /// Whether a guard may hold it back: all that takes, but a ban, which somebody has looked at already.
    pub fn can_wait(&self) -> bool {
        self.takes() && !matches!(self, Self::Suspend { reason: Reason::Banned })
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

/// The alias after a step, or nothing where the step was planned on another version of it: then it is done already, or
/// something newer has been. `loops` says whether its destination lies in a domain of the community.
pub fn take(alias: &Alias, step: &Step, loops: bool, now: Timestamp) -> Option<Alias> {
    if alias.version != step.version || alias.member != step.member {
        return None;
    }
    let (status, reason, until) = match &step.action {
        // An address is given by a wish, which looks at what is there itself.
        Action::Create { .. } | Action::Rename { .. } => return None,
        Action::Restore if loops => (Status::Suspended, Reason::Loop, None),
        Action::Restore => (Status::Active, Reason::Eligible, None),
        Action::Leave { reason, until } => (Status::Leaving, *reason, Some(*until)),
        Action::Suspend { reason } => (Status::Suspended, *reason, None),
        Action::Retire => (Status::Retired, alias.reason, None),
    };
    Some(Alias { status, reason, until, since: now, version: alias.version + 1, ..alias.clone() })
}

#[cfg(test)]
#[path = "lifecycle_tests.rs"]
mod tests;
