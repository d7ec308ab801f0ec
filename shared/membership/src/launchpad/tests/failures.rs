//! Failures that no retry can change, and error texts.

use rstest::rstest;

use super::*;
use crate::http::BODY_LIMIT;

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
async fn refusal_is_final(#[case] response: ResponseTemplate, #[case] error: Error) {
    let server = serve(person_request(), response).await;
    assert!(!error.is_retryable());
    assert_eq!(ask(&server).await, Err(error));
    assert_eq!(requests(&server).await.len(), 1);
}

/// A bug in Launchpad that the next request meets again; a later delivery may not.
#[tokio::test]
async fn server_error_with_oops_is_final() {
    let response = status(500).insert_header("x-lazr-oopsid", "OOPS-abc123").set_body_string("KeyError");
    let server = serve(person_request(), response).await;
    let error = ask(&server).await.unwrap_err();
    assert_eq!(error, Error::Status { code: 500, oops: Some("OOPS-abc123".to_owned()) });
    assert!(error.is_retryable());
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn oops_id_is_dropped_when_strange() {
    let response = status(503).insert_header("x-lazr-oopsid", "see https://x.test");
    let server = serve(person_request(), response).await;
    assert_eq!(ask(&server).await, Err(plain(503)));
}

#[rstest]
#[case::not_found(recorded(include_str!("data/not-found.http")))]
#[case::gone(ResponseTemplate::new(410).set_body_raw("<html>gone</html>", "text/html"))]
#[tokio::test]
async fn roster_fails_at_once_without_team(#[case] response: ResponseTemplate) {
    let server = serve(page_request(), response).await;
    let error = roster_page(&server, 0, 0).await.unwrap_err();
    assert_eq!(error, Error::NoSuchTeam);
    assert!(!error.is_retryable());
    assert_eq!(error.to_string(), "the membership source has no team of this name");
    assert_eq!(requests(&server).await.len(), 1);
}

#[rstest]
#[case::field(json!({ "is_valid": IDENTIFIER, "name": "alice" }))]
#[case::status(alice_with("account_status", json!(REDACTED)))]
#[tokio::test]
async fn error_texts_hold_no_response(#[case] response: Value) {
    let server = serve(person_request(), json_response(&response)).await;
    let error = ask(&server).await.unwrap_err();
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(!text.contains("alice") && !text.contains("+id") && !text.contains("127.0.0.1"), "{text}");
    }
}

#[tokio::test]
async fn error_texts_hold_no_error_body() {
    let server = serve(team_request(), status(400).set_body_string("no ~alice here")).await;
    let error = client(&server).group(&team()).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("alice"));
}
