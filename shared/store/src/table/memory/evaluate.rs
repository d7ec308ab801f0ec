//! Evaluates conditions and updates as DynamoDB does; the differential test of `table` compares both.
//!
//! The rules are those of the DynamoDB Developer Guide:
//! - comparisons, `IN`, `begins_with` and `attribute_exists`: "Condition and filter expressions, operators, and functions"
//!   (`Expressions.OperatorsAndFunctions`);
//! - `SET`, `if_not_exists`, `ADD` and `REMOVE`: "Using update expressions in DynamoDB" (`Expressions.UpdateExpressions`).
//!
//! The guide does not say that a comparison with a missing attribute is false and `<>` true: that is DynamoDB's behaviour.

use std::cmp::Ordering;

use aws_sdk_dynamodb::types::AttributeValue;

use super::refused;
use crate::error::StoreError;
use crate::keys::Key;
use crate::table::condition::{Comparison, Condition, Node, Operand, Path};
use crate::table::item::{Item, number};
use crate::table::update::{Action, Update};

/// Whether a condition holds for an item; without an item, as for one without attributes.
pub(super) fn holds(condition: &Condition, item: Option<&Item>) -> bool {
    match &condition.0 {
        Node::Exists(path) => lookup(item, *path).is_some(),
        Node::NotExists(path) => lookup(item, *path).is_none(),
        Node::Compare(path, comparison, operand) => {
            let operand = match operand {
                Operand::Value(value) => Some(value),
                Operand::Path(path) => lookup(item, *path),
            };
            compares(lookup(item, *path), *comparison, operand)
        }
        Node::In(path, values) => {
            lookup(item, *path).is_some_and(|found| values.iter().any(|value| is_equal(found, value)))
        }
        Node::BeginsWith(path, prefix) => {
            lookup(item, *path).and_then(|found| found.as_s().ok()).is_some_and(|found| found.starts_with(prefix))
        }
        Node::All(all) => all.iter().all(|condition| holds(condition, item)),
        Node::Any(any) => any.iter().any(|condition| holds(condition, item)),
    }
}

fn lookup(item: Option<&Item>, Path(path): Path) -> Option<&AttributeValue> {
    let mut names = path.split('.');
    let mut found = item?.get(names.next()?)?;
    for name in names {
        found = found.as_m().ok()?.get(name)?;
    }
    Some(found)
}

/// A comparison with a missing attribute or a value of another type is false, except that both are unequal.
fn compares(found: Option<&AttributeValue>, comparison: Comparison, operand: Option<&AttributeValue>) -> bool {
    let (Some(found), Some(operand)) = (found, operand) else { return comparison == Comparison::NotEqual };
    match comparison {
        Comparison::Equal => is_equal(found, operand),
        Comparison::NotEqual => !is_equal(found, operand),
        Comparison::Less => order(found, operand) == Some(Ordering::Less),
        Comparison::LessOrEqual => order(found, operand).is_some_and(Ordering::is_le),
        Comparison::Greater => order(found, operand) == Some(Ordering::Greater),
    }
}

/// The order of two strings, numbers or binaries; none of other or of different types.
fn order(one: &AttributeValue, other: &AttributeValue) -> Option<Ordering> {
    match (one, other) {
        (AttributeValue::S(one), AttributeValue::S(other)) => Some(one.cmp(other)),
        (AttributeValue::N(one), AttributeValue::N(other)) => order_of_numbers(one, other),
        (AttributeValue::B(one), AttributeValue::B(other)) => Some(one.as_ref().cmp(other.as_ref())),
        _ => None,
    }
}

fn order_of_numbers(one: &str, other: &str) -> Option<Ordering> {
    match (one.parse::<i128>(), other.parse::<i128>()) {
        (Ok(one), Ok(other)) => Some(one.cmp(&other)),
        _ => one.parse::<f64>().ok()?.partial_cmp(&other.parse::<f64>().ok()?),
    }
}

/// Equality of the whole value. Numbers compare by value, and sets without order.
fn is_equal(one: &AttributeValue, other: &AttributeValue) -> bool {
    match (one, other) {
        (AttributeValue::N(one), AttributeValue::N(other)) => order_of_numbers(one, other) == Some(Ordering::Equal),
        (AttributeValue::L(one), AttributeValue::L(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_equal(one, other))
        }
        (AttributeValue::M(one), AttributeValue::M(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, one)| other.get(name).is_some_and(|other| is_equal(one, other)))
        }
        (AttributeValue::Ss(one), AttributeValue::Ss(other)) => {
            one.len() == other.len() && one.iter().all(|word| other.contains(word))
        }
        (one, other) => one == other,
    }
}

