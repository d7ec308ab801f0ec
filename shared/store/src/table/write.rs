//! Conditional writes, alone or in a transaction.

use jiff::Timestamp;
use serde::Serialize;

use super::condition::{Condition, Value, item_not_exists};
use super::item::{Item, encode};
use super::update::Update;
use crate::error::StoreError;
use crate::keys::Key;

/// Names a write of a transaction, so that a failed condition tells which write it belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Slot {
    /// A write whose failure needs no special handling.
    #[default]
    Other,
    AddressCount,
    AdminBinding,
    Alias,
    Gate,
    ListedDomain,
    Name,
    NewsBatch,
    OutboxEntry,
    Profile,
    ReservedName,
    Run,
}

/// A write of one item, or a condition on an item that is not written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Write {
    pub(super) slot: Slot,
    pub(super) key: Key,
    pub(super) operation: Operation,
    pub(super) condition: Option<Condition>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operation {
    Put(Item),
    Update(Update),
    Delete,
    Check,
}

impl Write {
    /// Replaces the item.
    pub(crate) fn put<T: Serialize>(key: &Key, value: &T) -> Result<Self, StoreError> {
        Ok(Self::new(key.clone(), Operation::Put(encode(key, value)?)))
    }

    /// Creates the item, if there is none of its key.
    pub(crate) fn create<T: Serialize>(key: &Key, value: &T) -> Result<Self, StoreError> {
        Ok(Self::put(key, value)?.when(item_not_exists()))
    }

    /// Replaces the item with a raw one, which has its keys.
    pub(crate) fn put_raw(item: Item) -> Result<Self, StoreError> {
        Ok(Self::new(Key::of_item(&item)?, Operation::Put(item)))
    }

    pub(crate) fn update(key: &Key, update: Update) -> Self {
        Self::new(key.clone(), Operation::Update(update))
    }

    pub(crate) fn delete(key: &Key) -> Self {
        Self::new(key.clone(), Operation::Delete)
    }

    /// Writes nothing; the transaction needs the condition.
    pub(crate) fn check(key: &Key, condition: Condition) -> Self {
        Self::new(key.clone(), Operation::Check).when(condition)
    }

    fn new(key: Key, operation: Operation) -> Self {
        Self { slot: Slot::Other, key, operation, condition: None }
    }

    /// Adds an attribute to the item of a put.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        if let Operation::Put(item) = &mut self.operation {
            item.insert(name.to_owned(), value.into().0);
        }
        self
    }

    /// Sets the time to live of the item of a put, in seconds since 1970 as DynamoDB wants it.
    pub(crate) fn expires(self, at: Timestamp) -> Self {
        self.with("expires", at.as_second())
    }

    pub(crate) fn key(&self) -> &Key {
        &self.key
    }

    /// Replaces the condition.
    pub(crate) fn when(self, condition: Condition) -> Self {
        Self { condition: Some(condition), ..self }
    }

    pub(crate) fn slot(self, slot: Slot) -> Self {
        Self { slot, ..self }
    }
}

/// The outcome of a transaction that reached the table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Transacted {
    Committed,
    /// Another transaction wrote one of the items at this moment; retry. No condition is known to have failed.
    Conflict,
    /// The conditions of these writes failed. Nothing was written.
    ConditionFailed(Vec<Slot>),
}

impl Transacted {
    pub(crate) fn is_committed(&self) -> bool {
        *self == Self::Committed
    }

    /// A retryable error, unless the transaction was committed.
    pub(crate) fn committed(&self) -> Result<(), StoreError> {
        if self.is_committed() { Ok(()) } else { Err(StoreError::Conflict) }
    }

    /// Whether the transaction was committed; false if the condition of a write in this slot failed. A retryable error, if
    /// anything else cancelled it.
    pub(crate) fn committed_unless_failed(&self, slot: Slot) -> Result<bool, StoreError> {
        if self.has_failed(slot) { Ok(false) } else { self.committed().map(|()| true) }
    }

    /// Whether the condition of a write in this slot failed.
    pub(crate) fn has_failed(&self, slot: Slot) -> bool {
        matches!(self, Self::ConditionFailed(slots) if slots.contains(&slot))
    }
}

/// The outcome of an update that returns the item.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Updated {
    /// The item after the update.
    Done(Item),
    /// The item as it is, if there is one.
    ConditionFailed(Option<Item>),
}
