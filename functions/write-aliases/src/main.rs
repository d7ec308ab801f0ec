//! The Lambda function `write-aliases`: changes aliases and writes the audit log.

use lambda_runtime::Error;
use membermail_runtime::lambda::run_sqs;
use write_aliases::{Context, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run_sqs(Context::from_env(), handle).await
}
