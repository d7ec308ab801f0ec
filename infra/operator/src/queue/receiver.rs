//! Receives messages without deleting them. They are invisible to others in the meantime.

use std::collections::HashSet;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, Message, MessageSystemAttributeName};

use crate::failure::Failure;

/// Visibility timeout in seconds, after which messages reappear if this process fails.
const VISIBILITY_TIMEOUT: i32 = 120;
/// Maximum number of messages per request.
const BATCH: usize = 10;
/// Consecutive empty responses after which a queue counts as empty. A response samples only some of SQS's servers.
const MAX_EMPTY: u32 = 2;

/// The received messages of one queue.
pub(super) struct Receiver<'a> {
    client: &'a Client,
    url: &'a str,
    seen: HashSet<String>,
    messages: Vec<Message>,
}

impl<'a> Receiver<'a> {
    pub(super) fn new(client: &'a Client, url: &'a str) -> Self {
        Self { client, url, seen: HashSet::new(), messages: Vec::new() }
    }

    /// Receives up to `limit` messages.
    pub(super) async fn receive_up_to(&mut self, limit: u64) -> Result<(), Failure> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut empty = 0;
        while self.messages.len() < limit && empty < MAX_EMPTY {
            let new = self.receive(limit - self.messages.len()).await?;
            empty = if new == 0 { empty + 1 } else { 0 };
        }
        Ok(())
    }

    /// Receives until the message with this id is found, and removes it from the received ones.
    pub(super) async fn receive_message(&mut self, id: &str) -> Result<Option<Message>, Failure> {
        let mut empty = 0;
        while empty < MAX_EMPTY {
            let new = self.receive(BATCH).await?;
            empty = if new == 0 { empty + 1 } else { 0 };
            if let Some(index) = self.messages.iter().position(|message| message.message_id() == Some(id)) {
                return Ok(Some(self.messages.swap_remove(index)));
            }
        }
        Ok(None)
    }

    /// Receives and returns one batch.
    pub(super) async fn receive_batch(&mut self, limit: usize) -> Result<Vec<Message>, Failure> {
        self.receive(limit).await?;
        Ok(std::mem::take(&mut self.messages))
    }

    /// Makes the remaining messages visible again. Errors are ignored, because the visibility timeout does the same later.
    pub(super) async fn make_visible(&self) {
        for batch in self.messages.chunks(BATCH) {
            let entries = batch.iter().enumerate().filter_map(|(index, message)| {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(index.to_string());
                entry.receipt_handle(message.receipt_handle()?).visibility_timeout(0).build().ok()
            });
            let request = self.client.change_message_visibility_batch().queue_url(self.url);
            let _ = request.set_entries(Some(entries.collect())).send().await;
        }
    }

    pub(super) fn into_messages(self) -> Vec<Message> {
        self.messages
    }

    async fn receive(&mut self, limit: usize) -> Result<usize, Failure> {
        let response = self
            .client
            .receive_message()
            .queue_url(self.url)
            .max_number_of_messages(i32::try_from(limit.min(BATCH)).unwrap_or(1))
            .visibility_timeout(VISIBILITY_TIMEOUT)
            .wait_time_seconds(1)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
            .send()
            .await;
        let messages = response.map_err(Failure::sqs)?.messages.unwrap_or_default();
        let before = self.messages.len();
        for message in messages {
            // A message is received again if its visibility timeout expired. Only the latest receipt handle is valid.
            let id = message.message_id().unwrap_or_default().to_owned();
            if self.seen.insert(id.clone()) {
                self.messages.push(message);
            } else if let Some(known) = self.messages.iter_mut().find(|known| known.message_id() == Some(&id)) {
                *known = message;
            }
        }
        Ok(self.messages.len() - before)
    }
}
