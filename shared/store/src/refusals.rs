//! Why a member has no address at a domain; their account page shows it.

use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::alias::Refusal;
use membermail_core::member::MemberId;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys;
use crate::table::{Store, Write};

#[derive(Serialize, Deserialize)]
pub(crate) struct Stored {
    pub(crate) domain: DomainName,
    pub(crate) refusal: Refusal,
    pub(crate) since: Timestamp,
}

impl Store {
    /// Records a refusal. A repeat only updates its time.
    pub async fn refuse(
        &self,
        member: MemberId,
        domain: &DomainName,
        refusal: &Refusal,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let stored = Stored { domain: domain.clone(), refusal: *refusal, since: now };
        self.write(Write::put(&keys::refusal(member, domain), &stored)?).await.map(drop)
    }

    /// All refusals of a member.
    pub async fn refusals_of(&self, member: MemberId) -> Result<Vec<(DomainName, Refusal)>, StoreError> {
        let stored: Vec<Stored> = self.list(&keys::profile(member).pk, keys::REFUSAL).await?;
        Ok(stored.into_iter().map(|stored| (stored.domain, stored.refusal)).collect())
    }
}
