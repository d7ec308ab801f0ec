//! What the template asks for and MiniStack's CloudFormation leaves out, caught up on after a deploy.

use std::process::Command;

use anyhow::{Context, Result};
use membermail_toolbox::step::quietly;
use serde_json::Value;

/// Turns expiry on where the template has it. `aws` is the command line at this emulator.
pub fn complete(aws: &dyn Fn() -> Command, stack: &str) -> Result<()> {
    let mut get = aws();
    get.args(["cloudformation", "get-template", "--template-stage", "Processed", "--stack-name", stack]);
    let answer: Value = serde_json::from_str(&quietly(&mut get)?).context("what get-template said")?;
    for (logical_id, attribute) in expiring(&template(&answer["TemplateBody"])?) {
        let mut describe = aws();
        describe.args(["cloudformation", "describe-stack-resource", "--stack-name", stack]);
        let said = quietly(describe.args(["--logical-resource-id", &logical_id]))?;
        let resource: Value = serde_json::from_str(&said).context("what describe-stack-resource said")?;
        let table = resource["StackResourceDetail"]["PhysicalResourceId"].as_str().context("a table without a name")?;
        let mut update = aws();
        update.args(["dynamodb", "update-time-to-live", "--table-name", table, "--time-to-live-specification"]);
        quietly(update.arg(format!("Enabled=true,AttributeName={attribute}")))?;
    }
    Ok(())
}

/// The command line gives JSON as it is and YAML as text.
fn template(body: &Value) -> Result<Value> {
    match body {
        Value::String(text) => serde_json::from_str(text).context("the processed template is not JSON"),
        value => Ok(value.clone()),
    }
}

/// Tables with the attribute by which their items expire.
fn expiring(template: &Value) -> Vec<(String, String)> {
    let resources = template["Resources"].as_object().into_iter().flatten();
    let tables = resources.filter(|(_, resource)| resource["Type"] == "AWS::DynamoDB::Table");
    let expiring = tables.filter_map(|(id, table)| {
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
