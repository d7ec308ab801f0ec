//! `check-domains`: from a schedule, or from an operator, to DNS and the table.

use check_domains::{Context, Request, handle};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use membermail_runtime::logs;
use tracing::Instrument;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logs::init();
    let context = &Context::from_env().await?;
    let serve = |event: LambdaEvent<Request>| async move {
        let request_id = &event.context.request_id;
        handle(context, event.payload, request_id).instrument(logs::request(request_id)).await.map_err(Error::from)
    };
    lambda_runtime::run(service_fn(serve)).await
}
