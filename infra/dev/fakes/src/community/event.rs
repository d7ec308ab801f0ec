//! Account events: the rows of the table in launchpad.md, 3.

use jiff::Timestamp;
use serde::Deserialize;

use super::account::{AccountStatus, Presence};
use super::change::ChangeError;
use super::{Community, Key};

/// An account event. Renames and placeholders are not events: a change sets the name, and a new person has a status.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// Merges the account into the person with this key, the survivor.
    MergeInto(String),
    /// The owner deactivates the account, and the job has run.
    Deactivate,
    /// The owner deactivates the account, and the job is pending.
    BeginDeactivation,
    /// The pending job of a deactivation runs.
    FinishDeactivation,
    /// The owner reactivates the account.
    Reactivate,
    /// An admin deactivates the account.
    DeactivateByAdmin,
    /// An admin suspends the account.
    Suspend,
    /// An admin marks the owner as deceased.
    MarkDeceased,
    /// The account is erased on request.
    Close,
    /// A placeholder logs in to Launchpad for the first time.
    FirstLogin,
}

impl Community {
    /// Rejects an event that is impossible in the current state of the account.
    pub(super) fn check_event(&self, key: &Key, event: &Event) -> Result<(), ChangeError> {
        let person = self.people.get(key).ok_or(ChangeError::UnknownKey)?;
        let status = person.status;
        let is_allowed = person.presence == Presence::Person
            && match event {
                Event::MergeInto(survivor) => {
                    let (survivor_key, survivor) =
                        self.people.get_key_value(survivor.as_str()).ok_or(ChangeError::UnknownKey)?;
                    survivor_key != key && survivor.presence == Presence::Person
                }
                Event::FinishDeactivation | Event::Reactivate => status == AccountStatus::Deactivated,
                Event::FirstLogin => status == AccountStatus::Placeholder,
                _ => status != AccountStatus::Closed,
            };
        if is_allowed { Ok(()) } else { Err(ChangeError::WrongState) }
    }

    /// Applies an event to the account.
    pub(super) fn apply_event(&mut self, key: &Key, event: Event, now: Timestamp) -> Result<(), ChangeError> {
        self.check_event(key, &event)?;
        self.invalidate_lists();
        match event {
            Event::MergeInto(survivor) => self.merge(key, &Key::from(survivor)),
            Event::Deactivate => {
                self.begin_deactivation(key);
                self.finish_deactivation(key);
            }
            Event::BeginDeactivation => self.begin_deactivation(key),
            Event::FinishDeactivation => self.finish_deactivation(key),
            // 3: the name stays `A-deactivatedaccount`, without teams; `is_valid` is true.
            Event::Reactivate => self.set_status(key, AccountStatus::Active),
            // 3: name and memberships stay. The example of section 5 keeps the signature of such an account.
            Event::DeactivateByAdmin => self.set_status(key, AccountStatus::Deactivated),
            // 3: memberships and the signature of the Code of Conduct stay.
            Event::Suspend => self.set_status(key, AccountStatus::Suspended),
            // 3: name and memberships stay.
            Event::MarkDeceased => self.set_status(key, AccountStatus::Deceased),
            Event::Close => self.close(key),
            Event::FirstLogin => {
                self.set_status(key, AccountStatus::Active);
                // 2: the first login to Launchpad sets the date of a "Placeholder".
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
        // 3: the survivor B gets A's memberships.
        for team in self.teams.values_mut() {
            if let Some(membership) = team.memberships.remove(key)
                && !team.has(survivor)
            {
                team.memberships.insert(survivor.clone(), membership);
            }
        }
        // 3: A's and B's identifiers lead to B.
        self.identifiers.values_mut().filter(|owner| *owner == key).for_each(|owner| *owner = survivor.clone());
        // 3: A is renamed to `A-merged`, `A-merged1`…; `A` is available immediately. 7: only `…-merged` names stay
        // reserved.
        let name = self.free_name(&format!("{}-merged", self.name_of(key)));
        self.rename(key, name);
        let Some(merged) = self.people.get_mut(key) else { return };
        merged.presence = Presence::Merged;
        let date = merged.date_created;
        // 2: the survivor gets the earlier date.
        if let Some(survivor) = self.people.get_mut(survivor) {
            survivor.date_created = survivor.date_created.min(date);
        }
    }

    /// 3: the status changes immediately, and signatures of the Code of Conduct are withdrawn.
    fn begin_deactivation(&mut self, key: &Key) {
        if let Some(person) = self.people.get_mut(key) {
            person.status = AccountStatus::Deactivated;
            person.signed = false;
        }
    }

    /// 3: a job leaves all teams and renames the account to `A-deactivatedaccount[N]`; then `A` is available.
    fn finish_deactivation(&mut self, key: &Key) {
        let teams: Vec<_> = self.teams.iter().filter(|(_, team)| team.has(key)).map(|(team, _)| team.clone()).collect();
        teams.iter().for_each(|team| self.leave(team, key));
        let name = self.free_name(&format!("{}-deactivatedaccount", self.name_of(key)));
        self.rename(key, name);
    }

    /// 3: the name becomes `removed` with a number, the display name "Removed by request"; memberships and identifiers
    /// are deleted.
    fn close(&mut self, key: &Key) {
        self.end_memberships(key);
        self.identifiers.retain(|_, owner| owner != key);
        // Guess: the number counts from 1.
        let name = (1_u64..).map(|number| format!("removed{number}")).find(|name| !self.names.contains_key(name));
        self.rename(key, name.unwrap_or_default());
        if let Some(person) = self.people.get_mut(key) {
            person.status = AccountStatus::Closed;
            "Removed by request".clone_into(&mut person.display_name);
        }
    }

    /// The name itself, or the name with the lowest number that makes it available.
    fn free_name(&self, name: &str) -> String {
        let numbered = (1_u64..).map(|number| format!("{name}{number}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        names.find(|name| !self.names.contains_key(name)).unwrap_or_default()
    }
}
