//! Returns dead letters to their source queue, by a move task of SQS or one by one.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{ListMessageMoveTasksResultEntry, Message};
use membermail_store::AwsError;
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::dead_letter_queue::DeadLetterQueue;
use super::receiver::Receiver;
use crate::context::Context;
use crate::failure::Failure;
use crate::progress;

/// Interval between polls of a move task.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// The messages and the method.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The name from `queue list`, or the URL of a dead-letter queue
    pub(super) queue: String,
    /// Only the message with this id, from `queue show`
    #[arg(long, value_name = "ID", conflicts_with_all = ["limit", "per_second"])]
    message: Option<String>,
    /// Maximum number of messages [default: all that are there at the start]
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u64>,
    /// Maximum number of messages per second
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i32).range(1..=500))]
    per_second: Option<i32>,
    /// Receive, send and delete each message, instead of using a move task of SQS
    #[arg(long)]
    one_by_one: bool,
    /// Stop waiting after this time; a move task of SQS continues
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    timeout: u64,
}

/// The method by which messages were moved.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Method {
    /// A move task of SQS.
    MoveTask,
    /// This command received, sent and deleted each message.
    OneByOne,
}

/// Moves messages. Returns their number and the method.
pub(super) async fn redrive(
    context: &Context,
    client: &Client,
    queue: &DeadLetterQueue,
    options: &Options,
) -> Result<(u64, Method), Failure> {
    if let Some(id) = &options.message {
        return redrive_message(client, queue, id).await.map(|()| (1, Method::OneByOne));
    }
    if options.limit.is_none() && !options.one_by_one {
        match start_move_task(client, queue, options.per_second).await? {
            Started::Yes => {
                return wait_for_move_task(client, queue, options).await.map(|moved| (moved, Method::MoveTask));
            }
            Started::Unsupported(why) => context
                .output
                .note(format!("Moving messages one by one, because SQS does not support move tasks: {why}")),
        }
    }
    redrive_all(client, queue, options).await.map(|moved| (moved, Method::OneByOne))
}

enum Started {
    Yes,
    Unsupported(AwsError),
}

/// Starts a move task. Emulators report a missing operation in different ways.
async fn start_move_task(
    client: &Client,
    queue: &DeadLetterQueue,
    per_second: Option<i32>,
) -> Result<Started, Failure> {
    let request = client.start_message_move_task().source_arn(&queue.arn).destination_arn(&queue.source.arn);
    let Err(error) = request.set_max_number_of_messages_per_second(per_second).send().await else {
        return Ok(Started::Yes);
    };
    let code = error.code().unwrap_or_default();
    let message = error.message().unwrap_or_default();
    let failures = ["AccessDenied", "ResourceNotFound", "Throttled"];
    if message.contains("already") {
        Err(Failure::Busy("a move task of this queue is already running; try again later".to_owned()))
    } else if error.as_service_error().is_none() || failures.iter().any(|failure| code.contains(failure)) {
        Err(Failure::sqs(error))
    } else {
        Ok(Started::Unsupported(AwsError::from(&error)))
    }
}

async fn wait_for_move_task(client: &Client, queue: &DeadLetterQueue, options: &Options) -> Result<u64, Failure> {
    let bar = progress::bar("moved", queue.messages);
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(options.timeout) {
        let response = client.list_message_move_tasks().source_arn(&queue.arn).max_results(1).send().await;
        let tasks = response.map_err(Failure::sqs)?.results.unwrap_or_default();
        let Some(task) = tasks.first() else {
            return Err(Failure::Other("SQS no longer lists the move task".to_owned()));
        };
        let ListMessageMoveTasksResultEntry { approximate_number_of_messages_moved: moved, .. } = task;
        let moved = u64::try_from(*moved).unwrap_or_default();
        bar.set_position(moved);
        match task.status().unwrap_or_default() {
            "COMPLETED" => return Ok(moved),
            "RUNNING" => sleep(POLL_INTERVAL).await,
            status => {
                let why = task.failure_reason().unwrap_or("SQS gave no reason");
                return Err(Failure::Other(format!("the move task is {status} after {moved} messages: {why}")));
            }
        }
    }
    Err(Failure::Busy(format!("the move task is still running after {} s", options.timeout)))
}

async fn redrive_message(client: &Client, queue: &DeadLetterQueue, id: &str) -> Result<(), Failure> {
    let mut receiver = Receiver::new(client, &queue.url);
    let found = receiver.receive_message(id).await;
    receiver.make_visible().await;
    match found? {
        Some(message) => move_message(client, queue, &message).await,
        None => Err(Failure::NotFound(format!("message {id} in the dead-letter queue of {}", queue.name))),
    }
}

/// Moves at most the messages that were there at the start, so that a message that fails again does not loop.
async fn redrive_all(client: &Client, queue: &DeadLetterQueue, options: &Options) -> Result<u64, Failure> {
    let limit = options.limit.unwrap_or(queue.messages + queue.in_flight);
    let bar = progress::bar("moved", limit);
    let mut receiver = Receiver::new(client, &queue.url);
    let start = Instant::now();
    let mut moved = 0_u64;
    let mut empty = 0;
    while moved < limit && empty < 2 {
        if start.elapsed() > Duration::from_secs(options.timeout) {
            return Err(Failure::Busy(format!("stopped after {} s; {moved} messages were moved", options.timeout)));
        }
        let batch = receiver.receive_batch(usize::try_from(limit - moved).unwrap_or(usize::MAX)).await?;
        empty = if batch.is_empty() { empty + 1 } else { 0 };
        for message in batch {
            move_message(client, queue, &message).await?;
            moved += 1;
            bar.set_position(moved);
            if let Some(per_second) = options.per_second {
                sleep(Duration::from_secs(1) / per_second.unsigned_abs()).await;
            }
        }
    }
    Ok(moved)
}

/// Sends first and deletes afterwards: the message can be duplicated, which handlers tolerate, but not lost.
async fn move_message(client: &Client, queue: &DeadLetterQueue, message: &Message) -> Result<(), Failure> {
    let request = client.send_message().queue_url(&queue.source.url).set_message_body(message.body.clone());
    let sent = request.set_message_attributes(message.message_attributes.clone()).send().await;
    sent.map_err(Failure::sqs)?;
    let request = client.delete_message().queue_url(&queue.url).set_receipt_handle(message.receipt_handle.clone());
    request.send().await.map(drop).map_err(Failure::sqs)
}
