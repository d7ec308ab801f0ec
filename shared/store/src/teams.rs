//! The team of a domain: pinned by its fingerprint, so that another team under its name has no rights.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::TransactWriteItem;
use membermail_core::address::DomainName;
use membermail_core::eligibility::TeamPin;
use membermail_core::member::Fingerprint;
use membermail_core::random::Random;
use serde::Deserialize;

use crate::domains::{StoredDomain, TeamProblem, attribute};
use crate::error::StoreError;
use crate::gates::as_read;
use crate::keys::{self, Key};
use crate::table::{Store, TRIES, Written, number, pause, text};

#[derive(Deserialize)]
struct Keyed {
    pk: String,
    #[serde(flatten)]
    domain: StoredDomain,
}

impl Store {
    /// What checks have to know of the teams of these domains, by one request. A domain that the table does not know yet
    /// is left out.
    pub async fn team_pins<'a>(
        &self,
        domains: impl Iterator<Item = &'a DomainName>,
    ) -> Result<BTreeMap<DomainName, TeamPin>, StoreError> {
        let all: Vec<_> = domains.map(keys::domain).collect();
        let mut pins = BTreeMap::new();
        self.each_of(&all, |Keyed { pk, domain }| {
            if let Some(Ok(name)) = pk.strip_prefix("DOMAIN#").map(DomainName::parse) {
                pins.insert(name, domain.team_pin());
            }
        })
        .await?;
        Ok(pins)
    }

    /// Pins the team of a domain, unless it is pinned. Returns the pin that counts.
    pub async fn pin_team(&self, domain: &DomainName, team: Fingerprint) -> Result<Fingerprint, StoreError> {
        let request = self
            .domain_update(domain)
            .update_expression("SET team = :team")
            .condition_expression("attribute_not_exists(team)")
            .expression_attribute_values(":team", number(team));
        if changed(request).await? {
            return Ok(team);
        }
        Ok(self.domain(domain).await?.team.unwrap_or(team))
    }

    /// Records what a sync found in place of the team, or that it is back, and closes or opens the domain's gate with it.
    /// Returns whether that is new.
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
            let (mut sets, mut remove) = (Vec::new(), "");
            let mut update = self.update(&keys::domain(domain));
            match problem {
                Some(problem) => {
                    sets.push("team_problem = :problem");
                    update = update.expression_attribute_values(":problem", text(problem.as_str()));
                }
                None => remove = " REMOVE team_problem",
            }
            let gate = stored.next_gate(stored.verified.is_some(), problem, stored.is_retiring());
            if let Some(gate) = gate {
                sets.push("#gate = :gate");
                update = update.expression_attribute_names("#gate", "gate");
                update = update.expression_attribute_values(":gate", attribute(&gate)?);
            }
            let set = if sets.is_empty() { String::new() } else { format!("SET {}", sets.join(", ")) };
            let update = as_read(&stored, update.update_expression(format!("{set}{remove}")))?;
            let mut writes = vec![TransactWriteItem::builder().update(update.build()?).build()];
            if let Some(gate) = gate {
                writes.extend(self.gate_writes(domain, gate)?);
            }
            if self.transact(writes).await? == Written::All {
                return Ok(true);
            }
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }

    fn domain_update(&self, domain: &DomainName) -> UpdateItemFluentBuilder {
        let Key { pk, sk } = keys::domain(domain);
        self.client.update_item().table_name(&self.table).key("pk", text(pk)).key("sk", text(sk))
    }
}

/// Sends an update; returns whether its condition held.
async fn changed(request: UpdateItemFluentBuilder) -> Result<bool, StoreError> {
    match request.send().await {
        Ok(_) => Ok(true),
        Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(false),
        Err(error) => Err(error.into()),
    }
}
