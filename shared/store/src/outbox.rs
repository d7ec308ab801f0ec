//! What is still to be told: each change lies here from its own transaction on until everybody whom it concerns has been
//! told, so that a crash in between loses nothing.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;
use membermail_core::audit::Entry;
use ulid::Ulid;

use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::table::{Store, decode, number, text};

impl Store {
    pub(crate) fn outbox_write(&self, entry: &Entry) -> Result<TransactWriteItem, StoreError> {
        let put = self.put(&keys::outbox(entry.id), entry)?.build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// A change that is still to be told.
    pub async fn untold(&self, entry: Ulid) -> Result<Option<Entry>, StoreError> {
        self.get(&keys::outbox(entry)).await
    }

    /// Changes of before that time which are still to be told and whose message was lost, oldest first, so many at most.
    /// One that [`is_on_its_way`](Self::is_on_its_way) longer than until then is none of them.
    pub async fn untold_before(&self, time: Timestamp, most: i32) -> Result<Vec<Entry>, StoreError> {
        let millis = u64::try_from(time.as_millisecond()).unwrap_or_default();
        let mut items = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk < :end")
            .filter_expression("attribute_not_exists(on_its_way_until) OR on_its_way_until < :time")
            .expression_attribute_values(":pk", text(keys::OUTBOX))
            .expression_attribute_values(":end", text(Ulid::from_parts(millis, 0).to_string()))
            .expression_attribute_values(":time", number(time.as_second()))
            .into_paginator()
            .items()
            .send();
        let (mut entries, key) = (Vec::new(), keys::outbox(Ulid::nil()));
        while entries.len() < usize::try_from(most).unwrap_or_default()
            && let Some(item) = items.next().await
        {
            entries.push(decode(item?, &key)?);
        }
        Ok(entries)
    }

    /// A message for this change is in the queue, and is tried until then at least.
    pub async fn is_on_its_way(&self, entry: Ulid, until: Timestamp) -> Result<(), StoreError> {
        let Key { pk, sk } = keys::outbox(entry);
        let request = self.client.update_item().table_name(&self.table).key("pk", text(pk)).key("sk", text(sk));
        let noted = request
            .update_expression("SET on_its_way_until = :until")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":until", number(until.as_second()))
            .send()
            .await;
        match noted {
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(()),
            other => other.map(drop).map_err(Into::into),
        }
    }

    /// Everybody has been told.
    pub async fn told(&self, entry: Ulid) -> Result<(), StoreError> {
        self.delete(&keys::outbox(entry)).await
    }
}
