//! Sending dead letters back: by a move task of SQS, or one by one where there are none or one message is meant.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::operation::start_message_move_task::StartMessageMoveTaskError;
use aws_sdk_sqs::types::{ListMessageMoveTasksResultEntry, Message};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::dead_letters::DeadLetters;
use super::letters::Letters;
use crate::Context;
use crate::failure::Failure;
use crate::progress;

/// Between two looks at a move task.
const LOOK: Duration = Duration::from_millis(500);

/// What to send back.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// As `queue list` names it, or the URL of a dead-letter queue
    queue: String,
    /// This message only, by the id that `queue show` prints
    #[arg(long, value_name = "ID", conflicts_with_all = ["most", "per_second"])]
    message: Option<String>,
    /// So many messages at most; without it all that are there when it begins
    #[arg(long, value_name = "NUMBER")]
    most: Option<u64>,
    /// So many messages a second at most
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i32).range(1..=500))]
    per_second: Option<i32>,
    /// Receive, send and delete each message, also where SQS could move them itself
    #[arg(long)]
    one_by_one: bool,
    /// Give up waiting after so many seconds; what SQS moves goes on
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    patience: u64,
}

impl Options {
    pub(super) fn queue(&self) -> &str {
        &self.queue
    }
}

/// How messages were moved.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Way {
    /// By SQS.
    MoveTask,
    /// By this command.
    OneByOne,
}

/// Moves messages, and says how many it moved and how.
pub(super) async fn redrive(
    context: &Context,
    client: &Client,
    queue: &DeadLetters,
    options: &Options,
) -> Result<(u64, Way), Failure> {
    if let Some(id) = &options.message {
        return one(client, queue, id).await.map(|()| (1, Way::OneByOne));
    }
    if options.most.is_none() && !options.one_by_one {
        match start(client, queue, options.per_second).await? {
            Started::Yes => return follow(client, queue, options).await.map(|moved| (moved, Way::MoveTask)),
            Started::Unsupported(why) => context.output.note(format!("moving one by one, as SQS does not: {why}")),
        }
    }
    all(client, queue, options).await.map(|moved| (moved, Way::OneByOne))
}

enum Started {
    Yes,
    Unsupported(String),
}

async fn start(client: &Client, queue: &DeadLetters, per_second: Option<i32>) -> Result<Started, Failure> {
    let request = client.start_message_move_task().source_arn(&queue.arn).destination_arn(&queue.source.arn);
    match request.set_max_number_of_messages_per_second(per_second).send().await {
        Ok(_) => Ok(Started::Yes),
        Err(error) => refused(&error).ok_or_else(|| Failure::aws("SQS", &error))?,
    }
}

/// What a refusal means, if it is one. An emulator that has no move tasks says so in its own words.
fn refused(error: &SdkError<StartMessageMoveTaskError>) -> Option<Result<Started, Failure>> {
    let SdkError::ServiceError(_) = error else { return None };
    let (code, message) = (error.code().unwrap_or_default(), error.message().unwrap_or_default());
    if message.contains("already") {
        return Some(Err(Failure::Busy("SQS moves messages of this queue just now".to_owned())));
    }
    let meant = ["AccessDenied", "ResourceNotFound", "Throttled"];
    (!meant.iter().any(|word| code.contains(word))).then(|| Ok(Started::Unsupported(format!("{code} {message}"))))
}

async fn follow(client: &Client, queue: &DeadLetters, options: &Options) -> Result<u64, Failure> {
    let bar = progress::towards("sent back", queue.messages);
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(options.patience) {
        let answer = client.list_message_move_tasks().source_arn(&queue.arn).max_results(1).send().await;
        let tasks = answer.map_err(|error| Failure::aws("SQS", &error))?.results.unwrap_or_default();
        let Some(task) = tasks.first() else { return Err(Failure::Other("the move task is gone".to_owned())) };
        let ListMessageMoveTasksResultEntry { approximate_number_of_messages_moved: moved, .. } = task;
        let moved = u64::try_from(*moved).unwrap_or_default();
        bar.set_position(moved);
        match task.status().unwrap_or_default() {
            "COMPLETED" => {
                bar.finish_and_clear();
                return Ok(moved);
            }
            "RUNNING" => sleep(LOOK).await,
            status => {
                let why = task.failure_reason().unwrap_or("SQS says no reason");
                return Err(Failure::Other(format!("the move task is {status} after {moved} messages: {why}")));
            }
        }
    }
    Err(Failure::Busy(format!("SQS still moves messages after {} seconds", options.patience)))
}

async fn one(client: &Client, queue: &DeadLetters, id: &str) -> Result<(), Failure> {
    let mut letters = Letters::new(client, &queue.url);
    let found = letters.receive_one(id).await;
    letters.give_back().await;
    match found? {
        Some(message) => send_back(client, queue, &message).await,
        None => Err(Failure::NotFound(format!("message {id} among the dead letters of {}", queue.name))),
    }
}

/// All that were there at the beginning: one that comes back while this goes on is not sent round in circles.
async fn all(client: &Client, queue: &DeadLetters, options: &Options) -> Result<u64, Failure> {
    let most = options.most.unwrap_or(queue.messages + queue.in_flight);
    let bar = progress::towards("sent back", most);
    let mut letters = Letters::new(client, &queue.url);
    let (begin, mut moved, mut empty) = (Instant::now(), 0_u64, 0);
    while moved < most && empty < 2 {
        if begin.elapsed() > Duration::from_secs(options.patience) {
            return Err(Failure::Busy(format!("{moved} sent back, and {} seconds are over", options.patience)));
        }
        let batch = letters.receive_batch(usize::try_from(most - moved).unwrap_or(usize::MAX)).await?;
        empty = if batch.is_empty() { empty + 1 } else { 0 };
        for message in batch {
            send_back(client, queue, &message).await?;
            moved += 1;
            bar.set_position(moved);
            if let Some(per_second) = options.per_second {
                sleep(Duration::from_secs(1) / per_second.unsigned_abs()).await;
            }
        }
    }
    bar.finish_and_clear();
    Ok(moved)
}

/// Sent first and deleted second: a message can come twice, which does no harm, and is never lost.
async fn send_back(client: &Client, queue: &DeadLetters, message: &Message) -> Result<(), Failure> {
    let request = client.send_message().queue_url(&queue.source.url).set_message_body(message.body.clone());
    let sent = request.set_message_attributes(message.message_attributes.clone()).send().await;
    sent.map_err(|error| Failure::aws("SQS", &error))?;
    let request = client.delete_message().queue_url(&queue.url).set_receipt_handle(message.receipt_handle.clone());
    request.send().await.map(drop).map_err(|error| Failure::aws("SQS", &error))
}
