//! What is still to be told: each change lies here from its own transaction on until everybody whom it concerns has been
//! told, so that a crash in between loses nothing.

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;
use membermail_core::audit::Entry;
use ulid::Ulid;

use crate::error::StoreError;
use crate::keys;
use crate::table::{Store, decode, text};

impl Store {
    pub(crate) fn outbox_write(&self, entry: &Entry) -> Result<TransactWriteItem, StoreError> {
        let put = self.put(&keys::outbox(entry.id), entry)?.build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// A change that is still to be told.
    pub async fn untold(&self, entry: Ulid) -> Result<Option<Entry>, StoreError> {
        self.get(&keys::outbox(entry)).await
    }

    /// Changes of before that time which are still to be told, oldest first, so many at most: their messages were lost,
    /// or wait to be tried again.
    pub async fn untold_before(&self, time: Timestamp, most: i32) -> Result<Vec<Entry>, StoreError> {
        let millis = u64::try_from(time.as_millisecond()).unwrap_or_default();
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk < :end")
            .expression_attribute_values(":pk", text(keys::OUTBOX))
            .expression_attribute_values(":end", text(Ulid::from_parts(millis, 0).to_string()))
            .limit(most)
            .send()
            .await?;
        let key = keys::outbox(Ulid::nil());
        answer.items.unwrap_or_default().into_iter().map(|item| decode(item, &key)).collect()
    }

    /// Everybody has been told.
    pub async fn told(&self, entry: Ulid) -> Result<(), StoreError> {
        self.delete(&keys::outbox(entry)).await
    }
}
