//! Logout at the provider, and logout tokens of the provider.

use jiff::SignedDuration;
use membermail_identity::openid_connect::{CheckError, ProviderError, Refusal};
use serde_json::json;

use crate::party::{now, party, registration};
use crate::provider::Provider;
use crate::scene::{CLIENT_ID, Scene, Signer};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

async fn scene() -> (Provider, Scene) {
    let provider = Provider::start().await;
    let mut scene = Scene::new(&provider.issuer(0), now());
    scene.header["typ"] = "logout+jwt".into();
    scene.claims = json!({
        "iss": scene.issuer, "sub": "1001", "aud": CLIENT_ID, "exp": scene.now + 120, "iat": scene.now, "jti": "once",
        "sid": "session", "events": { EVENT: {} },
    });
    (provider, scene)
}

#[rstest::rstest]
#[case::usual(|_: &mut Scene| {})]
#[case::plain_type(|s: &mut Scene| s.header["typ"] = "JWT".into())]
#[case::no_type(|s: &mut Scene| s.header = json!({ "alg": "RS256", "kid": "rsa" }))]
#[case::no_session(|s: &mut Scene| s.unclaim("sid"))]
#[case::event_with_members(|s: &mut Scene| s.claims["events"][EVENT] = json!({ "x": 1 }))]
#[case::another_event_too(|s: &mut Scene| s.claims["events"]["x"] = json!(1))]
#[case::two_minutes_old(|s: &mut Scene| s.claims["iat"] = (s.now - 120).into())]
#[tokio::test]
async fn logout_token_names_a_person(#[case] change: fn(&mut Scene)) {
    let (provider, mut scene) = scene().await;
    change(&mut scene);
    provider.play("", &scene);
    let token = party(registration(&scene.issuer)).check_logout_token(&scene.token(), now()).await.unwrap();
    assert_eq!((token.subject.as_str(), token.jti.as_str()), ("1001", "once"));
    assert_eq!(Some(token.issued_at.as_second()), scene.claims["iat"].as_i64());
}

#[rstest::rstest]
#[case::id_token(|s: &mut Scene| s.claims = Scene::new(&s.issuer, now()).claims, Refusal::MissingClaim("jti"))]
#[case::id_token_with_an_event(|s: &mut Scene| s.claims["nonce"] = "x".into(), Refusal::LogoutNonce)]
#[case::empty_nonce(|s: &mut Scene| s.claims["nonce"] = ().into(), Refusal::LogoutNonce)]
#[case::access_token(|s: &mut Scene| s.header["typ"] = "at+jwt".into(), Refusal::Type)]
#[case::no_events(|s: &mut Scene| s.unclaim("events"), Refusal::NoLogoutEvent)]
#[case::another_event(|s: &mut Scene| s.claims["events"] = json!({ "x": {} }), Refusal::NoLogoutEvent)]
#[case::event_as_a_list(|s: &mut Scene| s.claims["events"] = json!([EVENT]), Refusal::NoLogoutEvent)]
#[case::event_that_is_no_object(|s: &mut Scene| s.claims["events"][EVENT] = json!(true), Refusal::NoLogoutEvent)]
#[case::only_a_session(|s: &mut Scene| s.unclaim("sub"), Refusal::SessionOnly)]
#[case::neither_person_nor_session(|s: &mut Scene| { s.unclaim("sub"); s.unclaim("sid"); }, Refusal::MissingClaim("sub"))]
#[case::no_id(|s: &mut Scene| s.unclaim("jti"), Refusal::MissingClaim("jti"))]
#[case::empty_id(|s: &mut Scene| s.claims["jti"] = "".into(), Refusal::MalformedClaim("jti"))]
#[case::long_id(|s: &mut Scene| s.claims["jti"] = "x".repeat(256).into(), Refusal::MalformedClaim("jti"))]
#[case::old(|s: &mut Scene| s.claims["iat"] = (s.now - 181).into(), Refusal::IssuedLongAgo)]
#[case::of_the_future(|s: &mut Scene| s.claims["iat"] = (s.now + 61).into(), Refusal::IssuedInFuture)]
#[case::expired(|s: &mut Scene| s.claims["exp"] = (s.now - 60).into(), Refusal::Expired)]
#[case::no_expiry(|s: &mut Scene| s.unclaim("exp"), Refusal::MissingClaim("exp"))]
#[case::another_issuer(|s: &mut Scene| s.claims["iss"] = "https://evil.example".into(), Refusal::Issuer)]
#[case::another_client(|s: &mut Scene| s.claims["aud"] = "other".into(), Refusal::Audience)]
#[case::another_key(|s: &mut Scene| s.signer = Signer::Stranger, Refusal::Signature)]
#[case::client_secret(|s: &mut Scene| s.sign("HS256", "rsa", Signer::HmacOfSecret), Refusal::Algorithm)]
#[case::unsigned(|s: &mut Scene| s.sign("none", "rsa", Signer::Unsigned), Refusal::Algorithm)]
#[case::oversized(|s: &mut Scene| s.claims["x"] = "x".repeat(13 * 1024).into(), Refusal::TokenOversized)]
#[tokio::test]
async fn hostile_logout_token_is_refused(#[case] change: fn(&mut Scene), #[case] expected: Refusal) {
    let (provider, mut scene) = scene().await;
    change(&mut scene);
    provider.play("", &scene);
    let outcome = party(registration(&scene.issuer)).check_logout_token(&scene.token(), now()).await;
    assert_eq!(outcome, Err(CheckError::Refused(expected)));
}

