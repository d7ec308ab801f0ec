//! The Lambda function `notify`: sends notices from its queue to the mail server.

use lambda_runtime::Error;
use membermail_runtime::lambda::run_sqs;
use notify::{Context, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run_sqs(Context::from_env(), handle).await
}
