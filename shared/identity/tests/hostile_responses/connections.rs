//! Pooled connections to the provider never cause a request to be sent twice.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

use std::time::Duration;

use membermail_identity::openid2::{ConfirmError, IndirectResponse, RelyingParty, SignedIn, http_client};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::support::{NS, World, callback, now, party};

/// How the provider handles a request.
#[derive(Clone, Copy)]
enum Step {
    /// Responds and keeps the connection, also at the end of its script.
    Respond,
    /// Responds as if it kept the connection, and closes it.
    RespondAndClose,
    /// Closes the connection without a response.
    Close,
}

/// A provider that handles the requests of each connection as scripted, and its relying party. A connection or request that
/// is not in the script fails the test.
struct Provider {
    party: RelyingParty,
    response: String,
    requests: tokio::task::JoinHandle<usize>,
}

impl Provider {
    async fn start(script: &'static [&'static [Step]]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let root: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let world = World::silent().await;
        let mut good = world.good();
        for (_, value) in &mut good.0 {
            *value = value.replace(&world.at("/"), root.as_str());
        }
        let requests = tokio::spawn(async move {
            let mut requests = 0;
            let mut kept = Vec::new();
            for connection in script {
                let (mut stream, _) = listener.accept().await.unwrap();
                for step in *connection {
                    read_request(&mut stream).await;
                    requests += 1;
                    if matches!(step, Step::Respond | Step::RespondAndClose) {
                        respond(&mut stream).await;
                    }
                }
                if let Some(Step::Respond) = connection.last() {
                    kept.push(stream);
                }
            }
            requests
        });
        let party = party(&root, http_client().unwrap());
        Self { party, response: good.encode(), requests }
    }

    async fn confirm(&self) -> Result<SignedIn, ConfirmError> {
        let response = IndirectResponse::from_query(&self.response).unwrap();
        self.party.confirm(self.party.check(response, &callback(), now()).unwrap()).await
    }
}

/// The length of a request, if its head is complete.
fn length(text: &str) -> Option<usize> {
    let (head, _) = text.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    Some(head.len() + 4 + length.unwrap_or(0))
}

async fn read_request(stream: &mut TcpStream) {
    let mut read = Vec::new();
    let mut octets = [0; 4096];
    while length(&String::from_utf8_lossy(&read)).is_none_or(|length| read.len() < length) {
        let count = stream.read(&mut octets).await.unwrap();
        assert!(count > 0, "the connection was closed before a request");
        read.extend_from_slice(&octets[..count]);
    }
}

async fn respond(stream: &mut TcpStream) {
    let body = format!("ns:{NS}\nis_valid:true\n");
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
}

#[tokio::test]
async fn connection_is_reused() {
    let provider = Provider::start(&[&[Step::Respond, Step::Respond]]).await;
    assert!(provider.confirm().await.is_ok());
    assert!(provider.confirm().await.is_ok());
    assert_eq!(provider.requests.await.unwrap(), 2);
}

#[tokio::test]
async fn closed_connection_is_replaced() {
    let provider = Provider::start(&[&[Step::RespondAndClose], &[Step::Respond]]).await;
    assert!(provider.confirm().await.is_ok());
    assert!(provider.confirm().await.is_ok());
    assert_eq!(provider.requests.await.unwrap(), 2);
}

/// The provider may have confirmed the assertion before the connection was lost.
#[tokio::test]
async fn unanswered_request_is_not_repeated() {
    let provider = Provider::start(&[&[Step::Respond, Step::Close], &[Step::Respond]]).await;
    assert!(provider.confirm().await.is_ok());
    assert!(matches!(provider.confirm().await, Err(ConfirmError::Unavailable(_))));
    assert!(!provider.requests.is_finished(), "the request was sent again");
    assert!(provider.confirm().await.is_ok());
    assert_eq!(provider.requests.await.unwrap(), 3);
}

/// Servers close connections after 5 idle seconds by default, possibly just as a request arrives.
#[tokio::test]
async fn idle_connection_is_not_reused() {
    let provider = Provider::start(&[&[Step::Respond], &[Step::Respond]]).await;
    assert!(provider.confirm().await.is_ok());
    tokio::time::sleep(Duration::from_millis(4500)).await;
    assert!(provider.confirm().await.is_ok());
}
