//! The least that a lambda_http function can be: no settings, no clients, an empty answer. `cargo dev bench start`
//! measures it beside our functions; what they take more is ours.

use lambda_http::{Body, Error, Request, Response, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_http::run(service_fn(|_: Request| async { Ok::<_, Error>(Response::new(Body::Empty)) })).await
}
