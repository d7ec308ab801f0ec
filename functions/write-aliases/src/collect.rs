//! Handles the queues without an event source: in an account with a small quota of concurrent executions, not every queue can
//! have one (`SmallQuota` in template.yaml). The schedule's message arrives on the write queue, so this needs no execution
//! beyond those of that queue.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use jiff::SignedDuration;
use membermail_core::clock::later;
use membermail_core::message::WriteAliases;

use crate::{Context, Error, apply_steps, delivery_failure, grant};

/// Time for receiving messages. With the last batch and the other messages of the invocation it fits into the function's
/// timeout of 60 seconds. The next collection continues.
const MAX_DURATION: SignedDuration = SignedDuration::from_secs(15);

/// Handles all waiting messages, as their event sources would. A message that fails returns to its queue with backoff.
pub(crate) async fn collect(context: &Context) -> Result<(), Error> {
    let worker = &context.worker;
    let until = later(worker.clock.now(), MAX_DURATION);
    for arn in &context.collected_queue_arns {
        while worker.clock.now() < until {
            let event = worker.queue.receive_from(arn).await?;
            if event.records.is_empty() {
                break;
            }
            let mut done = event.records.clone();
            let failed = process(context, arn, event).await.batch_item_failures;
            done.retain(|record| {
                !failed.iter().any(|failure| record.message_id.as_deref() == Some(&failure.item_identifier))
            });
            worker.queue.delete_from(arn, &done).await?;
        }
    }
    Ok(())
}

/// The queue decides how a message is read, as in [`handle`](crate::handle).
async fn process(context: &Context, arn: &str, event: SqsEvent) -> SqsBatchResponse {
    if arn == context.failure_queue_arn {
        return context.worker.process(event, |message| delivery_failure::handle_failure(context, message)).await;
    }
    context.worker.process(event, |message| write(context, message)).await
}

async fn write(context: &Context, message: WriteAliases) -> Result<(), Error> {
    match message {
        WriteAliases::Grant(message) => grant::handle_grant(context, message).await,
        WriteAliases::Apply(steps) => apply_steps::apply_steps(context, steps).await,
        // This collection has already begun.
        WriteAliases::Collect => Ok(()),
    }
}

#[cfg(test)]
#[path = "collect_tests.rs"]
mod tests;
