//! The table in DynamoDB.

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    ConditionCheck, Delete, KeysAndAttributes, Put, ReturnValue, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update as SdkUpdate,
};

use super::Table;
use super::condition::Condition;
use super::expressions::Expressions;
use super::item::Item;
use super::read::{Consistency, Cursor, Page, Partition, Query, Scan};
use super::update::Update;
use super::write::{Operation, Slot, Transacted, Updated, Write};
use crate::aws_error::AwsError;
use crate::error::StoreError;
use crate::keys::Key;

/// The name of the index by member.
const BY_MEMBER: &str = "by-member";

#[derive(Clone, Debug)]
pub(crate) struct DynamoDb {
    client: Client,
    table: String,
}

/// Adds the placeholders of the expressions to a request. The builders of the SDK have no common trait.
macro_rules! with_placeholders {
    ($request:expr, $expressions:expr) => {
        $request
            .set_expression_attribute_names($expressions.names())
            .set_expression_attribute_values($expressions.values())
    };
}

impl DynamoDb {
    pub(crate) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    fn transact_item(&self, write: Write) -> Result<TransactWriteItem, StoreError> {
        let mut expressions = Expressions::default();
        let condition = write.condition.as_ref().map(|condition| expressions.condition(condition));
        let key = Some(write.key.to_item());
        let item = TransactWriteItem::builder();
        let item = match write.operation {
            Operation::Put(new) => {
                let put =
                    Put::builder().table_name(&self.table).set_item(Some(new)).set_condition_expression(condition);
                item.put(with_placeholders!(put, expressions).build()?)
            }
            Operation::Update(update) => {
                let update = SdkUpdate::builder()
                    .table_name(&self.table)
                    .set_key(key)
                    .set_update_expression(expressions.update(&update))
                    .set_condition_expression(condition);
                item.update(with_placeholders!(update, expressions).build()?)
            }
            Operation::Delete => {
                let delete = Delete::builder().table_name(&self.table).set_key(key).set_condition_expression(condition);
                item.delete(with_placeholders!(delete, expressions).build()?)
            }
            Operation::Check => {
                let check = ConditionCheck::builder().table_name(&self.table).set_key(key);
                let check = check.set_condition_expression(condition);
                item.condition_check(with_placeholders!(check, expressions).build()?)
            }
        };
        Ok(item.build())
    }
}

#[async_trait]
impl Table for DynamoDb {
    fn name(&self) -> &str {
        &self.table
    }

