//! `admin`: the admin console.

use admin::{Context, handle};
use lambda_http::{Error, Request, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    membermail_runtime::logs::init();
    let context = &Context::from_env().await?;
    lambda_http::run(service_fn(|request: Request| async move { Ok::<_, Error>(handle(context, &request).await) }))
        .await
}
