//! Events in the life of an account: each one is a row of the table in launchpad.md, 3.

use jiff::Timestamp;
use serde::Deserialize;

use super::account::{AccountStatus, Presence};
use super::change::ChangeError;
use super::{Community, Key};

/// A row of the table. A rename is a change of the name, a placeholder is added as one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// Another person takes this one over: the key of the survivor.
    MergeInto(String),
    /// The user deactivates the account, and the job has run.
    Deactivate,
    /// The user deactivates the account, and the job is still to run.
    BeginDeactivation,
    /// The job of a deactivation runs.
    FinishDeactivation,
    /// The user takes the account into use again.
    Reactivate,
    /// An admin deactivates the account.
    DeactivateByAdmin,
    /// An admin suspends the account.
    Suspend,
    /// An admin marks the account as that of a person who has died.
    MarkDeceased,
    /// The account is erased on request.
    Close,
    /// A placeholder logs in to Launchpad for the first time.
    FirstLogin,
}

impl Community {
    /// Refuses an event that cannot happen to this account.
    pub(super) fn check_event(&self, key: &Key, event: &Event) -> Result<(), ChangeError> {
        let person = self.people.get(key).ok_or(ChangeError::UnknownKey)?;
        let status = person.status;
        let is_possible = person.presence == Presence::Person
            && match event {
                Event::MergeInto(survivor) => {
                    let survivor = self.people.get_key_value(survivor.as_str()).ok_or(ChangeError::UnknownKey)?;
                    survivor.0 != key && survivor.1.presence == Presence::Person
                }
                Event::FinishDeactivation | Event::Reactivate => status == AccountStatus::Deactivated,
                Event::FirstLogin => status == AccountStatus::Placeholder,
                _ => status != AccountStatus::Closed,
            };
        if is_possible { Ok(()) } else { Err(ChangeError::Impossible) }
    }

    /// Makes it happen.
    pub(super) fn happen(&mut self, key: &Key, event: Event, now: Timestamp) -> Result<(), ChangeError> {
        self.check_event(key, &event)?;
        self.forget_lists();
        match event {
            Event::MergeInto(survivor) => self.merge(key, &Key::from(survivor)),
            Event::Deactivate => {
                self.begin_deactivation(key);
                self.finish_deactivation(key);
            }
            Event::BeginDeactivation => self.begin_deactivation(key),
            Event::FinishDeactivation => self.finish_deactivation(key),
            // 3: keeps the name `A-deactivatedaccount`, is in no team, `is_valid` is true.
            Event::Reactivate => self.set_status(key, AccountStatus::Active),
            // 3: the name stays, stays in the teams. The example of section 5 keeps the signature of such an account.
            Event::DeactivateByAdmin => self.set_status(key, AccountStatus::Deactivated),
            // 3: stays in the teams, Code of Conduct unchanged.
            Event::Suspend => self.set_status(key, AccountStatus::Suspended),
            // 3: the name stays, stays in the teams.
            Event::MarkDeceased => self.set_status(key, AccountStatus::Deceased),
            Event::Close => self.close(key),
            Event::FirstLogin => {
                self.set_status(key, AccountStatus::Active);
                // 2: a "Placeholder" gets *now* at its first login to Launchpad.
                if let Some(person) = self.people.get_mut(key) {
                    person.date_created = now;
                }
            }
        }
        Ok(())
    }

    fn set_status(&mut self, key: &Key, status: AccountStatus) {
        if let Some(person) = self.people.get_mut(key) {
            person.status = status;
        }
    }

    fn merge(&mut self, key: &Key, survivor: &Key) {
        // 3: B has A's memberships.
        for team in self.teams.values_mut() {
            if let Some(membership) = team.memberships.remove(key)
                && !team.has(survivor)
            {
                team.memberships.insert(survivor.clone(), membership);
            }
        }
        // 3: A's and B's identifiers lead to B.
        self.identifiers.values_mut().filter(|of| *of == key).for_each(|of| *of = survivor.clone());
        // 3: A becomes `A-merged`, `A-merged1`…; `A` is free at once. 7: only `…-merged` names stay taken.
        let name = self.free_name(&format!("{}-merged", self.name_of(key)));
        self.rename(key, name);
        let Some(merged) = self.people.get_mut(key) else { return };
        merged.presence = Presence::Merged;
        let date = merged.date_created;
        // 2: the survivor gets the earlier of both dates.
        if let Some(survivor) = self.people.get_mut(survivor) {
            survivor.date_created = survivor.date_created.min(date);
        }
    }

    /// 3: at once only the status; signatures of the Code of Conduct are withdrawn.
    fn begin_deactivation(&mut self, key: &Key) {
        if let Some(person) = self.people.get_mut(key) {
            (person.status, person.signed) = (AccountStatus::Deactivated, false);
        }
    }

    /// 3: a job leaves all teams and renames to `A-deactivatedaccount[N]`; then `A` is free.
    fn finish_deactivation(&mut self, key: &Key) {
        let teams: Vec<_> = self.teams.iter().filter(|(_, team)| team.has(key)).map(|(team, _)| team.clone()).collect();
        teams.iter().for_each(|team| self.leave(team, key));
        let name = self.free_name(&format!("{}-deactivatedaccount", self.name_of(key)));
        self.rename(key, name);
    }

    /// 3: `removed` and a number, "Removed by request", out of the teams, identifiers deleted.
    fn close(&mut self, key: &Key) {
        self.end_memberships(key);
        self.identifiers.retain(|_, of| of != key);
        // Guess: the number counts from 1.
        let name = (1_u64..).map(|number| format!("removed{number}")).find(|name| !self.names.contains_key(name));
        self.rename(key, name.unwrap_or_default());
        if let Some(person) = self.people.get_mut(key) {
            person.status = AccountStatus::Closed;
            "Removed by request".clone_into(&mut person.display_name);
        }
    }

    /// The name, or with the first number behind it that is free.
    fn free_name(&self, name: &str) -> String {
        let numbered = (1_u64..).map(|number| format!("{name}{number}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        names.find(|name| !self.names.contains_key(name)).unwrap_or_default()
    }
}
