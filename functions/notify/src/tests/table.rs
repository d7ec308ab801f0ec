//! The subset of DynamoDB expressions that `notify` uses.

use serde_json::Value;

/// Whether the condition of a write holds for an item.
pub(super) fn holds(write: &Value, item: Option<&Value>) -> bool {
    let Some(condition) = write["ConditionExpression"].as_str() else { return true };
    condition.split(" OR ").any(|all| all.split(" AND ").all(|term| is_true(term, write, item)))
}

/// Whether a query selects an item.
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
        None => condition.split(" OR ").any(|all| all.split(" AND ").all(|term| is_true(term, query, Some(item)))),
    })
}

/// Applies an update expression of `SET` clauses.
pub(super) fn assign(update: &Value, item: &mut Value) {
    let sets = update["UpdateExpression"].as_str().unwrap().strip_prefix("SET ").unwrap();
    for (name, value) in sets.split(", ").map(|set| set.split_once(" = ").unwrap()) {
        item[field(name, update)] = update["ExpressionAttributeValues"][value].clone();
    }
}

fn is_true(condition: &str, request: &Value, item: Option<&Value>) -> bool {
    // The parenthesis of "a OR (b AND c)".
    let condition = condition.strip_prefix('(').unwrap_or(condition);
    if let Some(name) = condition.strip_prefix("attribute_exists(") {
        return value(name.trim_end_matches(')'), request, item).is_some();
    }
    if let Some(name) = condition.strip_prefix("attribute_not_exists(") {
        return value(name.trim_end_matches(')'), request, item).is_none();
    }
    if let Some(operands) = condition.strip_prefix("begins_with(") {
        let (name, prefix) = operands.trim_end_matches(')').split_once(", ").unwrap();
        let (Some(found), Some(prefix)) = (value(name, request, item), value(prefix, request, item)) else {
            return false;
        };
        return found["S"].as_str().unwrap().starts_with(prefix["S"].as_str().unwrap());
    }
    let words: Vec<_> = condition.trim_end_matches(')').split(' ').collect();
    let [left, sign, right] = words[..] else { panic!("{condition}") };
    let (Some(left), Some(right)) = (value(left, request, item), value(right, request, item)) else { return false };
    match sign {
        "=" => left == right,
        "<" => is_less(&left, &right),
        "<=" => left == right || is_less(&left, &right),
        _ => panic!("{condition}"),
    }
}

/// A value of the request, or of an attribute of the item.
fn value(name: &str, request: &Value, item: Option<&Value>) -> Option<Value> {
    match name.starts_with(':') {
        true => Some(request["ExpressionAttributeValues"][name].clone()),
        false => item.map(|item| item[field(name, request)].clone()).filter(|value| !value.is_null()),
    }
}

fn is_less(left: &Value, right: &Value) -> bool {
    match [left, right].map(|value| value["N"].as_str().and_then(|number| number.parse::<i64>().ok())) {
        [Some(left), Some(right)] => left < right,
        _ => left["S"].as_str().unwrap() < right["S"].as_str().unwrap(),
    }
}

fn field(name: &str, request: &Value) -> String {
    match name.starts_with('#') {
        true => request["ExpressionAttributeNames"][name].as_str().unwrap().to_owned(),
        false => name.to_owned(),
    }
}
