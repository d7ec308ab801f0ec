//! The Lambda function `check-status`: samples the components of the public status page by schedule.

use check_status::{Context, Event, handle};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use membermail_runtime::logs;
use tracing::Instrument;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logs::init();
    let context = &Context::from_env().await?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Event>| async move {
        let request_id = &event.context.request_id;
        handle(context, event.payload).instrument(logs::request_span(request_id)).await.map_err(Error::from)
    }))
    .await
}
