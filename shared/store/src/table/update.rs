//! Changes of an item's attributes, as data.

use aws_sdk_dynamodb::types::AttributeValue;

use super::condition::Value;
use super::item::number;

/// Changes of top-level attributes. Where there is no item of the key, an update makes one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Update(pub(super) Vec<(&'static str, Action)>);

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Action {
    Set(AttributeValue),
    SetIfNotExists(AttributeValue),
    /// `SET name = name + value`: fails where the attribute is missing.
    Increment(AttributeValue),
    /// `ADD`: a missing number counts as 0, and a missing set as empty.
    Add(AttributeValue),
    Remove,
}

impl Update {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn set(self, name: &'static str, value: impl Into<Value>) -> Self {
        self.with(name, Action::Set(value.into().0))
    }

    pub(crate) fn set_if_not_exists(self, name: &'static str, value: impl Into<Value>) -> Self {
        self.with(name, Action::SetIfNotExists(value.into().0))
    }

    /// Adds one to a number that the item has.
    pub(crate) fn increment(self, name: &'static str) -> Self {
        self.with(name, Action::Increment(number(1)))
    }

    /// Adds one to a number, or sets it to one.
    pub(crate) fn count(self, name: &'static str) -> Self {
        self.with(name, Action::Add(number(1)))
    }

    /// Adds to a set of strings.
    pub(crate) fn insert(self, name: &'static str, value: impl Into<String>) -> Self {
        self.with(name, Action::Add(AttributeValue::Ss(vec![value.into()])))
    }

    pub(crate) fn remove(self, name: &'static str) -> Self {
        self.with(name, Action::Remove)
    }

    fn with(mut self, name: &'static str, action: Action) -> Self {
        self.0.push((name, action));
        self
    }
}
