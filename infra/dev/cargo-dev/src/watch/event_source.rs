//! Event source mappings as in Lambda: receives batches from the queues, invokes the functions, and deletes the messages
//! that succeeded.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageAttributeValue, MessageSystemAttributeName};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::name_of;
use super::wiring::EventSource;

/// Long-polling time in seconds.
const WAIT_SECONDS: i32 = 10;
/// Delay after an error, such as a function that does not compile.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Starts the pollers; dropping the value stops them.
pub(crate) fn start(queues: Vec<EventSource>, aws: &SdkConfig, server: &str) -> Result<JoinSet<()>> {
    let mut pollers = JoinSet::new();
    // No timeout: an invocation may have to wait for a build.
    let http = reqwest::Client::builder().no_proxy().build()?;
    for queue in queues {
        for _ in 0..queue.concurrency {
            let sqs = Client::new(aws);
            let http = http.clone();
            let url = format!("{server}/2015-03-31/functions/{}/invocations", queue.function);
            let queue = queue.clone();
            pollers.spawn(async move {
                loop {
                    if let Err(error) = handle_batch(&sqs, &http, &queue, &url).await {
                        eprintln!("  {}: {error:#}", queue.function);
                        tokio::time::sleep(RETRY_DELAY).await;
                    }
                }
            });
        }
    }
    Ok(pollers)
}

/// Receives and handles one batch. Failed messages become visible again after the queue's visibility timeout.
async fn handle_batch(sqs: &Client, http: &reqwest::Client, queue: &EventSource, url: &str) -> Result<()> {
    let queue_url = sqs.get_queue_url().queue_name(name_of(&queue.arn)?).send().await?.queue_url;
    let queue_url = queue_url.context("the queue has no URL")?;
    let receive = sqs.receive_message().queue_url(&queue_url).wait_time_seconds(WAIT_SECONDS);
    let receive = receive.max_number_of_messages(queue.batch.min(10)).message_attribute_names("All");
    let received = receive.message_system_attribute_names(MessageSystemAttributeName::All).send().await?;
    let messages = received.messages.unwrap_or_default();
    if messages.is_empty() {
        return Ok(());
    }
    let response = http.post(url).json(&event(&messages, &queue.arn)).send().await?;
    let status = response.status();
    let text = response.text().await?;
    if !status.is_success() {
        bail!("the batch failed with {status}: {text}");
    }
    let succeeded = succeeded(&messages, &text);
    if succeeded.is_empty() {
        return Ok(());
    }
    let entries = succeeded.iter().enumerate().map(|(index, message)| {
        let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
        entry.set_receipt_handle(message.receipt_handle.clone()).build()
    });
    let entries = entries.collect::<Result<_, _>>()?;
    sqs.delete_message_batch().queue_url(queue_url).set_entries(Some(entries)).send().await?;
    Ok(())
}

/// The SQS event of a batch, as Lambda sends it.
fn event(messages: &[Message], arn: &str) -> Value {
    json!({ "Records": messages.iter().map(|message| record(message, arn)).collect::<Vec<_>>() })
}

fn record(message: &Message, arn: &str) -> Value {
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
        "awsRegion": arn.split(':').nth(3).unwrap_or_default(),
    })
}

fn attribute(value: &MessageAttributeValue) -> Value {
    json!({
        "stringValue": value.string_value,
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": value.data_type,
    })
}

/// The messages to delete, by the partial batch response (`ReportBatchItemFailures`). As in Lambda, an invalid response
/// or an unknown message id fails the whole batch.
fn succeeded<'a>(messages: &'a [Message], response: &str) -> Vec<&'a Message> {
    let Ok(response) = serde_json::from_str::<Value>(response) else { return Vec::new() };
    let failures = match &response["batchItemFailures"] {
        Value::Null => return messages.iter().collect(),
        Value::Array(failures) => failures,
        _ => return Vec::new(),
    };
    let failed: Option<BTreeSet<_>> = failures.iter().map(|failure| failure["itemIdentifier"].as_str()).collect();
    let Some(failed) = failed else { return Vec::new() };
    let (failing, succeeded): (Vec<_>, Vec<_>) =
        messages.iter().partition(|message| message.message_id.as_deref().is_some_and(|id| failed.contains(id)));
    // Fewer failing messages than ids: an id is unknown.
    if failing.len() == failed.len() { succeeded } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::event::sqs::SqsEvent;

    use super::*;

    fn messages() -> Vec<Message> {
        let [one, two] = ["one", "two"]
            .map(|id| Message::builder().message_id(id).receipt_handle(format!("handle of {id}")).body("{}"));
        let kind = MessageAttributeValue::builder().data_type("String").string_value("test").build().unwrap();
        vec![
            one.attributes(MessageSystemAttributeName::ApproximateReceiveCount, "3").build(),
            two.message_attributes("kind", kind).build(),
        ]
    }

    #[test]
    fn event_parses_as_sqs_event() {
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

    #[rstest::rstest]
    #[case::no_failure(r#"{"batchItemFailures":[]}"#, &["one", "two"])]
    #[case::no_response("null", &["one", "two"])]
    #[case::one_failure(r#"{"batchItemFailures":[{"itemIdentifier":"one"}]}"#, &["two"])]
    #[case::unknown_id(r#"{"batchItemFailures":[{"itemIdentifier":"three"}]}"#, &[])]
    #[case::empty_id(r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#, &[])]
    #[case::no_id(r#"{"batchItemFailures":[{}]}"#, &[])]
    #[case::no_list(r#"{"batchItemFailures":"one"}"#, &[])]
    #[case::no_json("cut sh", &[])]
    fn only_successful_messages_are_deleted(#[case] response: &str, #[case] expected: &[&str]) {
        let messages = messages();
        let ids: Vec<_> =
            succeeded(&messages, response).iter().filter_map(|message| message.message_id.as_deref()).collect();
        assert_eq!(ids, expected);
    }
}
