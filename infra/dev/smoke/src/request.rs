//! Sends the requests of a shape. No write takes effect: each has a condition that does not hold, which DynamoDB evaluates
//! after IAM has allowed the request.

use std::collections::HashMap;

use anyhow::{Result, bail};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, KeysAndAttributes, Put, TransactWriteItem, Update,
};
use membermail_store::AwsError;

use crate::shapes::{Part, Request};

/// The partition and sort keys of all requests. No item of Membermail has this sort key.
const RESERVED: &str = "smoke-test";
const NEVER: &str = "attribute_exists(pk)";
const UPDATE: &str = "SET smoke = :smoke";

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// IAM allowed it.
    Allowed,
    /// IAM denied it.
    Denied,
    /// It failed for another reason, so that nothing is known.
    Failed(String),
}

/// The table under test, with the credentials of a role.
pub struct Table {
    /// The client.
    pub client: Client,
    /// The name of the table.
    pub name: String,
}

impl Table {
    /// Sends a request and reports whether it was allowed.
    pub async fn send(&self, request: Request) -> Verdict {
        match self.try_send(request).await {
            Ok(verdict) => verdict,
            Err(error) => Verdict::Failed(error.to_string()),
        }
    }

    async fn try_send(&self, request: Request) -> Result<Verdict> {
        let (client, name) = (&self.client, self.name.as_str());
        Ok(match request {
            Request::Get(prefix) => {
                verdict(client.get_item().table_name(name).set_key(Some(key(prefix, RESERVED))).send().await)
            }
            Request::BatchGet(prefixes) => {
                let keys = prefixes.iter().map(|prefix| key(prefix, RESERVED)).collect();
                let keys = KeysAndAttributes::builder().set_keys(Some(keys)).build()?;
                verdict(client.batch_get_item().request_items(name, keys).send().await)
            }
            Request::Query(prefix) => {
                let [pk, sk] = [partition(prefix), RESERVED.to_owned()].map(AttributeValue::S);
                let query = client.query().table_name(name).key_condition_expression("pk = :pk AND sk = :sk");
                verdict(
                    query.expression_attribute_values(":pk", pk).expression_attribute_values(":sk", sk).send().await,
                )
            }
            Request::QueryIndex => {
                let query = client.query().table_name(name).index_name("by-member");
                let query = query.key_condition_expression("member = :member");
                let member = AttributeValue::S(RESERVED.to_owned());
                verdict(query.expression_attribute_values(":member", member).send().await)
            }
            Request::Write(Part::Put, prefix) => {
                let put = client.put_item().table_name(name).set_item(Some(key(prefix, RESERVED)));
                write_verdict(put.condition_expression(NEVER).send().await)?
            }
            Request::Write(Part::Update, prefix) => {
                let update = client.update_item().table_name(name).set_key(Some(key(prefix, RESERVED)));
                let update = update.update_expression(UPDATE).expression_attribute_values(":smoke", smoke());
                write_verdict(update.condition_expression(NEVER).send().await)?
            }
            Request::Write(Part::Delete, prefix) => {
                let delete = client.delete_item().table_name(name).set_key(Some(key(prefix, RESERVED)));
                write_verdict(delete.condition_expression(NEVER).send().await)?
            }
            // There is no single condition check.
            Request::Write(Part::Check, prefix) => self.transaction(&[(Part::Check, prefix)]).await?,
            Request::Transaction(parts) => self.transaction(parts).await?,
        })
    }

    async fn transaction(&self, parts: &[(Part, &str)]) -> Result<Verdict> {
        let items = parts.iter().enumerate().map(|(index, (part, prefix))| {
            // A transaction may contain each item once.
            transact_item(&self.name, *part, key(prefix, &format!("{RESERVED}-{index}")))
        });
        let items: Vec<_> = items.collect::<Result<_>>()?;
        write_verdict(self.client.transact_write_items().set_transact_items(Some(items)).send().await)
    }
}

fn transact_item(table: &str, part: Part, key: HashMap<String, AttributeValue>) -> Result<TransactWriteItem> {
    let item = TransactWriteItem::builder();
    let key = Some(key);
    Ok(match part {
        Part::Check => {
            let check = ConditionCheck::builder().table_name(table).set_key(key).condition_expression(NEVER);
            item.condition_check(check.build()?)
        }
        Part::Put => item.put(Put::builder().table_name(table).set_item(key).condition_expression(NEVER).build()?),
        Part::Update => {
            let update = Update::builder().table_name(table).set_key(key).update_expression(UPDATE);
            let update = update.expression_attribute_values(":smoke", smoke());
            item.update(update.condition_expression(NEVER).build()?)
        }
        Part::Delete => {
            item.delete(Delete::builder().table_name(table).set_key(key).condition_expression(NEVER).build()?)
        }
    }
    .build())
}

/// The reserved partition of a kind: `MEMBER#` has others, `BANNED` is one.
fn partition(prefix: &str) -> String {
    if prefix.ends_with('#') { format!("{prefix}{RESERVED}") } else { prefix.to_owned() }
}

fn key(prefix: &str, sort: &str) -> HashMap<String, AttributeValue> {
    let [pk, sk] = [partition(prefix), sort.to_owned()].map(AttributeValue::S);
    [("pk".to_owned(), pk), ("sk".to_owned(), sk)].into()
}

fn smoke() -> AttributeValue {
    AttributeValue::Bool(true)
}

fn verdict<T, E>(response: Result<T, SdkError<E, HttpResponse>>) -> Verdict
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    match response {
        Ok(_) => Verdict::Allowed,
        Err(error) if error.code() == Some("AccessDeniedException") => Verdict::Denied,
        Err(error) => Verdict::Failed(AwsError::from(&error).to_string()),
    }
}

/// A write was allowed if only its condition stopped it.
fn write_verdict<T, E>(response: Result<T, SdkError<E, HttpResponse>>) -> Result<Verdict>
where
    E: std::error::Error + ProvideErrorMetadata + IsStopped + 'static,
{
    match response {
        Ok(_) => bail!("the write took effect although its condition does not hold"),
        Err(error) if error.as_service_error().is_some_and(IsStopped::is_stopped) => Ok(Verdict::Allowed),
        refused => Ok(verdict(refused)),
    }
}

/// Whether only a condition stopped a write.
trait IsStopped {
    fn is_stopped(&self) -> bool;
}

impl IsStopped for TransactWriteItemsError {
    fn is_stopped(&self) -> bool {
        let Self::TransactionCanceledException(cancelled) = self else { return false };
        let mut codes = cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code());
        let is_expected = |code| code == "ConditionalCheckFailed" || code == "None";
        codes.clone().any(|code| code == "ConditionalCheckFailed") && codes.all(is_expected)
    }
}

macro_rules! stopped_by_condition {
    ($($operation:ident::$error:ident),*) => {$(
        impl IsStopped for aws_sdk_dynamodb::operation::$operation::$error {
            fn is_stopped(&self) -> bool {
                matches!(self, Self::ConditionalCheckFailedException(_))
            }
        }
    )*};
}

stopped_by_condition!(put_item::PutItemError, update_item::UpdateItemError, delete_item::DeleteItemError);
