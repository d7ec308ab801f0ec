//! Failures, retries, and error texts.

use rstest::rstest;
use tokio::time::Instant;

use super::*;
use crate::Source;
use crate::http::BODY_LIMIT;

const USER_PATH: &str = "/api/v4/users/1001";

async fn ask(server: &MockServer) -> Result<Option<Person>, Error> {
    client(server).person(&identity(ISSUER, "1001")).await
}

#[rstest]
#[case::bad_request(status(400), Error::Status { code: 400, oops: None })]
#[case::no_content(status(204), Error::Status { code: 204, oops: None })]
#[case::moved(status(301).insert_header("location", "https://example.test/"), Error::Redirected)]
#[case::sign_in_page(status(302).insert_header("location", "/users/sign_in"), Error::Redirected)]
#[case::too_large(status(200).set_body_bytes(vec![b' '; BODY_LIMIT + 1]), Error::TooLarge)]
#[tokio::test]
async fn refusal_is_final(#[case] response: ResponseTemplate, #[case] error: Error) {
    let server = serve(USER_PATH, response).await;
    assert_eq!(ask(&server).await, Err(error));
    assert_eq!(requests(&server).await.len(), 1);
}

#[rstest]
#[case::server_error(status(500))]
#[case::maintenance(status(503))]
#[case::too_many(status(429))]
#[case::too_many_for_no_time(status(429).insert_header("retry-after", "0"))]
#[case::slow(json_response(&user()).set_delay(Duration::from_secs(5)))]
#[tokio::test]
async fn transient_failure_is_retried(#[case] response: ResponseTemplate) {
    let server = MockServer::start().await;
    Mock::given(path(USER_PATH)).respond_with(response).up_to_n_times(1).mount(&server).await;
    mount(&server, USER_PATH, json_response(&user())).await;
    assert!(ask(&server).await.unwrap().is_some());
    assert_eq!(requests(&server).await.len(), 2);
}

#[tokio::test]
async fn long_retry_after_ends_lookup() {
    let server = serve(USER_PATH, status(429).insert_header("retry-after", "600")).await;
    let busy = Error::Busy { retry_after: Duration::from_secs(600) };
    assert_eq!(ask(&server).await, Err(busy));
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn lookup_ends_with_its_timeout() {
    let server = serve(USER_PATH, json_response(&user()).set_delay(Duration::from_secs(5))).await;
    let settings = Settings { lookup_timeout: Duration::from_millis(300), ..settings(&server.uri()) };
    let started = Instant::now();
    assert_eq!(client_with(settings).person(&identity(ISSUER, "1001")).await, Err(Error::TimedOut));
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

#[tokio::test]
async fn unreachable_server_is_error() {
    let client = client_with(settings("http://127.0.0.1:1/"));
    assert_eq!(client.person(&identity(ISSUER, "1001")).await, Err(Error::Unreachable));
}

#[rstest]
#[case::field(json_response(&changed(user(), "state", json!({ "ada": "1001" }))))]
#[case::status(status(400).set_body_string("no ada 1001 glpat-secret here"))]
#[case::token(status(401).set_body_string("glpat-secret"))]
#[tokio::test]
async fn error_texts_hold_no_response(#[case] response: ResponseTemplate) {
    let server = serve(USER_PATH, response).await;
    let error = ask(&server).await.unwrap_err();
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(!["ada", "1001", "glpat", "127.0.0.1"].iter().any(|secret| text.contains(secret)), "{text}");
    }
}
