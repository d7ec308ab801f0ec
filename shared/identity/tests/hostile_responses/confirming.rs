//! Direct verification: only an exact confirmation by the provider counts.

use membermail_identity::openid2::{ConfirmError, SignedIn};
use url::Url;
use wiremock::matchers::{method, path};
use wiremock::{Mock, ResponseTemplate};

use crate::support::{NS, Pairs, World, party};

/// A confirmation with additional lines.
fn confirmation_with(more: &str) -> String {
    format!("ns:{NS}\nis_valid:true\n{more}")
}

fn outcome(result: Result<SignedIn, ConfirmError>) -> &'static str {
    match result {
        Ok(_) => "confirmed",
        Err(ConfirmError::Forged) => "forged",
        Err(ConfirmError::Rejected) => "rejected",
        Err(ConfirmError::TimedOut) => "timed-out",
        Err(ConfirmError::Unavailable(_)) => "unavailable",
        Err(ConfirmError::Malformed(_)) => "malformed",
    }
}

#[tokio::test]
async fn forged_signature_is_denied() {
    let world = World::new().await;
    let mut answer = world.good();
    answer.set("openid.sreg.email", "eve@mail.example");
    let checked = world.check(&answer.encode()).unwrap();
    assert!(matches!(world.party.confirm(checked).await, Err(ConfirmError::Forged)));
}

/// Signatures under another key, of another response, and a malformed one.
#[tokio::test]
async fn foreign_signature_is_denied() {
    let world = World::new().await;
    let other = world.good().set("openid.assoc_handle", "other").sign().get("openid.sig").to_owned();
    for signature in ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", other.as_str(), "x"] {
        let mut answer = world.good();
        answer.set("openid.sig", signature);
        let checked = world.check(&answer.encode()).unwrap();
        assert_eq!(outcome(world.party.confirm(checked).await), "forged", "{signature}");
    }
}

/// All protocol fields are sent back unchanged, `invalidate_handle` too; our own parameters are not.
#[tokio::test]
async fn verification_repeats_all_fields() {
    let world = World::new().await;
    let mut answer = world.good();
    answer.push("openid.invalidate_handle", "an older one").push("openid.other", "ä & = + %\u{1f600}");
    let checked = world.check(&answer.encode()).unwrap();
    assert_eq!(outcome(world.party.confirm(checked).await), "confirmed");
    let requests = world.server.received_requests().await.unwrap();
    let [request] = requests.as_slice() else { panic!("asked {} times", requests.len()) };
    assert_eq!(
        (request.url.path(), request.headers["content-type"].to_str().unwrap()),
        ("/+openid", "application/x-www-form-urlencoded")
    );
    let mut asked = Pairs(form_urlencoded::parse(&request.body).into_owned().collect());
    answer.set("openid.mode", "check_authentication").remove("state");
    asked.0.sort();
    answer.0.sort();
    assert_eq!(asked.0, answer.0);
}

#[tokio::test]
async fn unreachable_provider_is_unavailable() {
    let world = World::silent().await;
    let checked = world.check(&world.good().encode()).unwrap();
    // A port without a listener.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let gone = party(&Url::parse(&format!("http://{address}/")).unwrap(), http);
    assert_eq!(outcome(gone.confirm(checked).await), "unavailable");
}

/// Also with a client that follows redirects.
#[tokio::test]
async fn redirected_confirmation_is_refused() {
    let world = World::silent().await.with_http(reqwest::Client::builder().no_proxy().build().unwrap());
    for (status, asked_by) in [(302, "GET"), (303, "GET"), (307, "POST")] {
        world.server.reset().await;
        let away = ResponseTemplate::new(status).insert_header("location", "/elsewhere");
        Mock::given(path("/+openid")).respond_with(away).mount(&world.server).await;
        let yes = ResponseTemplate::new(200).set_body_string(format!("ns:{NS}\nis_valid:true\n"));
        Mock::given(method(asked_by)).and(path("/elsewhere")).respond_with(yes).mount(&world.server).await;
        let checked = world.check(&world.good().encode()).unwrap();
        assert_eq!(outcome(world.party.confirm(checked).await), "malformed", "{status}");
    }
}

#[rstest::rstest]
#[case::down(ResponseTemplate::new(503), "unavailable")]
#[case::slow(ResponseTemplate::new(200).set_delay(std::time::Duration::from_secs(2)), "timed-out")]
#[case::elsewhere(ResponseTemplate::new(302).insert_header("location", "https://evil.example/"), "malformed")]
#[case::garbage(ResponseTemplate::new(200).set_body_string("yes"), "malformed")]
#[case::twice(ResponseTemplate::new(200).set_body_string("ns:http://specs.openid.net/auth/2.0\nis_valid:false\nis_valid:true\n"), "malformed")]
#[case::no_namespace(ResponseTemplate::new(200).set_body_string("is_valid:true\n"), "malformed")]
#[case::other_namespace(ResponseTemplate::new(200).set_body_string("ns:http://openid.net/signon/1.1\nis_valid:true\n"), "malformed")]
#[case::padded(ResponseTemplate::new(200).set_body_string("ns:http://specs.openid.net/auth/2.0\nis_valid: true\n"), "malformed")]
#[case::line_ends(ResponseTemplate::new(200).set_body_string("ns:http://specs.openid.net/auth/2.0\r\nis_valid:true\r\n"), "malformed")]
#[case::cut_off(ResponseTemplate::new(200).set_body_string("ns:http://specs.openid.net/auth/2.0\nis_valid:true"), "malformed")]
#[case::broken_request(ResponseTemplate::new(400).set_body_string("ns:http://specs.openid.net/auth/2.0\nerror:no such handle\n"), "rejected")]
#[case::an_error(ResponseTemplate::new(400).set_body_string("ns:http://specs.openid.net/auth/2.0\nis_valid:true\n"), "rejected")]
#[case::forbidden(ResponseTemplate::new(403), "malformed")]
#[case::another_endpoint(ResponseTemplate::new(404), "malformed")]
#[case::busy(ResponseTemplate::new(429), "unavailable")]
#[case::no_text(ResponseTemplate::new(200).set_body_bytes(vec![0xff, 0xfe]), "malformed")]
#[case::denied(ResponseTemplate::new(200).set_body_string("ns:http://specs.openid.net/auth/2.0\nis_valid:false\n"), "forged")]
#[case::almost(ResponseTemplate::new(200).set_body_string("ns:http://specs.openid.net/auth/2.0\nis_valid:TRUE\n"), "malformed")]
#[case::oversized(ResponseTemplate::new(200).set_body_string(confirmation_with(&format!("x:{}\n", "x".repeat(8192)))), "malformed")]
#[case::one_line_end(ResponseTemplate::new(200).set_body_string(confirmation_with("x:y\r\n")), "malformed")]
#[case::additional_line(ResponseTemplate::new(200).set_body_string(confirmation_with("x:y\n")), "confirmed")]
#[tokio::test]
async fn only_exact_confirmation_counts(#[case] response: ResponseTemplate, #[case] expected: &str) {
    let world = World::silent().await;
    Mock::given(method("POST")).respond_with(response).mount(&world.server).await;
    let checked = world.check(&world.good().encode()).unwrap();
    assert_eq!(outcome(world.party.confirm(checked).await), expected);
    // No retry: the provider may have confirmed the assertion, which it does only once.
    assert_eq!(world.asked().await, 1);
}
