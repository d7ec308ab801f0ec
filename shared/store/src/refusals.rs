//! Why a member has no address at a domain, for their page.

use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::alias::Refusal;
use membermail_core::member::MemberId;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys;
use crate::table::{Store, encode};

#[derive(Serialize, Deserialize)]
struct Stored {
    domain: DomainName,
    refusal: Refusal,
    since: Timestamp,
}

impl Store {
    /// Notes a refusal; the same again changes nothing but its time.
    pub async fn refuse(
        &self,
        member: MemberId,
        domain: &DomainName,
        refusal: &Refusal,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let stored = Stored { domain: domain.clone(), refusal: *refusal, since: now };
        let item = encode(&keys::refusal(member, domain), &stored)?;
        self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await?;
        Ok(())
    }

    /// All refusals of a member.
    pub async fn refusals_of(&self, member: MemberId) -> Result<Vec<(DomainName, Refusal)>, StoreError> {
        let stored: Vec<Stored> = self.list(&keys::profile(member).pk, keys::REFUSAL).await?;
        Ok(stored.into_iter().map(|stored| (stored.domain, stored.refusal)).collect())
    }
}
