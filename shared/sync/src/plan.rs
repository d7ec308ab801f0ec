//! Reading and comparing: makes a plan and writes nothing.

use membermail_core::address::DomainName;
use membermail_core::community::Domain;
use membermail_core::eligibility::Person;
use membermail_core::plan::{Plan, Planner};
use membermail_core::roster::Roster;

use crate::{Engine, SyncError};

impl Engine<'_> {
    /// What a sync of this domain would do now. `read` is told how many participants have been read so far, and of how
    /// many.
    pub async fn plan(&self, domain: &DomainName, read: &(dyn Fn(u64, u64) + Sync)) -> Result<Plan, SyncError> {
        let Domain { domain, team, hidden_participants, .. } =
            self.community.domain(domain).ok_or_else(|| SyncError::UnknownDomain(domain.clone()))?;
        let read_at = self.clock.now();
        let take = |people: &mut Vec<Person>, person, total| {
            people.push(person);
            read(people.len() as u64, total);
        };
        let people = self.launchpad.participants(team, *hidden_participants, Vec::new, take).await?;
        let gives_addresses = self.store.domain_verified(domain).await?;
        let rules = &self.community.rules;
        let mut planner = Planner::new(domain.clone(), Roster::new(people), gives_addresses, rules, read_at);
        self.store.each_person(|known| planner.know(known)).await?;
        self.store.each_alias(domain, |alias| planner.compare(alias)).await?;
        let plan = planner.finish();
        let aliases = plan.aliases();
        if plan.counts.participants == 0 && aliases > 0 {
            return Err(SyncError::EmptyTeam { domain: domain.clone(), aliases });
        }
        Ok(plan)
    }
}
