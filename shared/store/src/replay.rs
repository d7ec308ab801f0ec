//! What may be used once only: the nonce of an assertion and the state of a sign-in.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use jiff::{SignedDuration, Timestamp};

use crate::error::StoreError;
use crate::keys;
use crate::table::{Store, Written, expires, text};

/// Much longer than an assertion or a state is accepted, whatever the clocks say.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// Whether this was the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsedUp {
    /// It was; from now on it is used.
    Fresh,
    /// The nonce or the state was used before.
    AlreadyUsed,
}

impl Store {
    /// Uses up a nonce (OpenID Authentication 2.0, 11.3) and a state, both or neither.
    pub async fn use_up(&self, issuer: &str, nonce: &str, state: &str, now: Timestamp) -> Result<UsedUp, StoreError> {
        let until = expires(now.saturating_add(KEPT).unwrap_or(Timestamp::MAX));
        let mut writes = Vec::new();
        for key in [keys::nonce(issuer, nonce), keys::state(state)] {
            let put = Put::builder()
                .table_name(&self.table)
                .item("pk", text(key.pk))
                .item("sk", text(key.sk))
                .item("expires", until.clone())
                .condition_expression("attribute_not_exists(pk)");
            writes.push(TransactWriteItem::builder().put(put.build()?).build());
        }
        match self.transact(writes).await? {
            Written::All => Ok(UsedUp::Fresh),
            Written::Failed(places) if places.is_empty() => Err(StoreError::Conflict),
            Written::Failed(_) => Ok(UsedUp::AlreadyUsed),
        }
    }
}
