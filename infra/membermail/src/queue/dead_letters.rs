//! Which dead-letter queues there are: those that another queue of the stack names in its redrive policy.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::QueueAttributeName;
use aws_sdk_sqs::types::QueueAttributeName::{
    All, ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible, QueueArn, RedrivePolicy,
};
use serde::Serialize;

use crate::failure::Failure;
use crate::place::Place;

/// A dead-letter queue.
#[derive(Clone, Debug, Serialize)]
pub(super) struct DeadLetters {
    /// The name of the queue that its messages come from: `verify` of `VerifyQueue`.
    pub(super) name: String,
    /// Messages that wait in it.
    pub(super) messages: u64,
    /// Messages that somebody looks at just now.
    pub(super) in_flight: u64,
    /// Messages that wait in the queue in front of it.
    pub(super) in_front: u64,
    /// Its URL.
    pub(super) url: String,
    #[serde(skip)]
    pub(super) arn: String,
    #[serde(skip)]
    pub(super) source: Source,
}

/// The queue that dead letters come from and go back to.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) url: String,
    pub(super) arn: String,
}

/// A queue and what it says of itself.
struct Queue {
    name: String,
    url: String,
    attributes: HashMap<QueueAttributeName, String>,
}

impl Queue {
    async fn read(client: &Client, name: String, url: String) -> Result<Self, Failure> {
        let answer = client.get_queue_attributes().queue_url(&url).attribute_names(All).send().await;
        let answer = answer.map_err(|error| match error.as_service_error() {
            Some(cause) if cause.is_queue_does_not_exist() => Failure::NotFound(format!("queue {url}")),
            _ => Failure::aws("SQS", &error),
        })?;
        Ok(Self { name, url, attributes: answer.attributes.unwrap_or_default() })
    }

    fn text(&self, name: &QueueAttributeName) -> &str {
        self.attributes.get(name).map(String::as_str).unwrap_or_default()
    }

    fn count(&self, name: &QueueAttributeName) -> u64 {
        self.text(name).parse().unwrap_or_default()
    }

    /// The ARN of its dead-letter queue.
    fn target(&self) -> Option<String> {
        let policy: serde_json::Value = serde_json::from_str(self.text(&RedrivePolicy)).ok()?;
        policy["deadLetterTargetArn"].as_str().map(str::to_owned)
    }

    fn dead_letters(&self, source: &Self, name: String) -> DeadLetters {
        DeadLetters {
            name,
            messages: self.count(&ApproximateNumberOfMessages),
            in_flight: self.count(&ApproximateNumberOfMessagesNotVisible),
            in_front: source.count(&ApproximateNumberOfMessages),
            url: self.url.clone(),
            arn: self.text(&QueueArn).to_owned(),
            source: Source { url: source.url.clone(), arn: source.text(&QueueArn).to_owned() },
        }
    }
}

/// Every one of the stack, by name.
pub(super) async fn list(place: &Place, client: &Client) -> Result<Vec<DeadLetters>, Failure> {
    let mut queues = BTreeMap::new();
    for (name, url) in place.queues().await? {
        let queue = Queue::read(client, name, url).await?;
        queues.insert(queue.text(&QueueArn).to_owned(), queue);
    }
    let mut found: Vec<_> = queues
        .values()
        .filter_map(|source| {
            let dead = queues.get(&source.target()?)?;
            Some(dead.dead_letters(source, short(&source.name)))
        })
        .collect();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// One of the stack by its name, or any by its URL.
pub(super) async fn find(place: &Place, client: &Client, wanted: &str) -> Result<DeadLetters, Failure> {
    if wanted.contains("://") {
        return by_url(client, wanted).await;
    }
    let queues = list(place, client).await?;
    let names: Vec<_> = queues.iter().map(|queue| queue.name.clone()).collect();
    let found = queues.into_iter().find(|queue| queue.name == short(wanted));
    found.ok_or_else(|| Failure::NotFound(format!("dead-letter queue {wanted}; there are {}", names.join(", "))))
}

async fn by_url(client: &Client, url: &str) -> Result<DeadLetters, Failure> {
    let dead = Queue::read(client, url.to_owned(), url.to_owned()).await?;
    let source = match client.list_dead_letter_source_queues().queue_url(url).send().await {
        Ok(answer) => match answer.queue_urls.into_iter().next() {
            Some(source) => Some(Queue::read(client, source.clone(), source).await?),
            None => None,
        },
        // Not every emulator can be asked; the queues themselves say it too.
        Err(error) if error.code() == Some("InvalidAction") => source_of(client, dead.text(&QueueArn)).await?,
        Err(error) => return Err(Failure::aws("SQS", &error)),
    };
    let source = source.ok_or_else(|| Failure::NotFound(format!("queue whose dead letters are in {url}")))?;
    Ok(dead.dead_letters(&source, url.rsplit('/').next().unwrap_or(url).to_owned()))
}

/// The first queue whose dead letters go to that ARN.
async fn source_of(client: &Client, arn: &str) -> Result<Option<Queue>, Failure> {
    let mut urls = client.list_queues().into_paginator().items().send();
    while let Some(url) = urls.next().await {
        let url = url.map_err(|error| Failure::aws("SQS", &error))?;
        let queue = Queue::read(client, url.clone(), url).await?;
        if queue.target().as_deref() == Some(arn) {
            return Ok(Some(queue));
        }
    }
    Ok(None)
}

/// `SyncTeamQueue` and `SyncTeamDeadLetters` as people type them: `sync-team`.
fn short(logical: &str) -> String {
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
    fn short_names(#[case] logical: &str, #[case] name: &str) {
        assert_eq!(super::short(logical), name);
    }
}