    async fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Item>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).set_key(Some(key.to_item()));
        Ok(request.consistent_read(consistency == Consistency::Strong).send().await?.item)
    }

    async fn batch_get(&self, keys: &[Key]) -> Result<Vec<Item>, StoreError> {
        let mut open: Vec<_> = keys.iter().map(Key::to_item).collect();
        let mut items = Vec::new();
        // A response can leave keys unprocessed, e.g. above 16 MB.
        while !open.is_empty() {
            let requested = KeysAndAttributes::builder().set_keys(Some(open)).consistent_read(true).build()?;
            let response = self.client.batch_get_item().request_items(&self.table, requested).send().await?;
            items.extend(response.responses.unwrap_or_default().into_values().flatten());
            let unprocessed = response.unprocessed_keys.and_then(|mut left| left.remove(&self.table));
            open = unprocessed.map(|left| left.keys).unwrap_or_default();
        }
        Ok(items)
    }

    async fn query(&self, query: &Query, from: Option<Cursor>) -> Result<Page, StoreError> {
        let mut expressions = Expressions::default();
        let mut request = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression(expressions.key_condition(query))
            .set_filter_expression(query.filter.as_ref().map(|filter| expressions.condition(filter)))
            .set_projection_expression(query.attributes.map(|names| expressions.projection(names)))
            .set_exclusive_start_key(from.map(|Cursor(key)| key))
            .set_limit(query.limit);
        request = match query.partition {
            Partition::Table(_) => request.consistent_read(query.consistency == Consistency::Strong),
            Partition::ByMember(_) => request.index_name(BY_MEMBER),
        };
        if query.is_descending {
            request = request.scan_index_forward(false);
        }
        let response = with_placeholders!(request, expressions).send().await?;
        Ok(Page { items: response.items.unwrap_or_default(), next: response.last_evaluated_key.map(Cursor) })
    }

    async fn scan(&self, scan: &Scan, from: Option<Cursor>) -> Result<Page, StoreError> {
        let mut expressions = Expressions::default();
        let request = self
            .client
            .scan()
            .table_name(&self.table)
            .consistent_read(true)
            .segment(scan.segment)
            .total_segments(scan.total_segments)
            .limit(scan.limit)
            .filter_expression(expressions.condition(&scan.filter))
            .set_exclusive_start_key(from.map(|Cursor(key)| key));
        let response = with_placeholders!(request, expressions).send().await?;
        Ok(Page { items: response.items.unwrap_or_default(), next: response.last_evaluated_key.map(Cursor) })
    }

    async fn write(&self, write: Write) -> Result<bool, StoreError> {
        let mut expressions = Expressions::default();
        let condition = write.condition.as_ref().map(|condition| expressions.condition(condition));
        let key = Some(write.key.to_item());
        match write.operation {
            Operation::Put(item) => {
                let request = self.client.put_item().table_name(&self.table).set_item(Some(item));
                let request = request.set_condition_expression(condition);
                condition_held(with_placeholders!(request, expressions).send().await)
            }
            Operation::Update(update) => {
                let request = self.client.update_item().table_name(&self.table).set_key(key);
                let request = request.set_update_expression(expressions.update(&update));
                let request = request.set_condition_expression(condition);
                condition_held(with_placeholders!(request, expressions).send().await)
            }
            Operation::Delete => {
                let request = self.client.delete_item().table_name(&self.table).set_key(key);
                let request = request.set_condition_expression(condition);
                condition_held(with_placeholders!(request, expressions).send().await)
            }
            Operation::Check => Ok(self.transact(vec![write]).await?.is_committed()),
        }
    }

    async fn update(&self, key: &Key, update: Update, condition: Option<Condition>) -> Result<Updated, StoreError> {
        let mut expressions = Expressions::default();
        let mut request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .set_update_expression(expressions.update(&update))
            .set_condition_expression(condition.as_ref().map(|condition| expressions.condition(condition)))
            .return_values(ReturnValue::AllNew);
        if condition.is_some() {
            request = request.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        }
        match with_placeholders!(request, expressions).send().await {
            Ok(response) => Ok(Updated::Done(response.attributes.unwrap_or_default())),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    Ok(Updated::ConditionFailed(failed.item.clone().filter(|item| !item.is_empty())))
                }
                _ => Err(error.into()),
            },
        }
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Transacted, StoreError> {
        let slots: Vec<_> = writes.iter().map(|write| write.slot).collect();
        let writes = writes.into_iter().map(|write| self.transact_item(write)).collect::<Result<Vec<_>, _>>()?;
        match self.client.transact_write_items().set_transact_items(Some(writes)).send().await {
            Ok(_) => Ok(Transacted::Committed),
            Err(error) if reasons(&error).contains(&"ValidationError") => {
                Err(StoreError::Refused(AwsError::from(&error).to_string()))
            }
            Err(error) => cancelled(&reasons(&error), &slots).ok_or_else(|| error.into()),
        }
    }
}

/// Whether a conditional write was done; an error, where anything but its condition stopped it.
fn condition_held<T, E>(written: Result<T, SdkError<E>>) -> Result<bool, StoreError>
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    match written {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The cancellation reason of each write of a cancelled transaction; empty for any other error.
fn reasons(error: &SdkError<TransactWriteItemsError>) -> Vec<&str> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
        return Vec::new();
    };
    cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or("None")).collect()
}

/// The outcome, if a failed condition or a conflict and nothing else cancelled the transaction.
fn cancelled(reasons: &[&str], slots: &[Slot]) -> Option<Transacted> {
    let failed = reasons.iter().zip(slots).filter(|(reason, _)| **reason == "ConditionalCheckFailed");
    let failed: Vec<_> = failed.map(|(_, slot)| *slot).collect();
    if !failed.is_empty() {
        return Some(Transacted::ConditionFailed(failed));
    }
    reasons.contains(&"TransactionConflict").then_some(Transacted::Conflict)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::condition(&["None", "ConditionalCheckFailed"], Some(Transacted::ConditionFailed(vec![Slot::Profile])))]
    #[case::conflict(&["None", "TransactionConflict"], Some(Transacted::Conflict))]
    #[case::both(
        &["TransactionConflict", "ConditionalCheckFailed"],
        Some(Transacted::ConditionFailed(vec![Slot::Profile]))
    )]
    #[case::throttled(&["None", "ThrottlingError"], None)]
    fn cancellation_reasons_name_slots(#[case] reasons: &[&str], #[case] expected: Option<Transacted>) {
        assert_eq!(cancelled(reasons, &[Slot::Alias, Slot::Profile]), expected);
    }
}
