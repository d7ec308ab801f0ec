//! Runs a function on AWS Lambda.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::{Error, LambdaEvent, service_fn};

use crate::logs;

/// Initializes the log, builds the context from the environment, and passes all batches of a queue to `handle`.
pub async fn run_sqs<C>(
    context: impl Future<Output = Result<C, Error>>,
    handle: impl AsyncFn(&C, SqsEvent) -> SqsBatchResponse,
) -> Result<(), Error> {
    logs::init();
    let context = &context.await?;
    let handle = &handle;
    lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| async move {
        // Boxed: without it, the nested futures of the SDK exceed the compiler's limit for type layouts.
        Ok::<_, Error>(Box::pin(handle(context, event.payload)).await)
    }))
    .await
}
