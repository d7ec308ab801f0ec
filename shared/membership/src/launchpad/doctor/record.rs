//! One request and its answer, recorded as it came, whatever its status.

use tokio::time::{Instant, sleep, timeout};
use url::Url;

use super::super::client::{Client, read_body};
use super::super::error::Error;

/// An answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// From the request to the end of the body, of the last attempt.
    pub(crate) seconds: f64,
    /// Requests that it took.
    pub(crate) attempts: u32,
    /// After decompression.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body of a 200; otherwise why there is none.
    pub(crate) fn body(&self) -> Result<&[u8], Error> {
        if self.status == 200 { Ok(&self.body) } else { Err(Error::Status { code: self.status, oops: None }) }
    }
}

/// Asks until there is an answer that no retry changes, with the pauses of the client.
pub(crate) async fn record(client: &Client, url: &Url) -> Result<Answer, Error> {
    let mut pauses = client.settings().pauses.iter();
    let mut attempts = 0;
    loop {
        attempts += 1;
        let started = Instant::now();
        let exchange = async {
            let answer = client.send(url).await?;
            Ok((answer.status().as_u16(), read_body(answer).await?))
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
                return result.map(|(status, body)| Answer { status, seconds, attempts, body });
            }
        }
    }
}
