//! Calculates DynamoDB request units from the items. The figures of DynamoDB Local are wrong: it counts transactional
//! writes four times, and condition checks and misses not at all.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html> (read 2026-11-28): a write
//! costs 1 unit per KB of the larger version of the item, at least 1, even if its condition fails. A strongly consistent
//! read costs 1 unit per 4 KB, at least 1, even if there is no item; an eventually consistent read costs half. In
//! transactions each costs twice as much. Writes to an index cost additional units.

use serde_json::Value;

/// Key attributes of the table's index.
const INDEX: [&str; 2] = ["member", "address"];

/// Size of an item in bytes: names and values, plus 3 per list or map and 1 per element.
pub(crate) fn size(item: &Value) -> usize {
    item.as_object().into_iter().flatten().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &Value) -> usize {
    let Some((kind, value)) = value.as_object().and_then(|typed| typed.iter().next()) else { return 0 };
    let text = value.as_str().unwrap_or_default();
    match kind.as_str() {
        "S" => text.len(),
        // One byte per two digits, plus one.
        "N" => text.trim_start_matches('-').len().div_ceil(2) + 1,
        "B" => text.len() * 3 / 4,
        "L" => 3 + value.as_array().into_iter().flatten().map(|element| 1 + value_size(element)).sum::<usize>(),
        "M" => {
            3 + value
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, element)| 1 + name.len() + value_size(element))
                .sum::<usize>()
        }
        "SS" | "NS" | "BS" => {
            value.as_array().into_iter().flatten().map(|element| element.as_str().map_or(0, str::len)).sum()
        }
        _ => 1,
    }
}

#[expect(clippy::cast_precision_loss, reason = "items are smaller than 400 KB")]
fn kilobytes(bytes: usize) -> f64 {
    bytes.div_ceil(1024).max(1) as f64
}

/// Units of a write to the table and its index.
pub(crate) fn write(before: Option<&Value>, after: Option<&Value>, is_transaction: bool) -> f64 {
    let table = kilobytes(before.map_or(0, size).max(after.map_or(0, size)));
    let index = match (before.filter(|item| is_indexed(item)), after.filter(|item| is_indexed(item))) {
        (None, None) => 0.0,
        (Some(single), None) | (None, Some(single)) => kilobytes(size(single)),
        (Some(before), Some(after)) if before == after => 0.0,
        (Some(before), Some(after)) if INDEX.iter().all(|name| before[name] == after[name]) => {
            kilobytes(size(before).max(size(after)))
        }
        (Some(before), Some(after)) => kilobytes(size(before)) + kilobytes(size(after)),
    };
    (table + index) * if is_transaction { 2.0 } else { 1.0 }
}

/// Whether the index contains the item.
fn is_indexed(item: &Value) -> bool {
    INDEX.iter().all(|name| item[name]["S"].is_string())
}

/// Units of a read of an item, or of all items of a query.
#[expect(clippy::cast_precision_loss, reason = "a response is smaller than 1 MB")]
pub(crate) fn read(bytes: usize, is_consistent: bool) -> f64 {
    bytes.div_ceil(4096).max(1) as f64 * if is_consistent { 1.0 } else { 0.5 }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item(bytes: usize) -> Value {
        // 2 + 1 for the key.
        json!({ "pk": { "S": "a" }, "x": { "S": "y".repeat(bytes - 4) } })
    }

    fn alias(member: &str, status: &str) -> Value {
        json!({ "member": { "S": member }, "address": { "S": "a@b" }, "status": { "S": status } })
    }

    #[rstest::rstest]
    #[case::text(json!({ "name": { "S": "five5" } }), 9)]
    #[case::number(json!({ "n": { "N": "12345" } }), 5)]
    #[case::list(json!({ "l": { "L": [{ "S": "ab" }, { "BOOL": true }] } }), 9)]
    #[case::map(json!({ "m": { "M": { "k": { "S": "v" } } } }), 7)]
    #[case::binary(json!({ "b": { "B": "QUJDRA==" } }), 7)]
    fn size_counts_names_and_values(#[case] item: Value, #[case] bytes: usize) {
        assert_eq!(size(&item), bytes);
    }

    #[rstest::rstest]
    #[case::small(None, Some(item(10)), 1.0)]
    #[case::one_kilobyte(None, Some(item(1_024)), 1.0)]
    #[case::more(None, Some(item(1_025)), 2.0)]
    #[case::larger_before(Some(item(3_000)), Some(item(10)), 3.0)]
    #[case::deleted(Some(item(1_500)), None, 2.0)]
    #[case::nothing_there(None, None, 1.0)]
    #[case::new_in_index(None, Some(alias("m", "active")), 2.0)]
    #[case::same_in_index(Some(alias("m", "active")), Some(alias("m", "active")), 1.0)]
    #[case::changed_in_index(Some(alias("m", "active")), Some(alias("m", "leaving")), 2.0)]
    #[case::moved_in_index(Some(alias("m", "active")), Some(alias("n", "active")), 3.0)]
    fn write_is_counted_by_kilobyte(#[case] before: Option<Value>, #[case] after: Option<Value>, #[case] units: f64) {
        assert_eq!(write(before.as_ref(), after.as_ref(), false), units);
        assert_eq!(write(before.as_ref(), after.as_ref(), true), units * 2.0);
    }

    #[rstest::rstest]
    #[case::nothing(0, true, 1.0)]
    #[case::one_block(4_096, true, 1.0)]
    #[case::two_blocks(4_097, true, 2.0)]
    #[case::eventually(4_097, false, 1.0)]
    fn read_is_counted_by_four_kilobytes(#[case] bytes: usize, #[case] is_consistent: bool, #[case] units: f64) {
        assert_eq!(read(bytes, is_consistent), units);
    }
}
