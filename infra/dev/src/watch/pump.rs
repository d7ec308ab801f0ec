//! What Lambda's event source mappings do: from a queue to its function, and away with what succeeded.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageAttributeValue, MessageSystemAttributeName};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::name_of;
use super::wiring::QueueOf;

/// How long one look at a queue waits for a message.
const LOOK: i32 = 10;
/// The pause after something went wrong, as while a function does not compile.
const PAUSE: Duration = Duration::from_secs(1);

/// Pumps until the value is dropped.
pub(crate) fn start(queues: Vec<QueueOf>, aws: &SdkConfig, server: &str) -> Result<JoinSet<()>> {
    let mut pumps = JoinSet::new();
    // A function may have to be compiled first, so an invocation has no time limit of its own.
    let http = reqwest::Client::builder().no_proxy().build()?;
    for queue in queues {
        for _ in 0..queue.concurrency {
            let (sqs, http, queue, server) = (Client::new(aws), http.clone(), queue.clone(), server.to_owned());
            pumps.spawn(async move {
                let url = format!("{server}/2015-03-31/functions/{}/invocations", queue.function);
                loop {
                    if let Err(cause) = once(&sqs, &http, &queue, &url).await {
                        eprintln!("  {}: {cause:#}", queue.function);
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            });
        }
    }
    Ok(pumps)
}

/// One batch, if there is one. What failed stays and comes back when the queue shows it again.
async fn once(sqs: &Client, http: &reqwest::Client, queue: &QueueOf, url: &str) -> Result<()> {
    let queue_url = sqs.get_queue_url().queue_name(name_of(&queue.arn)?).send().await?.queue_url;
    let queue_url = queue_url.context("a queue without a URL")?;
    let receive = sqs.receive_message().queue_url(&queue_url).wait_time_seconds(LOOK);
    let receive = receive.max_number_of_messages(queue.batch.min(10)).message_attribute_names("All");
    let received = receive.message_system_attribute_names(MessageSystemAttributeName::All).send().await?;
    let messages = received.messages.unwrap_or_default();
    if messages.is_empty() {
        return Ok(());
    }
    let answer = http.post(url).json(&event(&messages, &queue.arn)).send().await?;
    let (status, text) = (answer.status(), answer.text().await?);
    if !status.is_success() {
        bail!("the batch failed with {status}: {text}");
    }
    let done = succeeded(&messages, &text);
    if done.is_empty() {
        return Ok(());
    }
    let entries = done.iter().enumerate().map(|(at, message)| {
        let entry = DeleteMessageBatchRequestEntry::builder().id(at.to_string());
        entry.set_receipt_handle(message.receipt_handle.clone()).build()
    });
    let entries = entries.collect::<Result<_, _>>()?;
    sqs.delete_message_batch().queue_url(queue_url).set_entries(Some(entries)).send().await?;
    Ok(())
}

/// The event that Lambda would give the function.
fn event(messages: &[Message], arn: &str) -> Value {
    let region = arn.split(':').nth(3).unwrap_or_default();
    let record = |message: &Message| {
        let attributes = message.attributes.iter().flatten();
        let attributes: HashMap<_, _> = attributes.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let own = message.message_attributes.iter().flatten();
        let own: HashMap<_, _> = own.map(|(name, value)| (name.as_str(), attribute(value))).collect();
        json!({
            "messageId": message.message_id,
            "receiptHandle": message.receipt_handle,
            "body": message.body,
            "attributes": attributes,
            "messageAttributes": own,
            "md5OfBody": message.md5_of_body,
            "md5OfMessageAttributes": message.md5_of_message_attributes,
            "eventSource": "aws:sqs",
            "eventSourceARN": arn,
            "awsRegion": region,
        })
    };
    json!({ "Records": messages.iter().map(record).collect::<Vec<_>>() })
}

fn attribute(value: &MessageAttributeValue) -> Value {
    json!({
        "stringValue": value.string_value,
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": value.data_type,
    })
}

/// The messages that may go: all but those that the function names (`ReportBatchItemFailures`). An answer that cannot
/// be read, and a name that is none of ours, fail the whole batch, as at Lambda.
fn succeeded<'a>(messages: &'a [Message], answer: &str) -> Vec<&'a Message> {
    let Ok(answer) = serde_json::from_str::<Value>(answer) else { return Vec::new() };
    let failures = match &answer["batchItemFailures"] {
        Value::Null => return messages.iter().collect(),
        Value::Array(failures) => failures,
        _ => return Vec::new(),
    };
    let failed: Option<BTreeSet<_>> = failures.iter().map(|one| one["itemIdentifier"].as_str()).collect();
    let Some(failed) = failed else { return Vec::new() };
    let id = |message: &'a Message| message.message_id.as_deref();
    if failed.iter().any(|name| !messages.iter().any(|message| id(message) == Some(name))) {
        return Vec::new();
    }
    messages.iter().filter(|message| !id(message).is_some_and(|id| failed.contains(id))).collect()
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::event::sqs::SqsEvent;

    use super::*;

    fn messages() -> Vec<Message> {
        let message = |id: &str| Message::builder().message_id(id).receipt_handle(format!("handle of {id}")).body("{}");
        let kind = MessageAttributeValue::builder().data_type("String").string_value("test").build().unwrap();
        vec![
            message("one").attributes(MessageSystemAttributeName::ApproximateReceiveCount, "3").build(),
            message("two").message_attributes("kind", kind).build(),
        ]
    }

    #[test]
    fn a_function_reads_the_event_as_one_of_lambda() {
        let event = event(&messages(), "arn:aws:sqs:us-east-1:000000000000:queue");
        let event: SqsEvent = serde_json::from_value(event).unwrap();
        let [one, two] = &event.records[..] else { panic!("{event:?}") };
        assert_eq!(one.message_id.as_deref(), Some("one"));
        assert_eq!(one.receipt_handle.as_deref(), Some("handle of one"));
        assert_eq!(one.attributes["ApproximateReceiveCount"], "3");
        assert_eq!(one.event_source.as_deref(), Some("aws:sqs"));
        assert_eq!(one.aws_region.as_deref(), Some("us-east-1"));
        assert_eq!(two.message_attributes["kind"].string_value.as_deref(), Some("test"));
    }

    #[test]
    fn only_what_succeeded_is_deleted() {
        let messages = messages();
        let ids = |answer: &str| -> Vec<_> {
            succeeded(&messages, answer).iter().filter_map(|message| message.message_id.as_deref()).collect()
        };
        assert_eq!(ids(r#"{"batchItemFailures":[]}"#), ["one", "two"]);
        assert_eq!(ids("null"), ["one", "two"]);
        assert_eq!(ids(r#"{"batchItemFailures":[{"itemIdentifier":"one"}]}"#), ["two"]);
        for whole_batch in [
            r#"{"batchItemFailures":[{"itemIdentifier":"three"}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
            r#"{"batchItemFailures":[{}]}"#,
            r#"{"batchItemFailures":"one"}"#,
            "cut sh",
        ] {
            assert_eq!(ids(whole_batch), [] as [&str; 0], "{whole_batch}");
        }
    }
}
