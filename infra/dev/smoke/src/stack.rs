//! The deployed stack: its resources, and what must hold for its API and its queues.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::aws::Aws;
use crate::report::{Check, Outcome};

/// A resource of the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    /// The type, such as `AWS::IAM::Role`.
    pub(crate) kind: String,
    /// The physical id.
    pub(crate) name: String,
}

/// The resources and outputs of a stack.
#[derive(Debug)]
pub(crate) struct Stack {
    pub(crate) resources: BTreeMap<String, Resource>,
    pub(crate) outputs: BTreeMap<String, String>,
}

impl Stack {
    pub(crate) fn read(aws: &Aws<'_>, name: &str) -> Result<Self> {
        let resources = aws.json(&["cloudformation", "list-stack-resources", "--stack-name", name])?;
        let described = aws.json(&["cloudformation", "describe-stacks", "--stack-name", name])?;
        Ok(Self { resources: resources_of(&resources), outputs: outputs_of(&described) })
    }

    pub(crate) fn output(&self, name: &str) -> Result<&str> {
        self.outputs.get(name).map(String::as_str).with_context(|| format!("the stack has no output {name}"))
    }

    /// The resources of a type, by logical id.
    pub(crate) fn of_type<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Resource)> {
        let resources = self.resources.iter().filter(move |(_, resource)| resource.kind == kind);
        resources.map(|(id, resource)| (id.as_str(), resource))
    }
}

fn resources_of(listed: &Value) -> BTreeMap<String, Resource> {
    let all = listed["StackResourceSummaries"].as_array().into_iter().flatten();
    let all = all.filter_map(|one| {
        let text = |name: &str| one[name].as_str().map(str::to_owned);
        let resource = Resource { kind: text("ResourceType")?, name: text("PhysicalResourceId")? };
        Some((text("LogicalResourceId")?, resource))
    });
    all.collect()
}

fn outputs_of(described: &Value) -> BTreeMap<String, String> {
    let all = described["Stacks"][0]["Outputs"].as_array().into_iter().flatten();
    let all = all.filter_map(|one| {
        Some((one["OutputKey"].as_str()?.to_owned(), one["OutputValue"].as_str().unwrap_or_default().to_owned()))
    });
    all.collect()
}

/// There is exactly one stage. A second one would have neither the throttle nor the alarm.
pub(crate) fn check_stages(answer: &Value) -> Check {
    let stages = answer["item"].as_array().into_iter().flatten();
    let names: Vec<_> = stages.filter_map(|stage| stage["stageName"].as_str()).collect();
    let outcome = match names.as_slice() {
        [_] => Outcome::Passed,
        _ => Outcome::Failed("deploy again: only one stage has the throttle and the alarm".to_owned()),
    };
    Check::new("stages of the API", names.join(", "), outcome)
}

/// `GET /health` answers 200.
pub(crate) fn check_health(url: &str, response: Result<(u16, String), String>) -> Check {
    let subject = format!("GET {url}");
    match response {
        Ok((200, _)) => Check::new(subject, "200".to_owned(), Outcome::Passed),
        Ok((status, body)) => Check::new(subject, format!("{status} {body}"), Outcome::Failed(body)),
        Err(cause) => Check::new(subject, "no answer".to_owned(), Outcome::Failed(cause)),
    }
}

/// A queue is encrypted, a function's queue has a dead-letter queue, and no policy opens it to every principal.
pub(crate) fn check_queue(id: &str, attributes: &Value) -> Check {
    let attribute = |name: &str| attributes["Attributes"][name].as_str().unwrap_or_default();
    let policy: Value = serde_json::from_str(attribute("Policy")).unwrap_or_default();
    let mut faults = Vec::new();
    if attribute("SqsManagedSseEnabled") != "true" && attribute("KmsMasterKeyId").is_empty() {
        faults.push("it is not encrypted");
    }
    if !id.ends_with("DeadLetters") && attribute("RedrivePolicy").is_empty() {
        faults.push("it has no dead-letter queue");
    }
    if policy["Statement"].as_array().into_iter().flatten().any(is_open) {
        faults.push("its policy allows every principal without a condition");
    }
    let found = if attribute("Policy").is_empty() { "no policy" } else { "a policy" };
    let outcome = if faults.is_empty() { Outcome::Passed } else { Outcome::Failed(faults.join(", ")) };
    Check::new(format!("queue {id}"), found.to_owned(), outcome)
}

fn is_open(statement: &Value) -> bool {
    let principal = &statement["Principal"];
    let everyone = principal == "*" || principal["AWS"] == "*";
    statement["Effect"] == "Allow" && everyone && statement["Condition"].is_null()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn passes(check: &Check) -> bool {
        check.outcome == Outcome::Passed
    }

    #[rstest]
    #[case::one(json!([{ "stageName": "live" }]), true)]
    #[case::second(json!([{ "stageName": "live" }, { "stageName": "Stage" }]), false)]
    #[case::none(json!([]), false)]
    fn api_has_one_stage(#[case] stages: Value, #[case] expected: bool) {
        assert_eq!(passes(&check_stages(&json!({ "item": stages }))), expected);
    }

    #[rstest]
    #[case::healthy(Ok((200, "ok".to_owned())), true)]
    #[case::unhealthy(Ok((503, "queues".to_owned())), false)]
    #[case::unreachable(Err("timed out".to_owned()), false)]
    fn site_must_be_healthy(#[case] response: Result<(u16, String), String>, #[case] expected: bool) {
        assert_eq!(passes(&check_health("https://mail.example/health", response)), expected);
    }

    fn queue(policy: &Value) -> Value {
        let redrive = json!({ "maxReceiveCount": 16 }).to_string();
        json!({ "Attributes": {
            "SqsManagedSseEnabled": "true", "RedrivePolicy": redrive, "Policy": policy.to_string(),
        } })
    }

    #[rstest]
    #[case::rule(json!({ "Principal": { "Service": "events.amazonaws.com" } }), true)]
    #[case::everyone(json!({ "Principal": "*" }), false)]
    #[case::every_account(json!({ "Principal": { "AWS": "*" } }), false)]
    #[case::condition(json!({ "Principal": "*", "Condition": { "ArnEquals": {} } }), true)]
    fn queue_policy_names_principals(#[case] mut statement: Value, #[case] expected: bool) {
        statement["Effect"] = json!("Allow");
        assert_eq!(passes(&check_queue("WriteQueue", &queue(&json!({ "Statement": [statement] })))), expected);
    }

    #[rstest]
    #[case::work("WriteQueue", "RedrivePolicy", false)]
    #[case::dead_letters("WriteDeadLetters", "RedrivePolicy", true)]
    #[case::unencrypted("WriteQueue", "SqsManagedSseEnabled", false)]
    fn queue_has_its_attributes(#[case] id: &str, #[case] missing: &str, #[case] expected: bool) {
        let mut queue = queue(&json!({}));
        queue["Attributes"].as_object_mut().unwrap().remove(missing);
        assert_eq!(passes(&check_queue(id, &queue)), expected);
    }
}
