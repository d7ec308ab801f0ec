//! Failures that pass, and when the client gives up.

use std::time::Instant;

use rstest::rstest;

use super::*;

fn status(code: u16) -> ResponseTemplate {
    ResponseTemplate::new(code)
}

fn timeout() -> ResponseTemplate {
    recorded(include_str!("data/timeout.http"))
}

fn slow() -> ResponseTemplate {
    json_response(&Value::Null).set_delay(Duration::from_secs(5))
}

#[rstest]
#[case::timeout(timeout())]
#[case::no_database(status(503).insert_header("x-lazr-oopsid", "OOPS-1"))]
#[case::front_end_500(status(500).set_body_raw("<html>", "text/html"))]
#[case::front_end_502(status(502))]
#[case::front_end_503(status(503))]
#[case::front_end_504(status(504))]
#[case::too_many(status(429))]
#[case::too_many_for_no_time(status(429).insert_header("retry-after", "0"))]
#[case::slow(slow())]
#[tokio::test]
async fn transient_failure_is_retried(#[case] response: ResponseTemplate) {
    let server = MockServer::start().await;
    person_request().respond_with(response).up_to_n_times(1).mount(&server).await;
    person_request().respond_with(json_response(&alice())).mount(&server).await;
    assert!(ask(&server).await.unwrap().is_some());
    assert_eq!(requests(&server).await.len(), 2);
}

/// `Retry-After: 900` is a constant of Launchpad's source. The first pause is zero with the real pauses too.
#[tokio::test]
async fn timeout_is_retried_at_once() {
    let server = MockServer::start().await;
    person_request().respond_with(timeout()).up_to_n_times(1).mount(&server).await;
    person_request().respond_with(json_response(&alice())).mount(&server).await;
    let pauses = [0, 1, 2, 4, 8, 16].map(Duration::from_secs).to_vec();
    let client = Client::new(Settings { pauses, ..settings(&server.uri()) }).unwrap();
    let started = Instant::now();
    assert!(client.person(&identity()).await.unwrap().is_some());
    assert!(started.elapsed() < Duration::from_millis(500), "{:?}", started.elapsed());
}

#[tokio::test]
async fn lookup_ends_after_six_retries() {
    let server = serve(person_request(), timeout()).await;
    let error = ask(&server).await.unwrap_err();
    let oops = Some("OOPS-0123456789abcdef0123456789abcdef".to_owned());
    assert_eq!(error, Error::Status { code: 503, oops });
    assert!(error.is_retryable());
    assert_eq!(requests(&server).await.len(), 7);
}

#[tokio::test]
async fn lookup_ends_with_its_timeout() {
    let server = serve(person_request(), slow()).await;
    let lookup_timeout = Duration::from_millis(300);
    let client = Client::new(Settings { lookup_timeout, ..settings(&server.uri()) }).unwrap();
    let started = Instant::now();
    assert_eq!(client.person(&identity()).await, Err(Error::TimedOut));
    assert!(started.elapsed() < Duration::from_millis(800), "{:?}", started.elapsed());
    assert!(requests(&server).await.len() > 1);
}

#[rstest]
#[case::seconds("1", None)]
#[case::date("Tue, 24 Nov 2026 10:00:01 GMT", Some("Tue, 24 Nov 2026 10:00:00 GMT"))]
#[tokio::test]
async fn short_retry_after_is_waited_for(#[case] pause: &str, #[case] date: Option<&str>) {
    let server = MockServer::start().await;
    let mut response = status(429).insert_header("retry-after", pause);
    if let Some(date) = date {
        response = response.insert_header("date", date);
    }
    person_request().respond_with(response).up_to_n_times(1).mount(&server).await;
    person_request().respond_with(json_response(&alice())).mount(&server).await;
    let started = Instant::now();
    assert!(ask(&server).await.is_ok());
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[rstest]
#[case::seconds("120", 120)]
#[case::date("Tue, 24 Nov 2026 10:02:00 GMT", 120)]
#[case::a_day_at_most("99999999999999999999999", 24 * 60 * 60)]
#[tokio::test]
async fn long_retry_after_ends_question(#[case] pause: &str, #[case] seconds: u64) {
    let response =
        status(429).insert_header("date", "Tue, 24 Nov 2026 10:00:00 GMT").insert_header("retry-after", pause);
    let server = serve(Mock::given(method("GET")), response).await;
    let busy = Error::Busy { retry_after: Duration::from_secs(seconds) };
    assert!(busy.is_retryable());
    assert_eq!(busy.retry_after(), Some(Duration::from_secs(seconds)));
    assert_eq!(ask(&server).await, Err(busy.clone()));
    assert_eq!(roster_page(&server, 0, 0).await, Err(busy));
    assert_eq!(requests(&server).await.len(), 2);
}

#[rstest]
#[tokio::test]
async fn senseless_retry_after_is_ignored(#[values("soon", "-5", "")] pause: &str) {
    let server = MockServer::start().await;
    let response = status(429).insert_header("retry-after", pause);
    person_request().respond_with(response).up_to_n_times(1).mount(&server).await;
    person_request().respond_with(json_response(&alice())).mount(&server).await;
    assert!(ask(&server).await.is_ok());
}

/// The lookup timeout is far shorter than one slow page.
#[tokio::test]
async fn page_outlasts_lookup_timeout() {
    let response = json_response(&whole_list(1, vec![entry(1)])).set_delay(Duration::from_millis(200));
    let server = serve(page_request(), response).await;
    let lookup_timeout = Duration::from_millis(20);
    let client = Client::new(Settings { lookup_timeout, ..settings(&server.uri()) }).unwrap();
    assert_eq!(client.roster_page(&group(), PageCursor::default()).await.unwrap().people.len(), 1);
}
