//! Grants that expired: the next sync of the domain looks their members up again, also where its pages show no change.

use membermail_core::address::DomainName;
use membermail_core::member::MemberId;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys;
use crate::table::{Store, decode, encode, text};

#[derive(Serialize, Deserialize)]
struct ExpiredGrant {
    member: MemberId,
}

impl Store {
    /// A grant to the member had no effect: it came too late.
    pub async fn note_expired_grant(&self, domain: &DomainName, member: MemberId) -> Result<(), StoreError> {
        let item = encode(&keys::expired_grant(domain, member), &ExpiredGrant { member })?;
        self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await?;
        Ok(())
    }

    /// Members whose grants in the domain expired, `most` at most.
    pub async fn expired_grants(&self, domain: &DomainName, most: usize) -> Result<Vec<MemberId>, StoreError> {
        let most = i32::try_from(most).unwrap_or(i32::MAX);
        if most == 0 {
            return Ok(Vec::new());
        }
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(keys::expired_grants(domain)))
            .limit(most);
        let items = query.send().await?.items.unwrap_or_default();
        let key = keys::Key { pk: keys::expired_grants(domain), sk: String::new() };
        items.into_iter().map(|item| decode::<ExpiredGrant>(item, &key).map(|expired| expired.member)).collect()
    }

    /// The members were looked up, and what follows was handed on.
    pub async fn forget_expired_grants(&self, domain: &DomainName, members: &[MemberId]) -> Result<(), StoreError> {
        for member in members {
            self.delete(&keys::expired_grant(domain, *member)).await?;
        }
        Ok(())
    }
}
