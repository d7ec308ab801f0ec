//! `account`: the account page, the welcome page and the static files.

use account::{Context, handle};
use lambda_http::Error;
use membermail_pages::serve::serve;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    membermail_runtime::logs::init();
    let context = &Context::from_env().await?;
    serve(|request| async move { handle(context, &request).await }).await
}
