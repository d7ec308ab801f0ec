//! Retiring a domain: an operator's decision, and what it means for each address there.
//!
//! A domain that is missing from the community file is not retired by that: a deployment with a broken or older file must
//! not end addresses. Only the decision begins the grace period, so it stands in place of the guard of a sync.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::DomainName;
use crate::alias::{Alias, Reason, Status};
use crate::clock::later;
use crate::community::Rules;
use crate::lifecycle::{Action, Step, tend};
use crate::member::MemberId;
use crate::plan::{Counts, Plan};

/// An operator's decision to retire a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retirement {
    /// When it was decided.
    pub since: Timestamp,
    /// The end of the grace period: addresses forward until then at least.
    pub until: Timestamp,
    /// The operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When it was cancelled. The decision stays until the addresses are back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<Timestamp>,
    /// When a run found that all addresses are retired. The domain needs no further runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
}

impl Retirement {
    /// A decision of this moment.
    pub fn new(now: Timestamp, rules: &Rules, by: Option<&str>) -> Self {
        let until = later(now, rules.leaving());
        Self { since: now, until, by: by.map(str::to_owned), cancelled: None, ended: None }
    }

    /// What an address of the domain needs.
    pub fn action(&self, alias: &Alias, is_banned: bool, rules: &Rules, now: Timestamp) -> Option<Action> {
        if is_banned {
            return tend(alias, Err(Reason::Banned), rules, now);
        }
        let by_retirement = alias.reason == Reason::DomainRetired;
        match (self.cancelled, alias.status) {
            // Nothing was found out about the members meanwhile: the addresses are as they were before.
            (Some(_), Status::Leaving | Status::Suspended) => by_retirement.then_some(Action::Restore),
            (Some(_), Status::Active | Status::Retired) => None,
            // An address that ends for another reason keeps that reason and its own end.
            (None, Status::Leaving) => tend(alias, Err(alias.reason), rules, now),
            (None, Status::Suspended) if alias.reason == Reason::BanLifted => {
                Some(Action::Suspend { reason: Reason::DomainRetired })
            }
            (None, _) => match tend(alias, Err(Reason::DomainRetired), rules, now) {
                Some(Action::Leave { reason, until }) => Some(Action::Leave { reason, until: until.max(self.until) }),
                action => action,
            },
        }
    }

    /// The plan of a run: from the table alone, since no team is asked any more.
    pub fn plan(
        &self,
        domain: &DomainName,
        mut aliases: Vec<Alias>,
        banned: &BTreeSet<MemberId>,
        rules: &Rules,
        now: Timestamp,
    ) -> Plan {
        aliases.sort_by(|one, other| one.address.local_part.cmp(&other.address.local_part));
        let (mut counts, mut steps) = (Counts::default(), Vec::new());
        for alias in aliases {
            counts.active += u64::from(alias.status == Status::Active);
            let was_retired = alias.status == Status::Retired;
            let action = self.action(&alias, banned.contains(&alias.member), rules, now);
            // `taken` stays 0: it is for guards, and an operator has decided on these removals.
            *match action {
                None => &mut counts.unchanged,
                // It is retired, and the erasure is planned again.
                Some(Action::Retire) if was_retired => &mut counts.unchanged,
                Some(Action::Restore) => &mut counts.restore,
                Some(Action::Leave { .. }) => &mut counts.leave,
                Some(Action::Suspend { .. }) => &mut counts.suspend,
                Some(_) => &mut counts.retire,
            } += 1;
            let Alias { address, member, version, .. } = alias;
            steps.extend(action.map(|action| Step { address, member, version, known_as: None, action }));
        }
        Plan { domain: domain.clone(), read_at: now, counts, steps }
    }
}

#[cfg(test)]
#[path = "retirement_tests.rs"]
mod tests;
