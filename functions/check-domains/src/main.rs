//! `check-domains`: from a schedule, or from an operator, to DNS and the table.

use check_domains::{Context, Request, handle};
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    membermail_runtime::logs::init();
    let context = &Context::from_env().await?;
    let serve = |event: LambdaEvent<Request>| async move {
        handle(context, event.payload, &event.context.request_id).await.map_err(Error::from)
    };
    lambda_runtime::run(service_fn(serve)).await
}
