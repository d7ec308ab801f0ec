//! A fake of the AWS services that `notify` uses. It counts calls and can crash the function at any of them, which the table in
//! memory cannot.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use membermail_runtime::testing::{FakeAws, Response, item};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::table::{assign, holds, selects};

pub(super) const MASTER: &str = "a master secret of these tests, long enough";

/// DynamoDB, SQS and Secrets Manager.
#[derive(Default)]
pub(super) struct Aws {
    pub(super) items: BTreeMap<(String, String), Value>,
    /// Calls to the table and the queue, by operation.
    pub(super) calls: Vec<String>,
    /// Bodies of the messages that were sent.
    pub(super) sent: Vec<String>,
    /// An operation that fails from now on.
    pub(super) failing_operation: Option<&'static str>,
    /// The call at which the function crashes.
    pub(super) crash: Option<Crash>,
    /// Notified after the crash.
    pub(super) crashed: Arc<Notify>,
    pub(super) mail_secret: String,
}

/// A crash of the function at one of its calls.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crash {
    /// The number of calls before the one that crashes.
    pub(super) call: usize,
    /// Whether AWS carries out the call itself.
    pub(super) is_carried_out: bool,
}

pub(super) type Shared = Arc<Mutex<Aws>>;

impl Aws {
    /// Puts an item with these keys.
    pub(super) fn put(&mut self, pk: &str, sk: &str, value: &Value) {
        self.items.insert((pk.to_owned(), sk.to_owned()), item(pk, sk, value));
    }

    pub(super) fn has(&self, pk: &str) -> bool {
        self.items.keys().any(|(key, _)| key.starts_with(pk))
    }

    fn handle(&mut self, operation: &str, request: &Value) -> Result<Value, Value> {
        if operation == "GetSecretValue" {
            let is_mail = request["SecretId"] == "mail";
            return Ok(json!({ "SecretString": if is_mail { self.mail_secret.as_str() } else { MASTER } }));
        }
        self.calls.push(operation.to_owned());
        if self.failing_operation == Some(operation) {
            return Err(json!({ "__type": "ValidationException", "message": "a test" }));
        }
        match operation {
            "SendMessage" => {
                self.sent.push(request["MessageBody"].as_str().unwrap().to_owned());
                Ok(json!({ "MessageId": "1" }))
            }
            "GetItem" => {
                let item = self.items.get(&keys(&request["Key"]));
                Ok(item.map_or_else(|| json!({}), |item| json!({ "Item": item })))
            }
            "BatchGetItem" => {
                let wanted = request["RequestItems"]["t"]["Keys"].as_array().unwrap();
                let found: Vec<_> = wanted.iter().filter_map(|key| self.items.get(&keys(key))).collect();
                Ok(json!({ "Responses": { "t": found } }))
            }
            "Query" => {
                let items: Box<dyn Iterator<Item = &Value>> = match &request["ExpressionAttributeValues"][":pk"]["S"] {
                    Value::String(pk) => {
                        let partition = self.items.range((pk.clone(), String::new())..);
                        Box::new(partition.take_while(move |((of, _), _)| of == pk).map(|(_, item)| item))
                    }
                    // A query of the index by member, which has the items with both of its keys.
                    _ => Box::new(
                        self.items
                            .values()
                            .filter(|item| ["member", "address"].iter().all(|key| !item[*key].is_null())),
                    ),
                };
                let limit = request["Limit"].as_u64().and_then(|most| most.try_into().ok()).unwrap_or(usize::MAX);
                let found: Vec<_> = items.filter(|item| selects(request, item)).take(limit).collect();
                Ok(json!({ "Items": found, "Count": found.len(), "ScannedCount": found.len() }))
            }
            "TransactWriteItems" => {
                let writes = request["TransactItems"].as_array().unwrap();
                let is_held: Vec<_> = writes.iter().map(|write| self.holds(part(write))).collect();
                if is_held.contains(&false) {
                    let codes = is_held.iter().map(|held| if *held { "None" } else { "ConditionalCheckFailed" });
                    let reasons: Vec<_> = codes.map(|code| json!({ "Code": code })).collect();
                    return Err(json!({ "__type": "TransactionCanceledException", "CancellationReasons": reasons }));
                }
                writes.iter().for_each(|write| self.write(part(write)));
                Ok(json!({}))
            }
            "PutItem" | "UpdateItem" | "DeleteItem" if !self.holds(request) => {
                Err(json!({ "__type": "ConditionalCheckFailedException" }))
            }
            "PutItem" | "UpdateItem" | "DeleteItem" => {
                self.write(request);
                Ok(json!({}))
            }
            _ => panic!("{operation}"),
        }
    }

    /// Whether the condition of a write holds.
    fn holds(&self, write: &Value) -> bool {
        let key = if write["Key"].is_null() { &write["Item"] } else { &write["Key"] };
        holds(write, self.items.get(&keys(key)))
    }

    fn write(&mut self, write: &Value) {
        if !write["Item"].is_null() {
            self.items.insert(keys(&write["Item"]), write["Item"].clone());
        } else if write["UpdateExpression"].is_null() {
            self.items.remove(&keys(&write["Key"]));
        } else {
            assign(write, self.items.entry(keys(&write["Key"])).or_insert_with(|| write["Key"].clone()));
        }
    }
}

/// The write inside an element of `TransactItems`.
fn part(write: &Value) -> &Value {
    write.as_object().and_then(|write| write.values().next()).unwrap()
}

fn keys(item: &Value) -> (String, String) {
    ["pk", "sk"].map(|name| item[name]["S"].as_str().unwrap().to_owned()).into()
}

/// Answers a request, or crashes the function at it.
fn respond(aws: &Shared, operation: &str, request: &Value) -> Response {
    let mut aws = aws.lock().unwrap();
    let is_counted = operation != "GetSecretValue";
    let crash = aws.crash.filter(|_| is_counted);
    if let Some(crash) = aws.crash.as_mut().filter(|_| is_counted) {
        crash.call = crash.call.saturating_sub(1);
    }
    if let Some(Crash { call: 0, is_carried_out }) = crash {
        if is_carried_out {
            let _ = aws.handle(operation, request);
        }
        aws.crash = None;
        aws.crashed.notify_one();
        return Response::Never;
    }
    match aws.handle(operation, request) {
        Ok(body) => Response::Ok(body),
        Err(body) => Response::Error(400, body),
    }
}

/// The clients of this fake.
pub(super) fn connect(aws: &Shared) -> FakeAws {
    let aws = Arc::clone(aws);
    FakeAws::new(move |operation, request| respond(&aws, operation, request))
}
