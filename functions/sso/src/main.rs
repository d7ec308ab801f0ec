//! `sso`: sign-in, sign-out and requests for a check.

use lambda_http::Error;
use membermail_pages::serve::serve;
use sso::{Context, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    membermail_runtime::logs::init();
    let context = &Context::from_env().await?;
    serve(|request| async move { handle(context, &request).await }).await
}
