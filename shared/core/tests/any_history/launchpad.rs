//! An in-memory Launchpad with the account changes of launchpad.md (section 3): a name is free at once, a merge moves both
//! identifiers to one person and keeps the earlier date, accounts of 2005 share one date.

use std::collections::BTreeMap;

use membermail_core::eligibility::{Account, Person};
use membermail_core::member::{Fingerprint, PersonName};
use membermail_core::roster::RosterEntry;

/// The creation date of all accounts from before mid-June 2005.
const OLD: i64 = 1_118_800_000_000_000;

#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) created: i64,
    pub(crate) account: Account,
    pub(crate) signed: bool,
    pub(crate) in_team: bool,
    /// The user deactivated the account, and the job that leaves the teams has not run.
    pub(crate) job_is_due: bool,
}

/// All accounts, and the account of each identifier.
#[derive(Clone, Debug)]
pub(crate) struct Launchpad {
    pub(crate) people: BTreeMap<usize, Profile>,
    pub(crate) identifiers: BTreeMap<usize, usize>,
}

impl Launchpad {
    /// `count` people; the accounts of the first three are from 2005.
    pub(crate) fn new(count: usize) -> Self {
        let people = (0..count).map(|person| {
            let profile = Profile {
                name: format!("person{person}"),
                created: if person < 3 { OLD } else { OLD + i64::try_from(person).unwrap_or_default() },
                account: Account::Active,
                signed: true,
                in_team: false,
                job_is_due: false,
            };
            (person, profile)
        });
        Self { people: people.collect(), identifiers: (0..count).map(|person| (person, person)).collect() }
    }

    /// The response of `getByOpenIDIdentifier`.
    pub(crate) fn person(&self, identifier: usize) -> Option<Person> {
        let profile = &self.people[self.identifiers.get(&identifier)?];
        Some(Person {
            name: PersonName::parse(&profile.name).ok()?,
            fingerprint: Fingerprint(profile.created),
            account: profile.account,
            signed_code_of_conduct: profile.signed,
        })
    }

    /// Whether the person of an identifier is in the team, as in `super_teams`.
    pub(crate) fn is_in_team(&self, identifier: usize) -> bool {
        self.identifiers.get(&identifier).is_some_and(|person| self.people[person].in_team)
    }

    /// The team pages. The list can shift during the reading, so that one person is missing.
    pub(crate) fn roster(&self, unseen: Option<usize>) -> Vec<RosterEntry> {
        let seen = self.people.iter().filter(|(person, profile)| profile.in_team && Some(**person) != unseen);
        seen.filter_map(|(_, profile)| {
            Some(RosterEntry {
                name: PersonName::parse(&profile.name).ok()?,
                fingerprint: Fingerprint(profile.created),
                is_valid: profile.account == Account::Active,
                signed_code_of_conduct: profile.signed,
            })
        })
        .collect()
    }

    pub(crate) fn change(&mut self, person: usize, change: impl FnOnce(&mut Profile)) {
        if let Some(profile) = self.people.get_mut(&person) {
            change(profile);
        }
    }

    /// Renames an account if the name is free. A name is free as soon as its account is renamed.
    pub(crate) fn rename(&mut self, person: usize, name: &str) {
        let is_free = self.people.values().all(|profile| profile.name != name);
        if let Some(profile) = self.people.get_mut(&person).filter(|_| is_free) {
            profile.name = name.to_owned();
        }
    }

    /// Swaps the names of two people.
    pub(crate) fn swap(&mut self, one: usize, other: usize) {
        let name = |person| self.people.get(person).map(|profile| profile.name.clone());
        let (Some(first), Some(second)) = (name(&one), name(&other)) else { return };
        self.rename(one, "in-between");
        self.rename(other, &first);
        self.rename(one, &second);
    }

    /// Merges an account into another, which gets the identifiers, the memberships and the earlier date. The name is free.
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

    /// Deactivation by the user: the status changes at once; a later job leaves all teams and renames the account.
    pub(crate) fn deactivate(&mut self, person: usize) {
        if let Some(profile) = self.people.get_mut(&person).filter(|profile| profile.account == Account::Active) {
            profile.account = Account::Deactivated;
            profile.signed = false;
            profile.job_is_due = true;
        }
    }

    pub(crate) fn run_job(&mut self, person: usize) {
        let Some(profile) = self.people.get_mut(&person).filter(|profile| profile.job_is_due) else { return };
        profile.in_team = false;
        profile.job_is_due = false;
        let name = format!("{}-deactivatedaccount", profile.name.trim_end_matches("-deactivatedaccount"));
        self.rename(person, &name);
    }

    pub(crate) fn reactivate(&mut self, person: usize) {
        self.change(person, |profile| {
            profile.account = Account::Active;
            profile.job_is_due = false;
        });
    }

    /// Closes an account permanently and deletes its identifiers.
    pub(crate) fn close(&mut self, person: usize) {
        self.identifiers.retain(|_, owner| *owner != person);
        if let Some(profile) = self.people.get_mut(&person) {
            profile.account = Account::Closed;
            profile.in_team = false;
            profile.name = format!("removed{person}");
        }
    }
}
