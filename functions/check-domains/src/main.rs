//! The Lambda function `check-domains`: checks the community's domains by schedule or on request.

use check_domains::{Context, Request, handle};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use membermail_runtime::logs;
use tracing::Instrument;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logs::init();
    let context = &Context::from_env().await?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Request>| async move {
        let request_id = &event.context.request_id;
        handle(context, event.payload, request_id).instrument(logs::request_span(request_id)).await.map_err(Error::from)
    }))
    .await
}
