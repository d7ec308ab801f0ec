//! Receives messages of a queue that has no event source, in the form in which an event source would pass them.

use std::collections::HashMap;

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage, SqsMessageAttribute};
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName};

use crate::queue::{Queue, QueueError};

/// With at least a second of waiting, SQS asks all its servers; otherwise a queue with few messages may look empty. Shorter
/// than the timeout of an attempt.
const WAIT_SECONDS: i32 = 1;

impl Queue {
    /// At most [`BATCH`](Self::BATCH) messages of the queue with this ARN, which is in the same region and account.
    ///
    /// # Errors
    /// If the request fails.
    pub async fn receive_from(&self, arn: &str) -> Result<SqsEvent, QueueError> {
        let queue = self.at_arn(Some(arn));
        let request = queue.client.receive_message().queue_url(&queue.url).wait_time_seconds(WAIT_SECONDS);
        let request = request.max_number_of_messages(Self::BATCH as i32);
        let request = request.message_system_attribute_names(MessageSystemAttributeName::All);
        let response = request.message_attribute_names("All").send().await.map_err(QueueError::of)?;
        let mut event = SqsEvent::default();
        event.records = response.messages.into_iter().flatten().map(|message| record(message, arn)).collect();
        Ok(event)
    }

    /// Deletes messages that were received from the queue with this ARN. A message that SQS does not delete is delivered again.
    ///
    /// # Errors
    /// If the request fails.
    pub async fn delete_from(&self, arn: &str, messages: &[SqsMessage]) -> Result<(), QueueError> {
        let queue = self.at_arn(Some(arn));
        for batch in messages.chunks(Self::BATCH) {
            let entries = batch.iter().enumerate().map(|(index, message)| {
                let receipt = message.receipt_handle.as_deref().unwrap_or_default();
                let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string()).receipt_handle(receipt);
                entry.build().map_err(QueueError::unsent)
            });
            let entries = entries.collect::<Result<_, _>>()?;
            let request = queue.client.delete_message_batch().queue_url(&queue.url).set_entries(Some(entries));
            request.send().await.map_err(QueueError::of)?;
        }
        Ok(())
    }
}

fn record(message: Message, arn: &str) -> SqsMessage {
    let attributes = message.attributes.into_iter().flatten();
    let attributes = attributes.map(|(name, value)| (name.as_str().to_owned(), value));
    let message_attributes = message.message_attributes.into_iter().flatten().map(|(name, value)| {
        let mut attribute = SqsMessageAttribute::default();
        attribute.string_value = value.string_value;
        attribute.data_type = Some(value.data_type);
        (name, attribute)
    });
    let mut record = SqsMessage::default();
    record.message_id = message.message_id;
    record.receipt_handle = message.receipt_handle;
    record.body = message.body;
    record.attributes = attributes.collect::<HashMap<_, _>>();
    record.message_attributes = message_attributes.collect();
    record.event_source_arn = Some(arn.to_owned());
    record
}
