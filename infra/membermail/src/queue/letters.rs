//! Receiving messages without taking them: each is hidden while it is looked at, and shown again afterwards.

use std::collections::HashSet;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, Message, MessageSystemAttributeName};

use crate::failure::Failure;

/// For how long, in seconds: whatever becomes of this process, they are back then.
const HIDDEN: i32 = 120;
/// Messages in one request.
const BATCH: usize = 10;
/// Empty answers in a row until a queue counts as empty: it is made of parts, and an answer is of some.
const EMPTY: u32 = 2;

/// Messages of one queue that are hidden from others.
pub(super) struct Letters<'a> {
    client: &'a Client,
    url: &'a str,
    seen: HashSet<String>,
    messages: Vec<Message>,
}

impl<'a> Letters<'a> {
    pub(super) fn new(client: &'a Client, url: &'a str) -> Self {
        Self { client, url, seen: HashSet::new(), messages: Vec::new() }
    }

    /// Receives up to so many; tells how many there are so far.
    pub(super) async fn receive_all(&mut self, most: u64, so_far: impl Fn(u64)) -> Result<(), Failure> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let mut empty = 0;
        while self.messages.len() < most && empty < EMPTY {
            let new = self.receive(most - self.messages.len()).await?;
            empty = if new == 0 { empty + 1 } else { 0 };
            so_far(self.messages.len() as u64);
        }
        Ok(())
    }

    /// Receives until there is the message with this id, and takes it out.
    pub(super) async fn receive_one(&mut self, id: &str) -> Result<Option<Message>, Failure> {
        let mut empty = 0;
        while empty < EMPTY {
            let new = self.receive(BATCH).await?;
            empty = if new == 0 { empty + 1 } else { 0 };
            if let Some(place) = self.messages.iter().position(|message| message.message_id() == Some(id)) {
                return Ok(Some(self.messages.swap_remove(place)));
            }
        }
        Ok(None)
    }

    /// Receives one batch, and takes it out.
    pub(super) async fn receive_batch(&mut self, most: usize) -> Result<Vec<Message>, Failure> {
        self.receive(most).await?;
        Ok(std::mem::take(&mut self.messages))
    }

    /// Shows all that were received and not taken out again. One that is missed comes back by itself.
    pub(super) async fn give_back(&self) {
        for batch in self.messages.chunks(BATCH) {
            let entry = |(place, message): (usize, &Message)| {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(place.to_string());
                entry.receipt_handle(message.receipt_handle()?).visibility_timeout(0).build().ok()
            };
            let entries = batch.iter().enumerate().filter_map(entry).collect();
            let request = self.client.change_message_visibility_batch().queue_url(self.url);
            let _ = request.set_entries(Some(entries)).send().await;
        }
    }

    pub(super) fn into_messages(self) -> Vec<Message> {
        self.messages
    }

    async fn receive(&mut self, most: usize) -> Result<usize, Failure> {
        let answer = self
            .client
            .receive_message()
            .queue_url(self.url)
            .max_number_of_messages(i32::try_from(most.min(BATCH)).unwrap_or(1))
            .visibility_timeout(HIDDEN)
            .wait_time_seconds(1)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
            .send()
            .await;
        let messages = answer.map_err(|error| Failure::aws("SQS", &error))?.messages.unwrap_or_default();
        let before = self.messages.len();
        for message in messages {
            // Hidden again before all were seen, and received once more: the later receipt is the one that counts.
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
