//! The expressions of DynamoDB that `notify` uses, for the fake.

use serde_json::Value;

/// Whether the condition of a write holds for the item.
pub(super) fn holds(write: &Value, item: Option<&Value>) -> bool {
    let Some(condition) = write["ConditionExpression"].as_str() else { return true };
    condition.split(" OR ").any(|all| all.split(" AND ").all(|one| is_true(one, write, item)))
}

/// Whether a query finds the item.
pub(super) fn selects(query: &Value, item: &Value) -> bool {
    let conditions = ["KeyConditionExpression", "FilterExpression"].map(|field| query[field].as_str());
    conditions.into_iter().flatten().all(|condition| match condition.split_once(" BETWEEN ") {
        Some((before, bounds)) => {
            let (pk, field) = before.split_once(" AND ").unwrap();
            let (first, last) = bounds.split_once(" AND ").unwrap();
            let is_between = is_true(&format!("{first} <= {field}"), query, Some(item))
                && is_true(&format!("{field} <= {last}"), query, Some(item));
            is_true(pk, query, Some(item)) && is_between
        }
        None => condition.split(" OR ").any(|all| all.split(" AND ").all(|one| is_true(one, query, Some(item)))),
    })
}

/// Carries out an update that sets values.
pub(super) fn assign(update: &Value, item: &mut Value) {
    let sets = update["UpdateExpression"].as_str().unwrap().strip_prefix("SET ").unwrap();
    for (name, value) in sets.split(", ").map(|set| set.split_once(" = ").unwrap()) {
        item[field(name, update)] = update["ExpressionAttributeValues"][value].clone();
    }
}

fn is_true(condition: &str, request: &Value, item: Option<&Value>) -> bool {
    // Of the group in "a OR (b AND c)".
    let condition = condition.strip_prefix('(').unwrap_or(condition);
    let value = |name: &str| match name.starts_with(':') {
        true => Some(request["ExpressionAttributeValues"][name].clone()),
        false => item.map(|item| item[field(name, request)].clone()).filter(|value| !value.is_null()),
    };
    if let Some(name) = condition.strip_prefix("attribute_exists(") {
        return value(name.trim_end_matches(')')).is_some();
    }
    if let Some(name) = condition.strip_prefix("attribute_not_exists(") {
        return value(name.trim_end_matches(')')).is_none();
    }
    let condition = condition.trim_end_matches(')');
    let compare = |sign: &str| {
        let (one, other) = condition.split_once(sign)?;
        Some((value(one)?, value(other)?))
    };
    let number = |value: &Value| value["N"].as_str().and_then(|number| number.parse::<i64>().ok());
    let is_less = |one: &Value, other: &Value| match (number(one), number(other)) {
        (Some(one), Some(other)) => one < other,
        _ => one["S"].as_str().unwrap() < other["S"].as_str().unwrap(),
    };
    if condition.contains(" <= ") {
        return compare(" <= ").is_some_and(|(one, other)| one == other || is_less(&one, &other));
    }
    if condition.contains(" < ") {
        return compare(" < ").is_some_and(|(one, other)| is_less(&one, &other));
    }
    assert!(condition.contains(" = "), "{condition}");
    compare(" = ").is_some_and(|(one, other)| one == other)
}

fn field(name: &str, request: &Value) -> String {
    match name.starts_with('#') {
        true => request["ExpressionAttributeNames"][name].as_str().unwrap().to_owned(),
        false => name.to_owned(),
    }
}
