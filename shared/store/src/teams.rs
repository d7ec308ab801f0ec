//! The team of a domain, pinned by its fingerprint, so that another team with the same name grants nothing.

use std::collections::BTreeMap;

use membermail_core::address::DomainName;
use membermail_core::eligibility::TeamPin;
use membermail_core::member::Fingerprint;
use membermail_core::random::Random;
use serde::Deserialize;

use crate::error::StoreError;
use crate::gates::update_domain;
use crate::keys;
use crate::stored_domain::{StoredDomain, TeamProblem};
use crate::table::{Store, TRIES, Update, Write, number, path, pause};

#[derive(Deserialize)]
struct Keyed {
    pk: String,
    #[serde(flatten)]
    domain: StoredDomain,
}

impl Store {
    /// Loads the team pins of these domains. A domain without an item is left out.
    pub async fn team_pins<'a>(
        &self,
        domains: impl Iterator<Item = &'a DomainName>,
    ) -> Result<BTreeMap<DomainName, TeamPin>, StoreError> {
        let all: Vec<_> = domains.map(keys::domain).collect();
        let pins = self.get_all(&all).await?.into_iter().filter_map(|Keyed { pk, domain }| {
            let name = pk.strip_prefix("DOMAIN#")?;
            Some((name.parse().ok()?, domain.team_pin()))
        });
        Ok(pins.collect())
    }

    /// Pins the team of a domain, unless one is pinned. Returns the valid pin.
    pub async fn pin_team(&self, domain: &DomainName, team: Fingerprint) -> Result<Fingerprint, StoreError> {
        let update = Write::update(&keys::domain(domain), Update::new().set("team", number(team)));
        if self.write(update.when(path("team").not_exists())).await? {
            return Ok(team);
        }
        Ok(self.domain(domain).await?.team.unwrap_or(team))
    }

    /// Records a problem with the team, or its end, and closes or opens the domain's gate in the same transaction. Returns
    /// whether it has changed.
    pub async fn record_team(
        &self,
        domain: &DomainName,
        problem: Option<TeamProblem>,
        random: &dyn Random,
    ) -> Result<bool, StoreError> {
        for tried in 0..TRIES {
            let stored = self.domain(domain).await?;
            if stored.team_problem == problem {
                return Ok(false);
            }
            let update = match &problem {
                Some(problem) => Update::new().set("team_problem", problem.as_ref()),
                None => Update::new().remove("team_problem"),
            };
            let is_open = stored.verified.is_some() && problem.is_none() && !stored.is_retiring();
            let writes = update_domain(domain, &stored, update, is_open)?;
            if self.commit(writes).await?.is_committed() {
                return Ok(true);
            }
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }
}
