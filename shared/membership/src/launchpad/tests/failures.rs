//! Failures that no retry can change, and error texts.

use rstest::rstest;

use super::super::client::BODY_LIMIT;
use super::*;

fn status(code: u16) -> ResponseTemplate {
    ResponseTemplate::new(code)
}

fn plain(code: u16) -> Error {
    Error::Status { code, oops: None }
}

#[rstest]
#[case::page_size(recorded(include_str!("data/page-size.http")), plain(400))]
#[case::unauthorized(status(401), plain(401))]
#[case::forbidden(status(403), plain(403))]
#[case::no_content(status(204), plain(204))]
#[case::moved(status(301).insert_header("location", "https://example.test/"), Error::Redirected)]
#[case::found(status(302).insert_header("location", "/devel/~alice"), Error::Redirected)]
#[case::too_large(status(200).set_body_bytes(vec![b' '; BODY_LIMIT + 1]), Error::TooLarge)]
#[tokio::test]
async fn refusal_is_final(#[case] answer: ResponseTemplate, #[case] error: Error) {
    let server = MockServer::start().await;
    person_request().respond_with(answer).mount(&server).await;
    assert!(!error.is_retryable());
    assert_eq!(ask(&server).await, Err(error));
    assert_eq!(requests(&server).await.len(), 1);
}

/// A bug in Launchpad that the next request meets again; a later delivery may not.
#[tokio::test]
async fn server_error_with_oops_is_final() {
    let server = MockServer::start().await;
    let answer = status(500).insert_header("x-lazr-oopsid", "OOPS-abc123").set_body_string("KeyError");
    person_request().respond_with(answer).mount(&server).await;
    let error = ask(&server).await.unwrap_err();
    assert_eq!(error, Error::Status { code: 500, oops: Some("OOPS-abc123".to_owned()) });
    assert!(error.is_retryable());
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn oops_id_is_dropped_when_strange() {
    let server = MockServer::start().await;
    let answer = status(503).insert_header("x-lazr-oopsid", "see https://x.test");
    person_request().respond_with(answer).mount(&server).await;
    assert_eq!(ask(&server).await, Err(plain(503)));
}

#[rstest]
#[case::not_found(recorded(include_str!("data/not-found.http")))]
#[case::gone(ResponseTemplate::new(410).set_body_raw("<html>gone</html>", "text/html"))]
#[tokio::test]
async fn roster_fails_at_once_without_team(#[case] answer: ResponseTemplate) {
    let server = MockServer::start().await;
    page_request().respond_with(answer).mount(&server).await;
    let error = roster_page(&server, 0, 0).await.unwrap_err();
    assert_eq!(error, Error::NoSuchTeam);
    assert!(!error.is_retryable());
    assert_eq!(error.to_string(), "Launchpad has no public team of this name");
    assert_eq!(requests(&server).await.len(), 1);
}

#[rstest]
#[case::field(json!({ "is_valid": IDENTIFIER, "name": "alice" }))]
#[case::status({ let mut answer = alice(); answer["account_status"] = json!(REDACTED); answer })]
#[tokio::test]
async fn error_texts_hold_no_answer(#[case] answer: Value) {
    let server = MockServer::start().await;
    person_request().respond_with(json_answer(&answer)).mount(&server).await;
    let error = ask(&server).await.unwrap_err();
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(!text.contains("alice") && !text.contains("+id") && !text.contains("127.0.0.1"), "{text}");
    }
}

#[tokio::test]
async fn error_texts_hold_no_error_body() {
    let server = MockServer::start().await;
    team_request().respond_with(status(400).set_body_string("no ~alice here")).mount(&server).await;
    let error = client(&server).group(&team()).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("alice"));
}
