//! Whether a domain has proven that it belongs to the community.

use aws_sdk_dynamodb::error::SdkError;
use jiff::Timestamp;
use membermail_core::address::DomainName;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys;
use crate::table::{Store, encode};

/// What a transaction asks of a domain before it writes an address there.
pub(crate) const IS_VERIFIED: &str = "attribute_exists(verified)";

#[derive(Serialize, Deserialize)]
struct Domain {
    verified: Timestamp,
}

impl Store {
    /// Marks a domain as verified; one that is verified already keeps its time.
    pub async fn verify_domain(&self, domain: &DomainName, now: Timestamp) -> Result<(), StoreError> {
        let item = encode(&keys::domain(domain), &Domain { verified: now })?;
        let request = self.client.put_item().table_name(&self.table).set_item(Some(item));
        match request.condition_expression("attribute_not_exists(verified)").send().await {
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(()),
            other => other.map(drop).map_err(Into::into),
        }
    }

    /// Takes the mark away: no new addresses there; those that are there stay.
    pub async fn unverify_domain(&self, domain: &DomainName) -> Result<(), StoreError> {
        self.delete(&keys::domain(domain)).await
    }

    /// Whether it is marked.
    pub async fn domain_verified(&self, domain: &DomainName) -> Result<bool, StoreError> {
        Ok(self.get::<Domain>(&keys::domain(domain)).await?.is_some())
    }
}
