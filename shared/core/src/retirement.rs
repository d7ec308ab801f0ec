//! Retiring a domain by a decision of an operator.
//!
//! A domain that is missing from the community file is not retired, because a deployment with a broken or older file must
//! not end addresses. The decision replaces the guard of a sync.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::DomainName;
use crate::alias::{Alias, ExpectedVersion, Reason, Status};
use crate::clock::later;
use crate::community::Rules;
use crate::lifecycle::{Action, Step, next_action};
use crate::member::MemberId;
use crate::plan::{Counts, Plan};

/// An operator's decision to retire a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retirement {
    /// The time of the decision.
    pub since: Timestamp,
    /// The earliest end of the grace period.
    pub until: Timestamp,
    /// The operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The time of a cancellation. The decision is kept until the addresses are restored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<Timestamp>,
    /// When a run found all addresses retired. The domain needs no further runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
}

impl Retirement {
    /// A decision at `now`.
    pub fn new(now: Timestamp, rules: &Rules, by: Option<&str>) -> Self {
        let until = later(now, rules.leaving());
        Self { since: now, until, by: by.map(str::to_owned), cancelled: None, ended: None }
    }

    /// The next action for an address of the domain.
    pub fn action(&self, alias: &Alias, is_banned: bool, rules: &Rules, now: Timestamp) -> Option<Action> {
        if is_banned {
            return next_action(alias, Err(Reason::Banned), rules, now);
        }
        let by_retirement = alias.reason == Reason::DomainRetired;
        match (self.cancelled, alias.status) {
            // Members were not checked meanwhile: the addresses return to their previous state.
            (Some(_), Status::Leaving | Status::Suspended) => by_retirement.then_some(Action::Restore),
            (Some(_), Status::Active | Status::Retired) => None,
            // An address that is leaving for another reason keeps reason and end.
            (None, Status::Leaving) => next_action(alias, Err(alias.reason), rules, now),
            (None, Status::Suspended) if alias.reason == Reason::BanLifted => {
                Some(Action::Suspend { reason: Reason::DomainRetired })
            }
            (None, _) => match next_action(alias, Err(Reason::DomainRetired), rules, now) {
                Some(Action::Leave { reason, until }) => Some(Action::Leave { reason, until: until.max(self.until) }),
                action => action,
            },
        }
    }

    /// The plan of a run: from the table alone, without the team.
    pub fn plan(
        &self,
        domain: &DomainName,
        mut aliases: Vec<Alias>,
        banned: &BTreeSet<MemberId>,
        rules: &Rules,
        now: Timestamp,
    ) -> Plan {
        aliases.sort_by(|one, other| one.address.local_part.cmp(&other.address.local_part));
        let mut counts = Counts::default();
        let mut steps = Vec::new();
        for alias in aliases {
            counts.active += u64::from(alias.status == Status::Active);
            let was_retired = alias.status == Status::Retired;
            let action = self.action(&alias, banned.contains(&alias.member), rules, now);
            // `removed` stays 0: it is for guards, and an operator has decided on these removals.
            *match action {
                None => &mut counts.unchanged,
                // The alias is retired, and the erasure is planned again.
                Some(Action::Retire) if was_retired => &mut counts.unchanged,
                Some(Action::Restore) => &mut counts.restore,
                Some(Action::Leave { .. }) => &mut counts.leave,
                Some(Action::Suspend { .. }) => &mut counts.suspend,
                Some(_) => &mut counts.retire,
            } += 1;
            let Alias { address, member, version, .. } = alias;
            steps.extend(action.map(|action| Step {
                address,
                member,
                expected: ExpectedVersion::At(version),
                known_as: None,
                action,
            }));
        }
        Plan { domain: domain.clone(), read_at: now, counts, steps }
    }
}

#[cfg(test)]
#[path = "retirement_tests.rs"]
mod tests;
