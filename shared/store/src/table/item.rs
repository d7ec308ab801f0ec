//! Items and their attribute values.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::StoreError;
use crate::keys::Key;

/// An item as the SDK has it.
pub(crate) type Item = HashMap<String, AttributeValue>;

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
    item.extend(key.to_item());
    Ok(item)
}

pub(crate) fn decode<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    // Logs get the kind of item only: the rest of the key can be a personal name.
    let pk = item.get("pk").and_then(|pk| pk.as_s().ok());
    let kind = pk.and_then(|pk| pk.split('#').next()).unwrap_or("without keys").to_owned();
    serde_dynamo::from_item(item).map_err(|error| StoreError::corrupt(kind, reason(&error)))
}

/// The texts that name a missing field or an expected type. Most others quote the value.
fn reason(error: &serde_dynamo::Error) -> String {
    let text = error.to_string();
    let is_safe = text.starts_with("missing field `") || text.starts_with("Expected ");
    if is_safe { text } else { "a field has an unexpected value".to_owned() }
}

impl Key {
    /// An item that has only this key.
    pub(crate) fn to_item(&self) -> Item {
        Item::from([("pk".to_owned(), text(&self.pk)), ("sk".to_owned(), text(&self.sk))])
    }

    /// The key of an item.
    pub(crate) fn of_item(item: &Item) -> Result<Self, StoreError> {
        match ["pk", "sk"].map(|name| item.get(name)) {
            [Some(AttributeValue::S(pk)), Some(AttributeValue::S(sk))] => Ok(Self { pk: pk.clone(), sk: sk.clone() }),
            _ => Err(StoreError::corrupt("without keys", "it needs a partition key and a sort key")),
        }
    }
}

/// The value of an item that has only its key.
#[derive(Serialize)]
pub(crate) struct NoAttributes {}
