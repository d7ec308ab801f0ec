//! The calls that the Lambda service makes with a function's role: polling its queue and writing its log. The emulator
//! records only the calls of the function itself, so these are derived from the deployed configuration.

use std::process::Command;

use anyhow::{Result, bail};
use serde_json::Value;

use crate::stack::output;
use crate::{Call, Permissions};

/// Actions of an event source mapping on its queue.
pub const POLL_ACTIONS: [&str; 4] =
    ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"];
/// Actions that write a function's output to CloudWatch Logs.
pub const LOG_ACTIONS: [&str; 2] = ["logs:CreateLogStream", "logs:PutLogEvents"];

impl Permissions {
    /// Lambda's own calls for the functions of this stack, each with the logical id of its role. `aws` starts the AWS
    /// command line at the stack's endpoint.
    pub fn lambda_calls(&self, aws: &dyn Fn() -> Command) -> Result<Vec<(String, Call)>> {
        let functions = output(aws().args(["lambda", "list-functions"]))?;
        let mappings = output(aws().args(["lambda", "list-event-source-mappings"]))?;
        self.calls_from(&functions, &mappings)
    }

    fn calls_from(&self, functions: &Value, mappings: &Value) -> Result<Vec<(String, Call)>> {
        let mut calls = Vec::new();
        for function in functions["Functions"].as_array().into_iter().flatten() {
            let [arn, role, group] =
                [&function["FunctionArn"], &function["Role"], &function["LoggingConfig"]["LogGroup"]]
                    .map(|value| value.as_str().unwrap_or_default());
            let Some(role) = role.rsplit('/').next().and_then(|name| self.roles.get(name)) else { continue };
            let [_, partition, _, region, account, ..] = arn.split(':').collect::<Vec<_>>()[..] else {
                bail!("{arn:?} is not an ARN")
            };
            let stream = format!("arn:{partition}:logs:{region}:{account}:log-group:{group}:log-stream:2026/11/25/one");
            calls.extend(LOG_ACTIONS.map(|action| (role.clone(), call(action, &stream))));
            for mapping in mappings["EventSourceMappings"].as_array().into_iter().flatten() {
                if mapping["FunctionArn"].as_str().is_some_and(|invoked| is_same_function(invoked, arn)) {
                    let queue = mapping["EventSourceArn"].as_str().unwrap_or_default();
                    calls.extend(POLL_ACTIONS.map(|action| (role.clone(), call(action, queue))));
                }
            }
        }
        Ok(calls)
    }
}

/// Whether an ARN names the function, with or without a version or an alias.
fn is_same_function(qualified: &str, arn: &str) -> bool {
    qualified.strip_prefix(arn).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

fn call(action: &str, resource: &str) -> Call {
    Call { action: action.to_owned(), resource: resource.to_owned(), keys: Vec::new(), enclosing: None }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[rstest::rstest]
    #[case::function("notify")]
    #[case::alias("notify:live")]
    fn lambda_polls_queue_and_writes_log(#[case] invoked: &str) {
        let roles = BTreeMap::from([("stack-NotifyRole-1".to_owned(), "NotifyRole".to_owned())]);
        let permissions = Permissions { roles, ..Permissions::default() };
        let functions = [("notify", "stack-NotifyRole-1"), ("other", "theirs")].map(|(name, role)| {
            json!({
                "FunctionArn": format!("arn:aws:lambda:eu-west-1:1:function:{name}"),
                "Role": format!("arn:aws:iam::1:role/{role}"),
                "LoggingConfig": { "LogGroup": format!("{name}-logs") },
            })
        });
        let functions = json!({ "Functions": functions });
        let mappings =
            [("notify", invoked), ("other", "other"), ("longer", "notify-longer")].map(|(queue, function)| {
                json!({
                    "EventSourceArn": format!("arn:aws:sqs:eu-west-1:1:{queue}"),
                    "FunctionArn": format!("arn:aws:lambda:eu-west-1:1:function:{function}"),
                })
            });
        let mappings = json!({ "EventSourceMappings": mappings });
        let calls = permissions.calls_from(&functions, &mappings).unwrap();
        assert!(calls.iter().all(|(role, _)| role == "NotifyRole"));
        let found: Vec<_> = calls.iter().map(|(_, call)| (call.action.as_str(), call.resource.as_str())).collect();
        let stream = "arn:aws:logs:eu-west-1:1:log-group:notify-logs:log-stream:2026/11/25/one";
        let queue = "arn:aws:sqs:eu-west-1:1:notify";
        let expected = LOG_ACTIONS.iter().map(|action| (*action, stream));
        assert_eq!(found, expected.chain(POLL_ACTIONS.iter().map(|action| (*action, queue))).collect::<Vec<_>>());
    }
}
