//! Queries and scans, as data.

use super::condition::Condition;
use super::item::Item;
use crate::error::StoreError;
use crate::keys::Key;

/// Whether a read sees every write that completed before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consistency {
    /// It does.
    Strong,
    /// It may miss the last moment; costs half, and works while the partition has no leader.
    Eventual,
}

/// Which items of a partition a query reads, by sort key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SortKeys {
    All,
    BeginsWith(String),
    Before(String),
    /// Both ends included.
    Between(String, String),
}

/// The partition that a query reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Partition {
    Table(String),
    /// Of the index by member, whose sort key is the address.
    ByMember(String),
}

/// A query of one partition, in the order of its sort key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Query {
    pub(super) partition: Partition,
    pub(super) sort_keys: SortKeys,
    pub(super) consistency: Consistency,
    pub(super) filter: Option<Condition>,
    pub(super) attributes: Option<&'static [&'static str]>,
    pub(super) is_descending: bool,
    pub(super) limit: Option<i32>,
}

impl Query {
    pub(crate) fn partition(pk: impl Into<String>, consistency: Consistency) -> Self {
        Self::new(Partition::Table(pk.into()), consistency)
    }

    /// The index by member, which is only eventually consistent.
    pub(crate) fn by_member(member: impl ToString) -> Self {
        Self::new(Partition::ByMember(member.to_string()), Consistency::Eventual)
    }

    fn new(partition: Partition, consistency: Consistency) -> Self {
        Self {
            partition,
            sort_keys: SortKeys::All,
            consistency,
            filter: None,
            attributes: None,
            is_descending: false,
            limit: None,
        }
    }

    pub(crate) fn begins_with(self, prefix: impl Into<String>) -> Self {
        Self { sort_keys: SortKeys::BeginsWith(prefix.into()), ..self }
    }

    pub(crate) fn before(self, end: impl Into<String>) -> Self {
        Self { sort_keys: SortKeys::Before(end.into()), ..self }
    }

    /// Both ends included.
    pub(crate) fn between(self, first: impl Into<String>, last: impl Into<String>) -> Self {
        Self { sort_keys: SortKeys::Between(first.into(), last.into()), ..self }
    }

    /// Leaves items out after they were read: they count towards the limit.
    pub(crate) fn filter(self, condition: Condition) -> Self {
        Self { filter: Some(condition), ..self }
    }

    /// Returns these attributes only.
    pub(crate) fn attributes(self, names: &'static [&'static str]) -> Self {
        Self { attributes: Some(names), ..self }
    }

    pub(crate) fn descending(self) -> Self {
        Self { is_descending: true, ..self }
    }

    /// Maximum items read per page.
    pub(crate) fn limit(self, limit: i32) -> Self {
        Self { limit: Some(limit), ..self }
    }
}

/// A strongly consistent scan of one segment of the table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scan {
    pub(crate) segment: i32,
    pub(crate) total_segments: i32,
    /// Maximum items read per page.
    pub(crate) limit: i32,
    /// Leaves items out after they were read: they count towards the limit.
    pub(crate) filter: Condition,
}

/// Where the next page of a query or scan begins.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cursor(pub(super) Item);

impl Cursor {
    /// After the item of this key.
    pub(crate) fn after(key: &Key) -> Self {
        Self(key.to_item())
    }

    pub(crate) fn key(&self) -> Result<Key, StoreError> {
        Key::of_item(&self.0)
    }
}

/// A page of a query or scan. A page can be empty and still have another after it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Page {
    pub(crate) items: Vec<Item>,
    pub(crate) next: Option<Cursor>,
}
