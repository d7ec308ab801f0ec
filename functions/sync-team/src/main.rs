//! The Lambda function `sync-team`: reads a team, plans, and sends the steps to `write-aliases`.

use lambda_runtime::Error;
use membermail_runtime::lambda::run_sqs;
use sync_team::{Context, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run_sqs(Context::from_env(), handle).await
}
