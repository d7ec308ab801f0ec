//! Finds dead-letter queues by the redrive policies of their source queues.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::QueueAttributeName;
use aws_sdk_sqs::types::QueueAttributeName::{
    All, ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible, QueueArn, RedrivePolicy,
};
use serde::Serialize;

use crate::deployment::Deployment;
use crate::failure::Failure;

/// A dead-letter queue.
#[derive(Clone, Debug, Serialize)]
pub(super) struct DeadLetterQueue {
    /// The short name of the source queue: `verify` for `VerifyQueue`.
    pub(super) name: String,
    /// Visible messages.
    pub(super) messages: u64,
    /// Messages that were received and are invisible for now.
    pub(super) in_flight: u64,
    /// Visible messages in the source queue.
    #[serde(rename = "in_front")]
    pub(super) in_source: u64,
    /// The URL of the queue.
    pub(super) url: String,
    #[serde(skip)]
    pub(super) arn: String,
    #[serde(skip)]
    pub(super) source: Source,
}

/// The source queue.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) url: String,
    pub(super) arn: String,
}

/// A queue with its attributes.
struct Queue {
    name: String,
    url: String,
    attributes: HashMap<QueueAttributeName, String>,
}

impl Queue {
    async fn read(client: &Client, name: String, url: String) -> Result<Self, Failure> {
        let response = client.get_queue_attributes().queue_url(&url).attribute_names(All).send().await;
        let response = response.map_err(|error| match error.as_service_error() {
            Some(cause) if cause.is_queue_does_not_exist() => Failure::NotFound(format!("queue {url}")),
            _ => Failure::sqs(error),
        })?;
        Ok(Self { name, url, attributes: response.attributes.unwrap_or_default() })
    }

    fn text(&self, name: &QueueAttributeName) -> &str {
        self.attributes.get(name).map(String::as_str).unwrap_or_default()
    }

    fn count(&self, name: &QueueAttributeName) -> u64 {
        self.text(name).parse().unwrap_or_default()
    }

    /// The ARN of its dead-letter queue.
    fn dead_letter_target(&self) -> Option<String> {
        let policy: serde_json::Value = serde_json::from_str(self.text(&RedrivePolicy)).ok()?;
        policy["deadLetterTargetArn"].as_str().map(str::to_owned)
    }

    fn dead_letters(&self, source: &Self, name: String) -> DeadLetterQueue {
        DeadLetterQueue {
            name,
            messages: self.count(&ApproximateNumberOfMessages),
            in_flight: self.count(&ApproximateNumberOfMessagesNotVisible),
            in_source: source.count(&ApproximateNumberOfMessages),
            url: self.url.clone(),
            arn: self.text(&QueueArn).to_owned(),
            source: Source { url: source.url.clone(), arn: source.text(&QueueArn).to_owned() },
        }
    }
}

/// Lists the dead-letter queues of the stack, sorted by name.
pub(super) async fn list(deployment: &Deployment, client: &Client) -> Result<Vec<DeadLetterQueue>, Failure> {
    let mut queues = BTreeMap::new();
    for (name, url) in deployment.list_queues().await? {
        let queue = Queue::read(client, name, url).await?;
        queues.insert(queue.text(&QueueArn).to_owned(), queue);
    }
    let mut found: Vec<_> = queues
        .values()
        .filter_map(|source| {
            let dead = queues.get(&source.dead_letter_target()?)?;
            Some(dead.dead_letters(source, short_name(&source.name)))
        })
        .collect();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// Finds a dead-letter queue of the stack by name, or any by URL.
pub(super) async fn find(deployment: &Deployment, client: &Client, name: &str) -> Result<DeadLetterQueue, Failure> {
    if name.contains("://") {
        return find_by_url(client, name).await;
    }
    let queues = list(deployment, client).await?;
    let names: Vec<_> = queues.iter().map(|queue| queue.name.clone()).collect();
    let found = queues.into_iter().find(|queue| queue.name == short_name(name));
    found.ok_or_else(|| Failure::NotFound(format!("dead-letter queue {name}; the queues are {}", names.join(", "))))
}

async fn find_by_url(client: &Client, url: &str) -> Result<DeadLetterQueue, Failure> {
    let dead = Queue::read(client, url.to_owned(), url.to_owned()).await?;
    let source = match client.list_dead_letter_source_queues().queue_url(url).send().await {
        Ok(response) => match response.queue_urls.into_iter().next() {
            Some(source) => Some(Queue::read(client, source.clone(), source).await?),
            None => None,
        },
        // Some emulators do not support the operation. The redrive policies have the same information.
        Err(error) if error.code() == Some("InvalidAction") => find_source(client, dead.text(&QueueArn)).await?,
        Err(error) => return Err(Failure::sqs(error)),
    };
    let source = source.ok_or_else(|| Failure::NotFound(format!("source queue of the dead-letter queue {url}")))?;
    Ok(dead.dead_letters(&source, url.rsplit('/').next().unwrap_or(url).to_owned()))
}

/// Finds the queue whose redrive policy names this ARN.
async fn find_source(client: &Client, arn: &str) -> Result<Option<Queue>, Failure> {
    let mut urls = client.list_queues().into_paginator().items().send();
    while let Some(url) = urls.next().await {
        let url = url.map_err(Failure::sqs)?;
        let queue = Queue::read(client, url.clone(), url).await?;
        if queue.dead_letter_target().as_deref() == Some(arn) {
            return Ok(Some(queue));
        }
    }
    Ok(None)
}

/// The short name of a logical id: `sync-team` for `SyncTeamQueue` and `SyncTeamDeadLetters`.
fn short_name(logical: &str) -> String {
    let stem = logical.strip_suffix("DeadLetters").or_else(|| logical.strip_suffix("Queue")).unwrap_or(logical);
    let mut name = String::new();
    for letter in stem.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    #[rstest::rstest]
    #[case("VerifyQueue", "verify")]
    #[case("VerifyDeadLetters", "verify")]
    #[case("SyncTeamQueue", "sync-team")]
    #[case("verify", "verify")]
    #[case("Queue", "")]
    fn short_name_is_derived(#[case] logical: &str, #[case] name: &str) {
        assert_eq!(super::short_name(logical), name);
    }
}
