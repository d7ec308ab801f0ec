use serde_json::{Map, Value, json};

/// A JSON object as a DynamoDB item with these keys.
pub fn item(pk: &str, sk: &str, value: &Value) -> Value {
    let mut item = attribute(value)["M"].take();
    item["pk"] = json!({ "S": pk });
    item["sk"] = json!({ "S": sk });
    item
}

/// A JSON value as a DynamoDB attribute value.
pub fn attribute(value: &Value) -> Value {
    match value {
        Value::Null => json!({ "NULL": true }),
        Value::Bool(value) => json!({ "BOOL": value }),
        Value::Number(value) => json!({ "N": value.to_string() }),
        Value::String(value) => json!({ "S": value }),
        Value::Array(values) => json!({ "L": values.iter().map(attribute).collect::<Vec<_>>() }),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), attribute(value)));
            json!({ "M": fields.collect::<Map<_, _>>() })
        }
    }
}