/// The item after an update. Values come from the item before it.
pub(super) fn updated(key: &Key, before: Option<&Item>, update: &Update) -> Result<Item, StoreError> {
    let mut item = before.cloned().unwrap_or_else(|| key.to_item());
    for (name, action) in &update.0 {
        if matches!(*name, "pk" | "sk") {
            return Err(refused("an update of a key attribute"));
        }
        let former = before.and_then(|item| item.get(*name));
        let next = match action {
            Action::Set(value) => Some(value.clone()),
            Action::SetIfNotExists(value) => Some(former.unwrap_or(value).clone()),
            Action::Increment(value) => {
                let former = former.ok_or_else(|| refused("an expression with an attribute that does not exist"))?;
                Some(sum(former, value)?)
            }
            Action::Add(value) => Some(match former {
                Some(former) => sum(former, value)?,
                None => value.clone(),
            }),
            Action::Remove => None,
        };
        match next {
            Some(next) => item.insert((*name).to_owned(), next),
            None => item.remove(*name),
        };
    }
    Ok(item)
}

fn sum(former: &AttributeValue, value: &AttributeValue) -> Result<AttributeValue, StoreError> {
    match (former, value) {
        (AttributeValue::N(former), AttributeValue::N(value)) => {
            let sum =
                former.parse::<i128>().ok().zip(value.parse().ok()).and_then(|(one, other)| one.checked_add(other));
            sum.map(number).ok_or_else(|| refused("an operand that is not an integer"))
        }
        (AttributeValue::Ss(former), AttributeValue::Ss(value)) => {
            let mut union = former.clone();
            union.extend(value.iter().filter(|word| !former.contains(word)).cloned());
            union.sort();
            Ok(AttributeValue::Ss(union))
        }
        _ => Err(refused("an operand of a wrong type")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::condition::path;
    use crate::table::item::text;

    fn item() -> Item {
        let document = Item::from([("x".to_owned(), number(1))]);
        Item::from([
            ("n".to_owned(), number(10)),
            ("s".to_owned(), text("b")),
            ("m".to_owned(), AttributeValue::M(document)),
            ("ss".to_owned(), AttributeValue::Ss(vec!["a".to_owned(), "b".to_owned()])),
        ])
    }

    #[rstest::rstest]
    #[case::numbers_compare_by_value(path("n").gt(9), true)]
    #[case::equal_numbers_of_another_form(path("n").eq(AttributeValue::N("10.0".into())), true)]
    #[case::strings_compare_by_bytes(path("s").lt("c"), true)]
    #[case::other_type_is_not_less(path("n").lt("99"), false)]
    #[case::other_type_is_unequal(path("n").ne("10"), true)]
    #[case::missing_is_not_equal(path("missing").eq(1), false)]
    #[case::missing_is_not_less(path("missing").lt(1), false)]
    #[case::missing_is_unequal(path("missing").ne(1), true)]
    #[case::missing_is_in_no_list(path("missing").is_in(["b"]), false)]
    #[case::value_is_in_list(path("s").is_in(["a", "b"]), true)]
    #[case::document_has_attribute(path("m.x").eq(1), true)]
    #[case::no_document_has_no_attribute(path("s.x").not_exists(), true)]
    #[case::sets_have_no_order(path("ss").eq(AttributeValue::Ss(vec!["b".into(), "a".into()])), true)]
    #[case::prefix_of_string(path("s").begins_with("b"), true)]
    #[case::number_has_no_prefix(path("n").begins_with("1"), false)]
    #[case::path_with_missing_path(path("n").lt_path(path("missing")), false)]
    fn condition_follows_dynamodb(#[case] condition: Condition, #[case] expected: bool) {
        assert_eq!(holds(&condition, Some(&item())), expected);
    }

    fn update(update: &Update) -> Result<Item, StoreError> {
        updated(&Key { pk: "p".into(), sk: "s".into() }, Some(&item()), update)
    }

    #[test]
    fn add_starts_missing_number_at_zero() {
        assert_eq!(update(&Update::new().count("missing")).unwrap()["missing"], number(1));
        assert_eq!(update(&Update::new().count("n")).unwrap()["n"], number(11));
    }

    #[test]
    fn add_joins_sets() {
        let joined = update(&Update::new().insert("ss", "c").insert("missing", "a")).unwrap();
        assert_eq!(joined["ss"], AttributeValue::Ss(vec!["a".into(), "b".into(), "c".into()]));
        assert_eq!(joined["missing"], AttributeValue::Ss(vec!["a".into()]));
    }

    #[test]
    fn increment_needs_number() {
        assert_eq!(update(&Update::new().increment("n")).unwrap()["n"], number(11));
        assert!(update(&Update::new().increment("missing")).is_err());
        assert!(update(&Update::new().increment("s")).is_err());
        assert!(update(&Update::new().count("s")).is_err());
    }

    #[test]
    fn if_not_exists_keeps_value() {
        let kept = update(&Update::new().set_if_not_exists("s", "new").set_if_not_exists("missing", "new")).unwrap();
        assert_eq!((&kept["s"], &kept["missing"]), (&text("b"), &text("new")));
    }

    #[test]
    fn update_creates_item_with_its_keys() {
        let key = Key { pk: "p".into(), sk: "s".into() };
        let created = updated(&key, None, &Update::new().remove("n")).unwrap();
        assert_eq!(created, key.to_item());
    }
}
