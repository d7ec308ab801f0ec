//! `notify`: from the notify queue to the mail server.

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use notify::{Context, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    membermail_runtime::logs::init();
    let context = &Context::from_env().await?;
    let serve = |event: LambdaEvent<SqsEvent>| async move { Ok::<_, Error>(handle(context, event.payload).await) };
    lambda_runtime::run(service_fn(serve)).await
}
