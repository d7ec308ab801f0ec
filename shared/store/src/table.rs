//! The few ways in which items are read and written; everything else of this crate is built from them.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update};
use jiff::Timestamp;
use membermail_core::random::{self, Random};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::StoreError;
use crate::keys::Key;

/// An item as the SDK has it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The table.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) client: Client,
    pub(crate) table: String,
    /// Whether items are read as they are, or as they were a moment ago.
    is_consistent: bool,
}

impl Store {
    /// The table of that name.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into(), is_consistent: true }
    }

    /// The same table for who looks often and only reads: items come as they were a moment ago, for half the price, and also
    /// while the table's leader does not answer.
    #[must_use]
    pub fn eventually(self) -> Self {
        Self { is_consistent: false, ..self }
    }

    /// The name of the table.
    pub fn name(&self) -> &str {
        &self.table
    }

    /// Reads one item, strongly consistent unless this is [`Self::eventually`].
    pub(crate) async fn get<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).consistent_read(self.is_consistent);
        let answer = request.key("pk", text(&key.pk)).key("sk", text(&key.sk)).send().await?;
        answer.item.map(|item| decode(item, key)).transpose()
    }

    /// Reads every item of a partition whose sort key begins so, in order; with no beginning, the whole partition.
    pub(crate) async fn list<T: DeserializeOwned>(&self, pk: &str, begins: &str) -> Result<Vec<T>, StoreError> {
        let query = self.client.query().table_name(&self.table).consistent_read(self.is_consistent);
        let query = query.expression_attribute_values(":pk", text(pk));
        let query = if begins.is_empty() {
            query.key_condition_expression("pk = :pk")
        } else {
            let query = query.expression_attribute_values(":sk", text(begins));
            query.key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
        };
        let mut pages = query.into_paginator().items().send();
        let mut all = Vec::new();
        while let Some(item) = pages.next().await {
            all.push(decode(item?, &Key { pk: pk.to_owned(), sk: begins.to_owned() })?);
        }
        Ok(all)
    }

    /// Deletes one item, if it is there.
    pub(crate) async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        let request = self.client.delete_item().table_name(&self.table);
        request.key("pk", text(&key.pk)).key("sk", text(&key.sk)).send().await?;
        Ok(())
    }

    /// Writes all or nothing.
    pub(crate) async fn transact(&self, writes: Vec<TransactWriteItem>) -> Result<Written, StoreError> {
        match self.client.transact_write_items().set_transact_items(Some(writes)).send().await {
            Ok(_) => Ok(Written::All),
            Err(error) if reasons(&error).contains(&"ValidationError") => Err(StoreError::refused(&error)),
            Err(error) => failed_conditions(&reasons(&error)).ok_or_else(|| error.into()),
        }
    }

    /// A put of an item with these keys.
    pub(crate) fn put<T: Serialize>(
        &self,
        key: &Key,
        value: &T,
    ) -> Result<aws_sdk_dynamodb::types::builders::PutBuilder, StoreError> {
        Ok(Put::builder().table_name(&self.table).set_item(Some(encode(key, value)?)))
    }

    /// An update of the item with this key.
    pub(crate) fn update(&self, key: &Key) -> aws_sdk_dynamodb::types::builders::UpdateBuilder {
        Update::builder().table_name(&self.table).key("pk", text(&key.pk)).key("sk", text(&key.sk))
    }

    /// A delete within a transaction.
    pub(crate) fn removal(&self, key: &Key) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder().table_name(&self.table).key("pk", text(&key.pk)).key("sk", text(&key.sk));
        Ok(TransactWriteItem::builder().delete(delete.build()?).build())
    }

    /// The same, if a condition holds.
    pub(crate) fn removal_if(&self, key: &Key, condition: &str) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder().table_name(&self.table).key("pk", text(&key.pk)).key("sk", text(&key.sk));
        let delete = delete.condition_expression(condition).build()?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// A condition on an item that the transaction does not write.
    pub(crate) fn check(&self, key: &Key, condition: &str) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder().table_name(&self.table).key("pk", text(&key.pk)).key("sk", text(&key.sk));
        let check = check.condition_expression(condition).build()?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }
}

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// All of it.
    All,
    /// Nothing: the conditions at these places did not hold.
    Failed(Vec<usize>),
}

/// Why each write of a cancelled transaction was not done; of any other error, nothing.
fn reasons(error: &SdkError<TransactWriteItemsError>) -> Vec<&str> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
        return Vec::new();
    };
    cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or("None")).collect()
}

/// The places of the conditions that did not hold, if that and nothing else stopped the transaction.
fn failed_conditions(reasons: &[&str]) -> Option<Written> {
    let places = |wanted: &str| -> Vec<usize> {
        reasons.iter().enumerate().filter(|(_, reason)| **reason == wanted).map(|(place, _)| place).collect()
    };
    let failed = places("ConditionalCheckFailed");
    if !failed.is_empty() {
        return Some(Written::Failed(failed));
    }
    // A conflict names no condition: whoever tries again sees what the other one wrote.
    (!places("TransactionConflict").is_empty()).then(|| Written::Failed(Vec::new()))
}

/// Whether a conditional write was done; an error, where anything but its condition stopped it.
pub(crate) fn if_condition_holds<T, E, R>(written: Result<T, SdkError<E, R>>) -> Result<bool, StoreError>
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug,
{
    match written {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// How often a race is run again before the caller is told.
pub(crate) const TRIES: u32 = 4;

/// Waits a little before a race is run again, longer each time and not as long as others do. The SDK leaves conflicts of
/// transactions to us, and they come of any item that two have in common: an item merely checked is one too.
pub(crate) async fn pause(tried: u32, random: &dyn Random) {
    let step = 10 << tried.min(TRIES);
    let [part] = random::bytes(random);
    tokio::time::sleep(Duration::from_millis(step + step * u64::from(part) / 256)).await;
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A value as an attribute of a member's item.
pub(crate) fn attribute(value: &impl Serialize) -> Result<AttributeValue, StoreError> {
    serde_dynamo::to_attribute_value(value).map_err(|cause| StoreError::corrupt("MEMBER", cause))
}

/// An item of these keys, with the value's fields beside them.
pub(crate) fn encode<T: Serialize>(key: &Key, value: &T) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(value).map_err(|cause| StoreError::corrupt(&key.sk, cause))?;
    item.insert("pk".into(), text(&key.pk));
    item.insert("sk".into(), text(&key.sk));
    Ok(item)
}

pub(crate) fn decode<T: DeserializeOwned>(item: Item, key: &Key) -> Result<T, StoreError> {
    // The kind of item is enough for a log: what follows can be somebody's name.
    let kind = key.pk.split('#').next().unwrap_or_default();
    serde_dynamo::from_item(item).map_err(|cause| StoreError::corrupt(kind, cause))
}

/// The time to live of an item, in seconds since 1970, as DynamoDB wants it.
pub(crate) fn expires(at: Timestamp) -> AttributeValue {
    number(at.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::condition(&["None", "ConditionalCheckFailed"], Some(Written::Failed(vec![1])))]
    #[case::conflict(&["None", "TransactionConflict"], Some(Written::Failed(Vec::new())))]
    #[case::both(&["TransactionConflict", "ConditionalCheckFailed"], Some(Written::Failed(vec![1])))]
    #[case::throttled(&["None", "ThrottlingError"], None)]
    fn what_stopped_a_transaction(#[case] reasons: &[&str], #[case] expected: Option<Written>) {
        assert_eq!(failed_conditions(reasons), expected);
    }
}
