//! TTL of tables.

use anyhow::Result;
use serde_json::Value;

use super::{Deployed, of_type};

/// Turns on TTL as in the template.
pub(super) fn turn_on(deployed: &Deployed<'_>, template: &Value) -> Result<()> {
    for (table, attribute) in expiring(template) {
        let table = deployed.name_of(&table)?;
        let ttl = format!("Enabled=true,AttributeName={attribute}");
        let update = ["dynamodb", "update-time-to-live", "--table-name", &table, "--time-to-live-specification", &ttl];
        deployed.run(&update)?;
    }
    Ok(())
}

/// Tables with their TTL attribute.
fn expiring(template: &Value) -> Vec<(String, String)> {
    let expiring = of_type(template, "AWS::DynamoDB::Table").filter_map(|(id, table)| {
        let ttl = &table["Properties"]["TimeToLiveSpecification"];
        // Transforms may turn booleans into text.
        let is_enabled = ttl["Enabled"] == true || ttl["Enabled"] == "true";
        let attribute = ttl["AttributeName"].as_str().filter(|_| is_enabled)?;
        Some((id.clone(), attribute.to_owned()))
    });
    expiring.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::template;
    use super::*;

    #[test]
    fn tables_with_ttl_are_found() {
        let [on, off] = [true, false].map(|is_enabled| {
            let ttl = json!({ "AttributeName": "expires", "Enabled": is_enabled });
            json!({ "Type": "AWS::DynamoDB::Table", "Properties": { "TimeToLiveSpecification": ttl } })
        });
        let resources = json!({
            "Kept": { "Type": "AWS::DynamoDB::Table", "Properties": {} },
            "Off": off,
            "Queue": { "Type": "AWS::SQS::Queue" },
            "Table": on,
        });
        let template = template(&Value::String(json!({ "Resources": resources }).to_string())).unwrap();
        assert_eq!(expiring(&template), [("Table".to_owned(), "expires".to_owned())]);
    }
}
