//! A Launchpad in memory, as launchpad.md (section 3) describes what happens to accounts: names are free at once, a merge
//! leads both identifiers to one person and moves the date, accounts of 2005 share one date.

use std::collections::{BTreeMap, BTreeSet};

use membermail_core::eligibility::{Account, Person};
use membermail_core::member::{Fingerprint, LaunchpadName};
use membermail_core::roster::RosterEntry;

/// The date that all accounts of before mid-June 2005 have.
const OLD: i64 = 1_118_800_000_000_000;

#[derive(Clone, Debug)]
pub(crate) struct Someone {
    pub(crate) name: String,
    pub(crate) created: i64,
    pub(crate) account: Account,
    pub(crate) signed: bool,
    pub(crate) in_team: bool,
    /// Deactivated by the user, and the job that leaves the teams has not run.
    pub(crate) job_is_due: bool,
}

/// All accounts, and which one each identifier leads to.
#[derive(Clone, Debug)]
pub(crate) struct Launchpad {
    pub(crate) people: BTreeMap<usize, Someone>,
    pub(crate) identifiers: BTreeMap<usize, usize>,
}

impl Launchpad {
    /// So many people, of whom the first three are of 2005.
    pub(crate) fn new(count: usize) -> Self {
        let someone = |place: usize| Someone {
            name: format!("person{place}"),
            created: if place < 3 { OLD } else { OLD + i64::try_from(place).unwrap_or_default() },
            account: Account::Active,
            signed: true,
            in_team: false,
            job_is_due: false,
        };
        Self {
            people: (0..count).map(|place| (place, someone(place))).collect(),
            identifiers: (0..count).map(|place| (place, place)).collect(),
        }
    }

    /// What `getByOpenIDIdentifier` answers.
    pub(crate) fn person(&self, identifier: usize) -> Option<Person> {
        let someone = &self.people[self.identifiers.get(&identifier)?];
        Some(Person {
            name: LaunchpadName::parse(&someone.name).ok()?,
            fingerprint: Fingerprint(someone.created),
            account: someone.account,
            signed_code_of_conduct: someone.signed,
        })
    }

    /// Whether the person of an identifier is in the team, as `super_teams` says.
    pub(crate) fn is_in_team(&self, identifier: usize) -> bool {
        self.identifiers.get(&identifier).is_some_and(|person| self.people[person].in_team)
    }

    /// The pages. One person can be pushed out of sight by others who move while they are read.
    pub(crate) fn roster(&self, unseen: Option<usize>) -> Vec<RosterEntry> {
        let seen = self.people.iter().filter(|(place, someone)| someone.in_team && Some(**place) != unseen);
        seen.filter_map(|(_, someone)| {
            Some(RosterEntry {
                name: LaunchpadName::parse(&someone.name).ok()?,
                fingerprint: Fingerprint(someone.created),
                is_valid: someone.account == Account::Active,
                signed_code_of_conduct: someone.signed,
            })
        })
        .collect()
    }

    pub(crate) fn someone(&mut self, place: usize) -> Option<&mut Someone> {
        self.people.get_mut(&place)
    }

    /// A name is one account's at a time, and free as soon as that gives it up.
    pub(crate) fn rename(&mut self, place: usize, name: &str) {
        let is_free = self.people.values().all(|someone| someone.name != name);
        if let Some(someone) = self.people.get_mut(&place).filter(|_| is_free) {
            someone.name = name.to_owned();
        }
    }

    /// Two people exchange their names.
    pub(crate) fn swap(&mut self, one: usize, other: usize) {
        let (Some(first), Some(second)) = (self.people.get(&one), self.people.get(&other)) else { return };
        let (first, second) = (first.name.clone(), second.name.clone());
        self.rename(one, "in-between");
        self.rename(other, &first);
        self.rename(one, &second);
    }

    /// A is merged into B: identifiers and memberships go to B, which gets the earlier date; A's name is free.
    pub(crate) fn merge(&mut self, from: usize, into: usize) {
        if from == into || !self.people.contains_key(&into) {
            return;
        }
        let Some(merged) = self.people.remove(&from) else { return };
        if let Some(survivor) = self.people.get_mut(&into) {
            survivor.created = survivor.created.min(merged.created);
            survivor.in_team |= merged.in_team;
        }
        for person in self.identifiers.values_mut().filter(|person| **person == from) {
            *person = into;
        }
    }

    /// By the user: the status at once, and the job that leaves all teams and renames some time later.
    pub(crate) fn deactivate(&mut self, place: usize) {
        if let Some(someone) = self.people.get_mut(&place).filter(|someone| someone.account == Account::Active) {
            (someone.account, someone.signed, someone.job_is_due) = (Account::Deactivated, false, true);
        }
    }

    pub(crate) fn run_job(&mut self, place: usize) {
        let Some(someone) = self.people.get_mut(&place).filter(|someone| someone.job_is_due) else { return };
        (someone.in_team, someone.job_is_due) = (false, false);
        let name = format!("{}-deactivatedaccount", someone.name.trim_end_matches("-deactivatedaccount"));
        self.rename(place, &name);
    }

    pub(crate) fn reactivate(&mut self, place: usize) {
        if let Some(someone) = self.people.get_mut(&place) {
            (someone.account, someone.job_is_due) = (Account::Active, false);
        }
    }

    /// For good: the identifiers are deleted.
    pub(crate) fn close(&mut self, place: usize) {
        let closed: BTreeSet<_> =
            self.identifiers.iter().filter(|(_, person)| **person == place).map(|(id, _)| *id).collect();
        self.identifiers.retain(|id, _| !closed.contains(id));
        if let Some(someone) = self.people.get_mut(&place) {
            (someone.account, someone.in_team) = (Account::Closed, false);
            someone.name = format!("removed{place}");
        }
    }
}
