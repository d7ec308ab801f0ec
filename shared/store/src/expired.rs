//! Members whose grants expired. The next sync of the domain looks them up again, even if the team pages did not change.

use membermail_core::address::DomainName;
use membermail_core::member::MemberId;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys;
use crate::table::{Consistency, Query, Store, Write};

#[derive(Serialize, Deserialize)]
struct ExpiredGrant {
    member: MemberId,
}

impl Store {
    /// Records that a grant to the member arrived too late and had no effect.
    pub async fn note_expired_grant(&self, domain: &DomainName, member: MemberId) -> Result<(), StoreError> {
        let put = Write::put(&keys::expired_grant(domain, member), &ExpiredGrant { member })?;
        self.write(put).await.map(drop)
    }

    /// At most `limit` members whose grants in the domain expired.
    pub async fn expired_grants(&self, domain: &DomainName, limit: usize) -> Result<Vec<MemberId>, StoreError> {
        let limit = i32::try_from(limit).unwrap_or(i32::MAX);
        // DynamoDB refuses a limit of 0.
        if limit == 0 {
            return Ok(Vec::new());
        }
        let query = Query::partition(keys::expired_grants(domain), Consistency::Eventual).limit(limit);
        let expired: Vec<ExpiredGrant> = self.first_page(&query).await?;
        Ok(expired.into_iter().map(|expired| expired.member).collect())
    }

    /// Removes members from the list, after they were looked up and the resulting messages were sent.
    pub async fn forget_expired_grants(&self, domain: &DomainName, members: &[MemberId]) -> Result<(), StoreError> {
        for member in members {
            self.delete(&keys::expired_grant(domain, *member)).await?;
        }
        Ok(())
    }
}
