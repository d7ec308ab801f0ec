//! What Lambda does as a function's role, before the function is asked and after it has answered: no function calls it,
//! so that no note of calls ever shows it.

use std::process::Command;

use anyhow::{Context, Result, bail};
use membermail_toolbox::step::quietly;
use serde_json::Value;

use crate::{Call, Rights};

/// How an event source reads a queue.
pub const READING: [&str; 4] =
    ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"];
/// How what a function prints comes into its log.
pub const LOGGING: [&str; 2] = ["logs:CreateLogStream", "logs:PutLogEvents"];

impl Rights {
    /// All of it, of the functions whose roles these are, each call with the logical id of its role; `aws` is the
    /// command line at the stack's endpoint.
    pub fn calls_of_lambda(&self, aws: &dyn Fn() -> Command) -> Result<Vec<(String, Call)>> {
        let ask = |what: &str| -> Result<Value> {
            serde_json::from_str(&quietly(aws().args(["lambda", what]))?).with_context(|| format!("what {what} said"))
        };
        self.lambdas(&ask("list-functions")?, &ask("list-event-source-mappings")?)
    }

    fn lambdas(&self, functions: &Value, mappings: &Value) -> Result<Vec<(String, Call)>> {
        let mut calls = Vec::new();
        for function in functions["Functions"].as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (arn, role) = (text(&function["FunctionArn"]), text(&function["Role"]));
            let Some(role) = role.rsplit('/').next().and_then(|name| self.roles.get(name)) else { continue };
            let [_, partition, _, region, account, ..] = arn.split(':').collect::<Vec<_>>()[..] else {
                bail!("{arn:?} is no ARN")
            };
            let group = text(&function["LoggingConfig"]["LogGroup"]);
            let stream = format!("arn:{partition}:logs:{region}:{account}:log-group:{group}:log-stream:2026/11/25/one");
            calls.extend(LOGGING.map(|action| (role.clone(), call(action, &stream))));
            let theirs = mappings["EventSourceMappings"].as_array().into_iter().flatten();
            for queue in theirs.filter(|one| one["FunctionArn"] == arn.as_str()).map(|one| text(&one["EventSourceArn"]))
            {
                calls.extend(READING.map(|action| (role.clone(), call(action, &queue))));
            }
        }
        Ok(calls)
    }
}

fn call(action: &str, resource: &str) -> Call {
    Call { action: action.to_owned(), resource: resource.to_owned(), keys: Vec::new(), enclosing: None }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[test]
    fn a_function_logs_and_its_queue_is_read() {
        let roles = BTreeMap::from([("stack-NotifyRole-1".to_owned(), "NotifyRole".to_owned())]);
        let rights = Rights { roles, ..Rights::default() };
        let function = |name: &str, role: &str| {
            json!({
                "FunctionArn": format!("arn:aws:lambda:eu-west-1:1:function:{name}"),
                "Role": format!("arn:aws:iam::1:role/{role}"),
                "LoggingConfig": { "LogGroup": format!("{name}-logs") },
            })
        };
        let functions = json!({ "Functions": [function("notify", "stack-NotifyRole-1"), function("other", "theirs")] });
        let mapping = |name: &str| {
            let (queue, function) = (format!("arn:aws:sqs:eu-west-1:1:{name}"), "arn:aws:lambda:eu-west-1:1:function");
            json!({ "EventSourceArn": queue, "FunctionArn": format!("{function}:{name}") })
        };
        let mappings = json!({ "EventSourceMappings": [mapping("notify"), mapping("other")] });
        let calls = rights.lambdas(&functions, &mappings).unwrap();
        assert!(calls.iter().all(|(role, _)| role == "NotifyRole"));
        let asked: Vec<_> = calls.iter().map(|(_, call)| (call.action.as_str(), call.resource.as_str())).collect();
        let stream = "arn:aws:logs:eu-west-1:1:log-group:notify-logs:log-stream:2026/11/25/one";
        let queue = "arn:aws:sqs:eu-west-1:1:notify";
        let expected = LOGGING.iter().map(|action| (*action, stream));
        assert_eq!(asked, expected.chain(READING.iter().map(|action| (*action, queue))).collect::<Vec<_>>());
    }
}
