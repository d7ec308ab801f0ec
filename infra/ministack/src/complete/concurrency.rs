//! How many batches of a queue are handled at a time.

use anyhow::Result;
use serde_json::Value;

use super::{Deployed, of_type};

/// Sets it once more by the interface: of CloudFormation, MiniStack keeps it as text, and then no queue is read at all.
pub(super) fn set(deployed: &Deployed<'_>, template: &Value) -> Result<()> {
    for (mapping, most) in limited(template) {
        let (mapping, scaling) = (deployed.name_of(&mapping)?, format!("MaximumConcurrency={most}"));
        deployed.tell(&["lambda", "update-event-source-mapping", "--uuid", &mapping, "--scaling-config", &scaling])?;
    }
    Ok(())
}

/// Event source mappings that have a limit.
fn limited(template: &Value) -> Vec<(String, String)> {
    let limited = of_type(template, "AWS::Lambda::EventSourceMapping").filter_map(|(id, mapping)| {
        let most = &mapping["Properties"]["ScalingConfig"]["MaximumConcurrency"];
        let most = most.as_str().map(str::to_owned).or_else(|| Some(most.as_u64()?.to_string()))?;
        Some((id.clone(), most))
    });
    limited.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn mappings_with_a_limit_are_set_once_more() {
        let mapping =
            |properties: Value| json!({ "Type": "AWS::Lambda::EventSourceMapping", "Properties": properties });
        let resources = json!({
            "AsNumber": mapping(json!({ "ScalingConfig": { "MaximumConcurrency": 2 } })),
            "AsText": mapping(json!({ "ScalingConfig": { "MaximumConcurrency": "3" } })),
            "Free": mapping(json!({})),
        });
        let found = limited(&json!({ "Resources": resources }));
        assert_eq!(found, [("AsNumber", "2"), ("AsText", "3")].map(|(id, most)| (id.to_owned(), most.to_owned())));
    }
}
