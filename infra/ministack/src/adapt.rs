//! What MiniStack's CloudFormation refuses of a template.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

/// Takes alarms by metric math out of a packaged template: with one of them, the whole stack is refused.
pub fn adapt(packaged: &Path) -> Result<()> {
    let text = std::fs::read_to_string(packaged).with_context(|| format!("reading {}", packaged.display()))?;
    let mut template: Value = serde_json::from_str(&text).context("the packaged template is not JSON")?;
    without_math(&mut template);
    std::fs::write(packaged, template.to_string()).with_context(|| format!("writing {}", packaged.display()))
}

fn without_math(template: &mut Value) {
    if let Some(resources) = template["Resources"].as_object_mut() {
        let by_math = |one: &Value| one["Type"] == "AWS::CloudWatch::Alarm" && one["Properties"]["Metrics"].is_array();
        resources.retain(|_, resource| !by_math(resource));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_alarms_by_math_are_taken_out() {
        let alarm = |properties: Value| json!({ "Type": "AWS::CloudWatch::Alarm", "Properties": properties });
        let plain = alarm(json!({ "MetricName": "DomainsWithoutSync" }));
        let table = json!({ "Type": "AWS::DynamoDB::Table", "Properties": { "Metrics": [] } });
        let by_math = alarm(json!({ "Metrics": [{ "Id": "ratio" }] }));
        let mut template = json!({ "Resources": { "Plain": plain, "Math": by_math, "Table": table } });
        without_math(&mut template);
        assert_eq!(template, json!({ "Resources": { "Plain": plain, "Table": table } }));
    }
}
