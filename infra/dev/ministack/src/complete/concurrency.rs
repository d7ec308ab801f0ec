//! Maximum concurrency of event source mappings.

use anyhow::Result;
use serde_json::Value;

use super::{Deployed, of_type};

/// Sets the concurrency again through the API. From CloudFormation, MiniStack stores it as text and then polls no queue.
pub(super) fn set(deployed: &Deployed<'_>, template: &Value) -> Result<()> {
    let described = deployed.query(&["cloudformation", "describe-stacks", "--stack-name", deployed.stack])?;
    for (mapping, limit) in limited(template, &described["Stacks"][0]["Parameters"]) {
        let mapping = deployed.name_of(&mapping)?;
        let scaling = format!("MaximumConcurrency={limit}");
        deployed.run(&["lambda", "update-event-source-mapping", "--uuid", &mapping, "--scaling-config", &scaling])?;
    }
    Ok(())
}

/// Event source mappings with a limit: a number, or a parameter of the stack.
fn limited(template: &Value, parameters: &Value) -> Vec<(String, String)> {
    let limited = of_type(template, "AWS::Lambda::EventSourceMapping").filter_map(|(id, mapping)| {
        let limit = &mapping["Properties"]["ScalingConfig"]["MaximumConcurrency"];
        let limit = match limit["Ref"].as_str() {
            Some(name) => parameter(name, template, parameters),
            None => limit,
        };
        let limit = limit.as_str().map(str::to_owned).or_else(|| Some(limit.as_u64()?.to_string()))?;
        Some((id.clone(), limit))
    });
    limited.collect()
}

/// The value of a parameter: of the stack, else its default.
fn parameter<'a>(name: &str, template: &'a Value, parameters: &'a Value) -> &'a Value {
    let set = parameters.as_array().into_iter().flatten().find(|set| set["ParameterKey"] == name);
    set.map_or(&template["Parameters"][name]["Default"], |set| &set["ParameterValue"])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn limited_mappings_are_found() {
        let mut resources = json!({
            "AsNumber": { "Properties": { "ScalingConfig": { "MaximumConcurrency": 2 } } },
            "AsText": { "Properties": { "ScalingConfig": { "MaximumConcurrency": "3" } } },
            "AsParameter": { "Properties": { "ScalingConfig": { "MaximumConcurrency": { "Ref": "Set" } } } },
            "ByDefault": { "Properties": { "ScalingConfig": { "MaximumConcurrency": { "Ref": "Unset" } } } },
            "Free": { "Properties": {} },
        });
        for (_, mapping) in resources.as_object_mut().unwrap() {
            mapping["Type"] = json!("AWS::Lambda::EventSourceMapping");
        }
        let parameters = json!([{ "ParameterKey": "Set", "ParameterValue": "4" }]);
        let defaults = json!({ "Set": { "Default": 1 }, "Unset": { "Default": 5 } });
        let found = limited(&json!({ "Resources": resources, "Parameters": defaults }), &parameters);
        let expected = [("AsNumber", "2"), ("AsParameter", "4"), ("AsText", "3"), ("ByDefault", "5")];
        assert_eq!(found, expected.map(|(id, limit)| (id.to_owned(), limit.to_owned())));
    }
}
