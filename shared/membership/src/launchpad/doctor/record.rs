//! Records one request and its response, with any status.

use tokio::time::{Instant, sleep, timeout};
use url::Url;

use super::super::client::Client;
use crate::error::Error;
use crate::http::read_body;

/// A response.
#[derive(Clone, Debug, Default)]
pub(crate) struct HttpResponse {
    /// The HTTP status.
    pub(crate) status: u16,
    /// Duration of the last attempt, to the end of the body.
    pub(crate) seconds: f64,
    /// Number of attempts.
    pub(crate) attempts: u32,
    /// The decompressed body.
    pub(crate) body: Vec<u8>,
}

impl HttpResponse {
    /// The body, if the status is 200.
    pub(crate) fn body(&self) -> Result<&[u8], Error> {
        if self.status == 200 { Ok(&self.body) } else { Err(Error::Status { code: self.status, oops: None }) }
    }
}

/// Makes the request, and retries transient failures with the pauses of the client.
pub(crate) async fn record(client: &Client, url: &Url) -> Result<HttpResponse, Error> {
    let mut pauses = client.settings().pauses.iter();
    let mut attempts = 0;
    loop {
        attempts += 1;
        let started = Instant::now();
        let exchange = async {
            let response = client.send(url).await?;
            Ok((response.status().as_u16(), read_body(response).await?))
        };
        let result = timeout(client.settings().page_timeout, exchange).await.unwrap_or(Err(Error::TimedOut));
        let is_transient = match &result {
            Ok((status, _)) => Error::Status { code: *status, oops: None }.is_transient(),
            Err(error) => error.is_transient(),
        };
        match pauses.next() {
            Some(pause) if is_transient => sleep(*pause).await,
            _ => {
                let seconds = started.elapsed().as_secs_f64();
                return result.map(|(status, body)| HttpResponse { status, seconds, attempts, body });
            }
        }
    }
}
