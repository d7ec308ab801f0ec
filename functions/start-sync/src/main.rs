//! The Lambda function `start-sync`: sends one sync message per domain by schedule.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use membermail_runtime::logs;
use start_sync::{Context, Event, handle};
use tracing::Instrument;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logs::init();
    let context = &Context::from_env().await?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Event>| async move {
        let request_id = &event.context.request_id;
        handle(context, event.payload, request_id).instrument(logs::request_span(request_id)).await
    }))
    .await
}
