//! Items of a table that expire.

use anyhow::Result;
use serde_json::Value;

use super::{Deployed, of_type};

/// Turns expiry on where the template has it.
pub(super) fn turn_on(deployed: &Deployed<'_>, template: &Value) -> Result<()> {
    for (table, attribute) in expiring(template) {
        let (table, wish) = (deployed.name_of(&table)?, format!("Enabled=true,AttributeName={attribute}"));
        let update = ["dynamodb", "update-time-to-live", "--table-name", &table, "--time-to-live-specification", &wish];
        deployed.tell(&update)?;
    }
    Ok(())
}

/// Tables with the attribute by which their items expire.
fn expiring(template: &Value) -> Vec<(String, String)> {
    let expiring = of_type(template, "AWS::DynamoDB::Table").filter_map(|(id, table)| {
        let wish = &table["Properties"]["TimeToLiveSpecification"];
        // What a transform has touched may hold its booleans as text.
        let enabled = wish["Enabled"] == true || wish["Enabled"] == "true";
        let attribute = wish["AttributeName"].as_str().filter(|_| enabled)?;
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
    fn only_tables_that_expire_are_caught_up_on() {
        let table =
            |wish: Value| json!({ "Type": "AWS::DynamoDB::Table", "Properties": { "TimeToLiveSpecification": wish } });
        let resources = json!({
            "Kept": { "Type": "AWS::DynamoDB::Table", "Properties": {} },
            "Off": table(json!({ "AttributeName": "expires", "Enabled": false })),
            "Queue": { "Type": "AWS::SQS::Queue" },
            "Table": table(json!({ "AttributeName": "expires", "Enabled": true })),
        });
        let template = template(&Value::String(json!({ "Resources": resources }).to_string())).unwrap();
        assert_eq!(expiring(&template), [("Table".to_owned(), "expires".to_owned())]);
    }
}
