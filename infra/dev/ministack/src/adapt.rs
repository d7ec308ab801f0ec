//! Removes what MiniStack's CloudFormation rejects.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

/// Removes alarms on metric math from a packaged template: MiniStack rejects a stack that contains one.
pub fn adapt(packaged: &Path) -> Result<()> {
    let text = std::fs::read_to_string(packaged).with_context(|| format!("cannot read {}", packaged.display()))?;
    let mut template: Value = serde_json::from_str(&text).context("the packaged template is not JSON")?;
    remove_metric_math(&mut template);
    std::fs::write(packaged, template.to_string()).with_context(|| format!("cannot write {}", packaged.display()))
}

fn remove_metric_math(template: &mut Value) {
    if let Some(resources) = template["Resources"].as_object_mut() {
        resources.retain(|_, resource| {
            resource["Type"] != "AWS::CloudWatch::Alarm" || !resource["Properties"]["Metrics"].is_array()
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_metric_math_alarms_are_removed() {
        let plain = json!({ "Type": "AWS::CloudWatch::Alarm", "Properties": { "MetricName": "DomainsWithoutSync" } });
        let table = json!({ "Type": "AWS::DynamoDB::Table", "Properties": { "Metrics": [] } });
        let metric_math = json!({ "Type": "AWS::CloudWatch::Alarm", "Properties": { "Metrics": [{ "Id": "ratio" }] } });
        let mut template = json!({ "Resources": { "Plain": plain, "Math": metric_math, "Table": table } });
        remove_metric_math(&mut template);
        assert_eq!(template, json!({ "Resources": { "Plain": plain, "Table": table } }));
    }
}
