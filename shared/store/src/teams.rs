//! The team of a domain: pinned by its fingerprint, so that another team under its name has no rights.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use membermail_core::address::DomainName;
use membermail_core::eligibility::TeamPin;
use membermail_core::member::Fingerprint;
use serde::Deserialize;

use crate::domains::{StoredDomain, TeamProblem};
use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::table::{Store, number, text};

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

    /// Records what a sync found in place of the team, or that it is back. Returns whether that is new.
    pub async fn record_team(&self, domain: &DomainName, problem: Option<TeamProblem>) -> Result<bool, StoreError> {
        let request = self.domain_update(domain);
        let request = match problem {
            Some(problem) => request
                .update_expression("SET team_problem = :problem")
                .condition_expression("attribute_not_exists(team_problem) OR team_problem <> :problem")
                .expression_attribute_values(":problem", text(problem.as_str())),
            None => {
                request.update_expression("REMOVE team_problem").condition_expression("attribute_exists(team_problem)")
            }
        };
        changed(request).await
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
