//! What no HTTP library sends: answers that break off, and bodies without an end.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// Answers each connection with the next of `answers`, the last of them for ever, and closes it.
async fn listen(answers: Vec<Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut connection = 0;
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(&answers[connection.min(answers.len() - 1)]).await;
            let _ = stream.shutdown().await;
            connection += 1;
        }
    });
    uri
}

/// Answers request after request of one connection, and takes no other.
async fn one_connection(answers: impl FnOnce(&str) -> Vec<Value>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/", listener.local_addr().unwrap());
    let answers = answers(&uri);
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        drop(listener);
        for answer in answers {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            let body = answer.to_string();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        }
    });
    uri
}

async fn standing_at(uri: &str) -> Result<Standing, Error> {
    client(uri).standing(&ClaimedIdentifier::parse(IDENTIFIER).unwrap()).await
}

fn cut_short() -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\nnull".to_vec()
}

fn unknown() -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\nnull".to_vec()
}

#[tokio::test]
async fn a_body_that_is_cut_short_is_no_answer() {
    let error = standing_at(&listen(vec![cut_short()]).await).await.unwrap_err();
    assert_eq!(error, Error::CutShort);
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_body_that_was_cut_short_once_is_asked_for_again() {
    assert_eq!(standing_at(&listen(vec![cut_short(), unknown()]).await).await, Ok(Standing::Unknown));
}

#[tokio::test]
async fn a_connection_that_closes_before_an_answer_is_made_again() {
    assert_eq!(standing_at(&listen(vec![Vec::new(), unknown()]).await).await, Ok(Standing::Unknown));
}

#[tokio::test]
async fn a_body_of_no_announced_length_is_limited_too() {
    let mut answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
    answer.resize(6 * 1024 * 1024, b' ');
    assert_eq!(standing_at(&listen(vec![answer]).await).await, Err(Error::TooLarge));
}

#[tokio::test]
async fn an_announced_length_beyond_the_limit_is_not_read() {
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\n".to_vec();
    assert_eq!(standing_at(&listen(vec![answer]).await).await, Err(Error::TooLarge));
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = standing_at(&format!("http://{closed}/")).await.unwrap_err();
    assert_eq!(error, Error::Unreachable);
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_look_up_of_several_requests_keeps_its_connection() {
    let uri = one_connection(|uri| {
        let list = format!("{uri}devel/~alice/super_teams");
        let person = json!({
            "id": 7, "name": "alice", "display_name": "Alice", "is_team": false, "is_valid": true,
            "is_ubuntu_coc_signer": true, "super_teams_collection_link": list,
        });
        let mut first = teams(&["a1", "b1"], 3);
        first["next_collection_link"] = json!(format!("{list}?ws.size=300&memo=2&ws.start=2"));
        vec![person, first, teams(&["c1"], 3)]
    });
    assert_eq!(team_names(&standing_at(&uri.await).await.unwrap()), ["a1", "b1", "c1"]);
}
