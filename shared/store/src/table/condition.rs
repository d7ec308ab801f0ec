//! Conditions on an item, as data: DynamoDB renders them as an expression and the in-memory table evaluates them.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use membermail_core::clock::later;
use membermail_core::expiry::CLOCK_SKEW;
use strum::AsRefStr;

use super::item::{number, text};

/// An attribute; dots lead into nested documents: `observation.observed_at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Path(pub(super) &'static str);

/// The attribute of that name.
pub(crate) fn path(name: &'static str) -> Path {
    Path(name)
}

/// The condition that the item exists.
pub(crate) fn item_exists() -> Condition {
    path("pk").exists()
}

/// The condition that there is no item of that key.
pub(crate) fn item_not_exists() -> Condition {
    path("pk").not_exists()
}

/// A value to write or to compare with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Value(pub(super) AttributeValue);

impl From<AttributeValue> for Value {
    fn from(value: AttributeValue) -> Self {
        Self(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self(text(value))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self(text(value))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self(AttributeValue::Bool(value))
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {
        $(impl From<$number> for Value {
            fn from(value: $number) -> Self {
                Self(number(value))
            }
        })*
    };
}

numbers!(i32, i64, u16, u64);

/// What an attribute is compared with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    Value(AttributeValue),
    Path(Path),
}

/// How an attribute compares with an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsRefStr)]
pub(super) enum Comparison {
    #[strum(serialize = "=")]
    Equal,
    #[strum(serialize = "<>")]
    NotEqual,
    #[strum(serialize = "<")]
    Less,
    #[strum(serialize = "<=")]
    LessOrEqual,
    #[strum(serialize = ">")]
    Greater,
}

/// A condition on an item that may not exist.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition(pub(super) Node);

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Exists(Path),
    NotExists(Path),
    Compare(Path, Comparison, Operand),
    In(Path, Vec<AttributeValue>),
    BeginsWith(Path, String),
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

impl Path {
    pub(crate) fn exists(self) -> Condition {
        Condition(Node::Exists(self))
    }

    pub(crate) fn not_exists(self) -> Condition {
        Condition(Node::NotExists(self))
    }

    pub(crate) fn eq(self, value: impl Into<Value>) -> Condition {
        self.compare(Comparison::Equal, value)
    }

    /// With `None`: the item has no such attribute.
    pub(crate) fn eq_option(self, value: Option<impl Into<Value>>) -> Condition {
        value.map_or_else(|| self.not_exists(), |value| self.eq(value))
    }

    /// True also where the item has no such attribute.
    pub(crate) fn ne(self, value: impl Into<Value>) -> Condition {
        self.compare(Comparison::NotEqual, value)
    }

    pub(crate) fn lt(self, value: impl Into<Value>) -> Condition {
        self.compare(Comparison::Less, value)
    }

    pub(crate) fn le(self, value: impl Into<Value>) -> Condition {
        self.compare(Comparison::LessOrEqual, value)
    }

    pub(crate) fn gt(self, value: impl Into<Value>) -> Condition {
        self.compare(Comparison::Greater, value)
    }

    pub(crate) fn lt_path(self, other: Path) -> Condition {
        Condition(Node::Compare(self, Comparison::Less, Operand::Path(other)))
    }

    pub(crate) fn is_in<V: Into<Value>>(self, values: impl IntoIterator<Item = V>) -> Condition {
        Condition(Node::In(self, values.into_iter().map(|value| value.into().0).collect()))
    }

    pub(crate) fn begins_with(self, prefix: impl Into<String>) -> Condition {
        Condition(Node::BeginsWith(self, prefix.into()))
    }

    /// A time in microseconds that a wrong clock wrote. It must not block writes with correct times.
    pub(crate) fn is_from_future(self, now: Timestamp) -> Condition {
        self.gt(later(now, CLOCK_SKEW).as_microsecond())
    }

    fn compare(self, comparison: Comparison, value: impl Into<Value>) -> Condition {
        Condition(Node::Compare(self, comparison, Operand::Value(value.into().0)))
    }
}

impl Condition {
    pub(crate) fn and(self, other: Self) -> Self {
        let mut all = match self.0 {
            Node::All(all) => all,
            node => vec![Self(node)],
        };
        all.push(other);
        Self(Node::All(all))
    }

    pub(crate) fn or(self, other: Self) -> Self {
        let mut any = match self.0 {
            Node::Any(any) => any,
            node => vec![Self(node)],
        };
        any.push(other);
        Self(Node::Any(any))
    }
}