/// The endpoint's caller answers differently: the provider may send the token again.
#[tokio::test]
async fn unavailable_keys_are_no_refusal() {
    let (provider, mut scene) = scene().await;
    scene.answer("jwks", 503, "text/html", "");
    provider.play("", &scene);
    let outcome = party(registration(&scene.issuer)).check_logout_token(&scene.token(), now()).await;
    let unavailable = ProviderError::Unavailable("503 Service Unavailable".to_owned());
    assert_eq!(outcome, Err(CheckError::Provider(unavailable)));
}

/// Anyone can send garbage, which costs no request.
#[tokio::test]
async fn malformed_logout_token_costs_no_request() {
    let (provider, scene) = scene().await;
    provider.play("", &scene);
    let party = party(registration(&scene.issuer));
    for token in ["", "a.b", "a.b.c", "..", &"x".repeat(20_000)] {
        assert!(matches!(party.check_logout_token(token, now()).await, Err(CheckError::Refused(_))));
    }
    assert!(provider.seen().is_empty());
}

#[tokio::test]
async fn logout_url_keeps_the_endpoint_query() {
    let (provider, scene) = scene().await;
    provider.play("", &scene);
    let party = party(registration(&scene.issuer));
    let back = "https://mail.example.org/".parse().unwrap();
    let url = party.end_session_url(&back, now()).await.unwrap();
    let expected = "/end?hint=1&client_id=membermail&post_logout_redirect_uri=https%3A%2F%2Fmail.example.org%2F";
    assert_eq!(url.as_str(), format!("{}{expected}", scene.issuer));
}

#[tokio::test]
async fn no_logout_url_without_endpoint() {
    let (provider, mut scene) = scene().await;
    scene.metadata["end_session_endpoint"] = ().into();
    provider.play("", &scene);
    let back = "https://mail.example.org/".parse().unwrap();
    let party = party(registration(&scene.issuer));
    assert_eq!(party.end_session_url(&back, now()).await, None);
    // Nor while the provider fails.
    scene.answer("metadata", 503, "text/html", "");
    provider.play("", &scene);
    assert_eq!(party.end_session_url(&back, now() + SignedDuration::from_hours(2)).await, None);
}
