//! Connections to the provider are kept, and no request is sent twice on that account.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

use membermail_identity::openid2::{Answer, ConfirmError, RelyingParty, SignedIn, http_client};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::support::{NS, World, callback, now, party};

/// What the provider does with a request that it has read.
#[derive(Clone, Copy)]
enum Does {
    /// Answers and keeps the connection.
    Answer,
    /// Answers as if it kept the connection, and closes it.
    AnswerAndClose,
    /// Closes the connection without an answer.
    Close,
}

/// A provider that treats the requests of each connection as scripted, and the relying party that asks it. Answers a
/// connection or a request that is not in the script with a failure of the test.
struct Provider {
    party: RelyingParty,
    answer: String,
    requests: tokio::task::JoinHandle<usize>,
}

impl Provider {
    async fn start(script: &'static [&'static [Does]]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let root: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let world = World::silent().await;
        let mut good = world.good();
        for (_, value) in &mut good.0 {
            *value = value.replace(&world.at("/"), root.as_str());
        }
        let requests = tokio::spawn(async move {
            let mut requests = 0;
            for connection in script {
                let (mut stream, _) = listener.accept().await.unwrap();
                for does in *connection {
                    read_request(&mut stream).await;
                    requests += 1;
                    if matches!(does, Does::Answer | Does::AnswerAndClose) {
                        answer_request(&mut stream).await;
                    }
                }
            }
            requests
        });
        let party = party(&root, http_client().unwrap());
        Self { party, answer: good.encode(), requests }
    }

    async fn confirm(&self) -> Result<SignedIn, ConfirmError> {
        let answer = Answer::from_query(&self.answer).unwrap();
        self.party.confirm(self.party.check(answer, &callback(), now()).unwrap()).await
    }
}

async fn read_request(stream: &mut TcpStream) {
    let (mut read, mut octets) = (Vec::new(), [0; 4096]);
    let length = |text: &str| -> Option<usize> {
        let (head, _) = text.split_once("\r\n\r\n")?;
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        Some(head.len() + 4 + length.unwrap_or(0))
    };
    while length(&String::from_utf8_lossy(&read)).is_none_or(|length| read.len() < length) {
        let count = stream.read(&mut octets).await.unwrap();
        assert!(count > 0, "the connection was closed before a request");
        read.extend_from_slice(&octets[..count]);
    }
}

async fn answer_request(stream: &mut TcpStream) {
    let body = format!("ns:{NS}\nis_valid:true\n");
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
}

#[tokio::test]
async fn connection_is_kept_for_next_sign_in() {
    let provider = Provider::start(&[&[Does::Answer, Does::Answer]]).await;
    assert!(provider.confirm().await.is_ok());
    assert!(provider.confirm().await.is_ok());
    assert_eq!(provider.requests.await.unwrap(), 2);
}

#[tokio::test]
async fn closed_connection_is_replaced() {
    let provider = Provider::start(&[&[Does::AnswerAndClose], &[Does::Answer]]).await;
    assert!(provider.confirm().await.is_ok());
    assert!(provider.confirm().await.is_ok());
    assert_eq!(provider.requests.await.unwrap(), 2);
}

/// The provider may have confirmed the assertion before the connection broke.
#[tokio::test]
async fn unanswered_request_is_not_repeated() {
    let provider = Provider::start(&[&[Does::Answer, Does::Close], &[Does::Answer]]).await;
    assert!(provider.confirm().await.is_ok());
    assert!(matches!(provider.confirm().await, Err(ConfirmError::Unavailable(_))));
    assert!(!provider.requests.is_finished(), "the request was sent again");
    assert!(provider.confirm().await.is_ok());
    assert_eq!(provider.requests.await.unwrap(), 3);
}
