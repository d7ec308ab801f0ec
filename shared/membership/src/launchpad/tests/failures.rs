//! Every way in which Launchpad fails, once and for good.

use std::time::Instant;

use rstest::rstest;

use super::*;

fn status(code: u16) -> ResponseTemplate {
    ResponseTemplate::new(code)
}

fn slow() -> ResponseTemplate {
    json_answer(&Value::Null).set_delay(Duration::from_secs(5))
}

fn too_large() -> ResponseTemplate {
    status(200).set_body_bytes(vec![b' '; 4 * 1024 * 1024 + 1])
}

fn redirect() -> ResponseTemplate {
    status(302).insert_header("location", "/devel/~alice")
}

fn plain(code: u16) -> Error {
    Error::Status { code, oops: None }
}

#[rstest]
#[case::slow(slow(), 1)]
#[case::unavailable(status(503), 2)]
#[case::server_error(status(500), 1)]
#[case::bad_gateway(status(502), 1)]
#[case::gateway_time_out(status(504), 1)]
#[case::too_many(status(429), 1)]
#[case::too_many_for_no_time(status(429).insert_header("retry-after", "0"), 1)]
#[case::not_found(status(404), 1)]
#[case::gone(status(410), 1)]
#[case::malformed(status(200).set_body_string("<html>"), 1)]
#[tokio::test]
async fn a_failure_that_passes_is_waited_for(#[case] failure: ResponseTemplate, #[case] times: u64) {
    for of_the_person in [true, false] {
        let server = server().await;
        let request = if of_the_person { person() } else { super_teams() };
        request.respond_with(failure.clone()).up_to_n_times(times).mount(&server).await;
        let client = client_with(&server.uri(), Duration::from_secs(2));
        let standing = client.standing(&ClaimedIdentifier::parse(IDENTIFIER).unwrap()).await.unwrap();
        assert_eq!(team_names(&standing), ["ubuntumembers"]);
        assert_eq!(requests(&server).await, 2 + usize::try_from(times).unwrap());
    }
}

#[rstest]
#[case::slow(slow(), Err(Error::TimedOut))]
#[case::unavailable(status(503), Err(plain(503)))]
#[case::too_many(status(429), Err(plain(429)))]
#[case::not_found(status(404), Err(plain(404)))]
#[case::gone(status(410), Ok(Standing::Gone))]
#[case::gone_is_never_busy(status(410).insert_header("retry-after", "3600"), Ok(Standing::Gone))]
#[case::oops(
    status(503).insert_header("x-lazr-oopsid", "OOPS-abc123"),
    Err(Error::Status { code: 503, oops: Some("OOPS-abc123".to_owned()) })
)]
#[case::oops_that_is_none(status(503).insert_header("x-lazr-oopsid", "see https://x.test"), Err(plain(503)))]
#[tokio::test]
async fn a_failure_that_stays_ends_with_the_patience(
    #[case] failure: ResponseTemplate,
    #[case] result: Result<Standing, Error>,
) {
    let server = server().await;
    person().respond_with(failure).mount(&server).await;
    let started = Instant::now();
    let client = client_with(&server.uri(), Duration::from_millis(1500));
    assert_eq!(client.standing(&ClaimedIdentifier::parse(IDENTIFIER).unwrap()).await, result);
    assert!(started.elapsed() < Duration::from_millis(2500), "{:?}", started.elapsed());
    assert!(result.err().is_none_or(|error| error.is_retryable()));
    assert!(requests(&server).await > 1);
}

#[tokio::test]
async fn a_list_that_is_gone_is_an_error() {
    let server = server().await;
    super_teams().respond_with(status(410)).mount(&server).await;
    assert_eq!(standing(&server).await, Err(plain(410)));
}

#[rstest]
#[case::bad_request(status(400), plain(400))]
#[case::unauthorized(status(401), plain(401))]
#[case::forbidden(status(403), plain(403))]
#[case::no_content(status(204), plain(204))]
#[case::redirect(redirect(), Error::Redirected)]
#[case::too_large(too_large(), Error::TooLarge)]
#[tokio::test]
async fn a_refusal_is_final(#[case] failure: ResponseTemplate, #[case] error: Error) {
    let server = server().await;
    person().respond_with(failure).mount(&server).await;
    assert!(!error.is_retryable());
    assert_eq!(standing(&server).await, Err(error));
    assert_eq!(requests(&server).await, 1);
}

#[rstest]
#[case::seconds("1", None)]
#[case::date("Tue, 24 Nov 2026 10:00:01 GMT", Some("Tue, 24 Nov 2026 10:00:00 GMT"))]
#[tokio::test]
async fn a_pause_that_fits_is_kept(#[case] pause: &str, #[case] date: Option<&str>) {
    for code in [429, 503] {
        let server = server().await;
        let mut failure = status(code).insert_header("retry-after", pause);
        if let Some(date) = date {
            failure = failure.insert_header("date", date);
        }
        person().respond_with(failure).up_to_n_times(1).mount(&server).await;
        let started = Instant::now();
        let client = client_with(&server.uri(), Duration::from_secs(2));
        assert!(client.standing(&ClaimedIdentifier::parse(IDENTIFIER).unwrap()).await.is_ok());
        assert!(started.elapsed() >= Duration::from_secs(1));
        assert_eq!(requests(&server).await, 3);
    }
}

#[rstest]
#[case::seconds("120", 120)]
#[case::date("Tue, 24 Nov 2026 10:02:00 GMT", 120)]
#[case::a_day_at_most("99999999999999999999999", 24 * 60 * 60)]
#[tokio::test]
async fn a_pause_beyond_the_patience_ends_it_at_once(#[case] pause: &str, #[case] seconds: u64) {
    let server = server().await;
    let failure =
        status(503).insert_header("date", "Tue, 24 Nov 2026 10:00:00 GMT").insert_header("retry-after", pause);
    person().respond_with(failure).mount(&server).await;
    let started = Instant::now();
    let error = standing(&server).await.unwrap_err();
    assert!(started.elapsed() < Duration::from_millis(500));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(seconds)));
    assert!(error.is_retryable());
    assert_eq!(requests(&server).await, 1);
}

#[rstest]
#[case::words("soon")]
#[case::negative("-5")]
#[case::empty("")]
#[tokio::test]
async fn a_pause_that_makes_no_sense_is_as_none(#[case] pause: &str) {
    let server = server().await;
    person().respond_with(status(503).insert_header("retry-after", pause)).up_to_n_times(1).mount(&server).await;
    assert!(standing(&server).await.is_ok());
}

#[tokio::test]
async fn messages_tell_nothing_of_whom_it_was_about() {
    let server = server().await;
    let mut answer = alice(&server);
    answer["is_valid"] = json!(IDENTIFIER);
    person().respond_with(json_answer(&answer)).mount(&server).await;
    let error = standing(&server).await.unwrap_err();
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(!text.contains("alice") && !text.contains("+id") && !text.contains("127.0.0.1"), "{text}");
    }
}
