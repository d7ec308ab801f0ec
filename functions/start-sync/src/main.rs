//! `start-sync`: from the schedule to one message a domain.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use start_sync::{Context, Event, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    membermail_runtime::logs::init();
    let context = &Context::from_env().await?;
    let serve =
        |event: LambdaEvent<Event>| async move { handle(context, event.payload, &event.context.request_id).await };
    lambda_runtime::run(service_fn(serve)).await
}
