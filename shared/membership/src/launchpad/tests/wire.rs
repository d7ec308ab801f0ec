//! Serves that no HTTP library sends: broken off, without an end, or compressed to the extreme.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::http::BODY_LIMIT;

/// Sends the next of `responses` on each connection and closes it; repeats the last one.
async fn listen(responses: Vec<Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut connection = 0;
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(&responses[connection.min(responses.len() - 1)]).await;
            let _ = stream.shutdown().await;
            connection += 1;
        }
    });
    uri
}

/// Serves all requests on one connection and accepts no other.
async fn listen_once(responses: Vec<Value>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        drop(listener);
        for response in responses {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            let body = response.to_string();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        }
    });
    uri
}

async fn ask_at(uri: &str) -> Result<Option<Person>, Error> {
    Client::new(settings(uri)).unwrap().person(&identity()).await
}

fn cut_short() -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\nnull".to_vec()
}

fn unknown() -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\nnull".to_vec()
}

fn gzipped(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn gzip_response(compressed: &[u8]) -> Vec<u8> {
    let head = format!("content-encoding: gzip\r\ncontent-length: {}\r\nconnection: close", compressed.len());
    [format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n").as_bytes(), compressed].concat()
}

#[tokio::test]
async fn short_body_is_truncated() {
    let error = ask_at(&listen(vec![cut_short()]).await).await.unwrap_err();
    assert_eq!(error, Error::CutShort);
    assert!(error.is_retryable());
}

#[tokio::test]
async fn short_body_is_retried() {
    assert_eq!(ask_at(&listen(vec![cut_short(), unknown()]).await).await, Ok(None));
}

#[tokio::test]
async fn closed_connection_is_retried() {
    assert_eq!(ask_at(&listen(vec![Vec::new(), unknown()]).await).await, Ok(None));
}

#[tokio::test]
async fn body_without_length_is_limited() {
    let mut response = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
    response.resize(BODY_LIMIT + 1024, b' ');
    assert_eq!(ask_at(&listen(vec![response]).await).await, Err(Error::TooLarge));
}

#[tokio::test]
async fn announced_length_is_limited() {
    let response = b"HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\n".to_vec();
    assert_eq!(ask_at(&listen(vec![response]).await).await, Err(Error::TooLarge));
}

#[tokio::test]
async fn compressed_answer_is_read() {
    let response = gzip_response(&gzipped(alice().to_string().as_bytes()));
    assert_eq!(ask_at(&listen(vec![response]).await).await.unwrap().unwrap().name.as_str(), "alice");
}

/// About 64 KB that grow to 64 MB.
#[tokio::test]
async fn compression_bomb_is_refused() {
    let response = gzip_response(&gzipped(&vec![b' '; 64 * 1024 * 1024]));
    assert!(response.len() < BODY_LIMIT / 8);
    assert_eq!(ask_at(&listen(vec![response]).await).await, Err(Error::TooLarge));
}

#[tokio::test]
async fn broken_compression_is_truncated() {
    let mut compressed = gzipped(alice().to_string().as_bytes());
    compressed.truncate(compressed.len() / 2);
    assert_eq!(ask_at(&listen(vec![gzip_response(&compressed)]).await).await, Err(Error::CutShort));
}

#[tokio::test]
async fn compression_is_asked_for() {
    let server = MockServer::start().await;
    let gzip = wiremock::matchers::header("accept-encoding", "gzip");
    person_request().and(gzip).respond_with(json_response(&Value::Null)).mount(&server).await;
    assert_eq!(ask(&server).await, Ok(None));
}

#[tokio::test]
async fn closed_port_is_unreachable() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = ask_at(&format!("http://{closed}/")).await.unwrap_err();
    assert_eq!(error, Error::Unreachable);
    assert!(error.is_retryable());
}

#[tokio::test]
async fn questions_share_one_connection() {
    let teams = json!({ "start": 0, "total_size": 0, "entries": [] });
    let uri = listen_once(vec![alice(), teams]).await;
    let client = Client::new(settings(&uri)).unwrap();
    let person = client.person(&identity()).await.unwrap().unwrap();
    assert!(client.groups(&person).await.unwrap().is_empty());
}
