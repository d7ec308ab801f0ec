//! The Lambda function `verify-member`: checks a member at Launchpad and sends the grants to `write-aliases`.

use lambda_runtime::Error;
use membermail_runtime::lambda::run_sqs;
use verify_member::{Context, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run_sqs(Context::from_env(), handle).await
}
