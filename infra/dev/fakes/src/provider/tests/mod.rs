//! Tests of the provider over HTTP, as a browser and a relying party.

mod ubuntu_one;

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Response;
use scraper::{Html, Selector};
use serde_json::json;
use url::Url;

use crate::openid::mac::Mac;
use crate::openid::message::{IDENTIFIER_SELECT, NS, encode_query};
use crate::testing::{Running, start};

type Fields = BTreeMap<String, String>;

const SITE: &str = "http://site.example/callback?state=1";

/// The fields of a sign-in request, with additions or replacements.
fn request(changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let defaults = [
        ("ns", NS),
        ("mode", "checkid_setup"),
        ("claimed_id", IDENTIFIER_SELECT),
        ("identity", IDENTIFIER_SELECT),
        ("return_to", SITE),
        ("realm", "http://site.example/"),
        ("ns.sreg", "http://openid.net/extensions/sreg/1.1"),
        ("sreg.required", "email,nickname"),
        ("ns.lp", "http://ns.launchpad.net/2007/openid-teams"),
        ("lp.query_membership", "ubuntumembers,lubuntu-members"),
    ];
    let mut fields: Fields = defaults.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    fields.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    fields.into_iter().map(|(name, value)| (format!("openid.{name}"), value)).collect()
}

fn with_query(path: &str, pairs: &[(String, String)]) -> String {
    format!("{path}?{}", encode_query(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))))
}

async fn sign_in_as(running: &Running, name: &str, changes: &[(&str, &str)]) -> Response {
    let query: Vec<_> = std::iter::once(("name".to_owned(), name.to_owned())).chain(request(changes)).collect();
    running.get(&with_query("/+openid/sign-in-as", &query)).await
}

fn location(response: &Response) -> Url {
    assert_eq!(response.status(), 302);
    response.headers()["location"].to_str().unwrap().parse().unwrap()
}

/// The fields of the protocol in the URL of a redirect.
fn fields(url: &Url) -> Fields {
    url.query_pairs()
        .filter_map(|(name, value)| Some((name.strip_prefix("openid.")?.to_owned(), value.into())))
        .collect()
}

async fn assertion(running: &Running, name: &str, changes: &[(&str, &str)]) -> Fields {
    fields(&location(&sign_in_as(running, name, changes).await))
}

/// Sends a direct request and returns the status and fields of the response.
async fn direct(running: &Running, fields: &[(&str, &str)]) -> (u16, Fields) {
    let form: Vec<_> = fields.iter().map(|(name, value)| (format!("openid.{name}"), *value)).collect();
    let response = running.request("POST", "/+openid").form(&form).send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (
        status,
        text.lines().filter_map(|line| line.split_once(':')).map(|(name, value)| (name.into(), value.into())).collect(),
    )
}

/// Verifies an assertion with `check_authentication`.
async fn check(running: &Running, assertion: &Fields) -> Fields {
    let fields: Vec<_> = assertion
        .iter()
        .map(|(name, value)| (name.as_str(), if name == "mode" { "check_authentication" } else { value.as_str() }))
        .collect();
    direct(running, &fields).await.1
}

#[tokio::test]
async fn assertion_is_confirmed_once_if_unaltered() {
    let running = start().await;
    let alice = assertion(&running, "alice", &[]).await;
    assert_eq!(alice["sreg.email"], "alice@mail.example");
    assert_eq!(alice["return_to"], SITE);
    assert!(!alice.contains_key("sreg.fullname"), "the site did not ask for it");
    let mut forged = assertion(&running, "alice", &[]).await;
    forged.insert("sreg.email".into(), "mallory@mail.example".into());
    assert_eq!(check(&running, &forged).await["is_valid"], "false");
    assert_eq!(check(&running, &alice).await["is_valid"], "true");
    assert_eq!(check(&running, &alice).await["is_valid"], "false");
}

#[tokio::test]
async fn assertion_is_confirmed_again_under_fault() {
    let running = start().await;
    running.control("PUT", "provider/faults/alice", json!({ "kind": "confirms-again" })).await;
    let alice = assertion(&running, "alice", &[]).await;
    let mut forged = alice.clone();
    forged.insert("sreg.email".into(), "mallory@mail.example".into());
    for _ in 0..2 {
        assert_eq!(check(&running, &alice).await["is_valid"], "true");
        assert_eq!(check(&running, &forged).await["is_valid"], "false");
    }
}

#[rstest::rstest]
#[case("HMAC-SHA1", Mac::Sha1)]
#[case("HMAC-SHA256", Mac::Sha256)]
#[tokio::test]
async fn shared_key_signs_without_confirmation(#[case] kind: &str, #[case] mac: Mac) {
    let running = start().await;
    let request = [("ns", NS), ("mode", "associate"), ("assoc_type", kind), ("session_type", "no-encryption")];
    let (status, association) = direct(&running, &request).await;
    assert_eq!((status, association["assoc_type"].as_str()), (200, kind));
    let bob = assertion(&running, "bob", &[("assoc_handle", &association["assoc_handle"])]).await;
    assert_eq!(bob["assoc_handle"], association["assoc_handle"]);
    assert!(!bob.contains_key("invalidate_handle"));
    let again = assertion(&running, "bob", &[("assoc_handle", &association["assoc_handle"])]).await;
    assert_ne!(again["response_nonce"], bob["response_nonce"]);
    let text: String = bob["signed"].split(',').map(|name| format!("{name}:{}\n", bob[name])).collect();
    assert_eq!(mac.sign(&STANDARD.decode(&association["mac_key"]).unwrap(), &text), bob["sig"]);
    // The relying party itself could have signed it (11.4.2).
    assert_eq!(check(&running, &bob).await["is_valid"], "false");
}

#[tokio::test]
async fn unknown_handle_is_invalidated() {
    let running = start().await;
    let alice = assertion(&running, "alice", &[("assoc_handle", "unknown-handle")]).await;
    assert_eq!(alice["invalidate_handle"], "unknown-handle");
    assert_ne!(alice["assoc_handle"], "unknown-handle");
    let checked = check(&running, &alice).await;
    assert_eq!((checked["is_valid"].as_str(), checked["invalidate_handle"].as_str()), ("true", "unknown-handle"));
}

#[rstest::rstest]
#[case::dh("HMAC-SHA256", "DH-SHA256", Some("Bw=="), 200)]
#[case::dh_with_other_length("HMAC-SHA256", "DH-SHA1", Some("Bw=="), 400)]
#[case::no_session("HMAC-SHA1", "", None, 400)]
#[case::unknown("HMAC-MD5", "no-encryption", None, 400)]
#[case::no_number("HMAC-SHA1", "DH-SHA1", None, 400)]
#[case::no_base64("HMAC-SHA1", "DH-SHA1", Some("~"), 400)]
#[case::weak("HMAC-SHA1", "DH-SHA1", Some("AQ=="), 400)]
#[tokio::test]
async fn association_request_gets_status(
    #[case] kind: &str,
    #[case] session: &str,
    #[case] public: Option<&str>,
    #[case] status: u16,
) {
    let running = start().await;
    let mut request = vec![("ns", NS), ("mode", "associate"), ("assoc_type", kind), ("session_type", session)];
    request.extend(public.map(|public| ("dh_consumer_public", public)));
    let (found, fields) = direct(&running, &request).await;
    assert_eq!(found, status, "{fields:?}");
    assert_eq!(fields.contains_key("error"), status != 200);
    assert_eq!(fields.contains_key("enc_mac_key"), status == 200);
}

#[tokio::test]
async fn identifiers_are_discovered() {
    let running = start().await;
    let identifier = running.identifier_of("alice").await;
    for (path, list, service) in [
        ("/".to_owned(), "/+xrds".to_owned(), "server"),
        (format!("/+id/{identifier}"), format!("/+id/{identifier}/+xrds"), "signon"),
    ] {
        let page = running.get(&path).await;
        assert_eq!(page.headers()["x-xrds-location"], format!("{}{list}", running.root));
        let request = running.request("GET", &path).header("accept", "application/xrds+xml,text/html;q=0.5");
        let xrds = request.send().await.unwrap();
        assert_eq!(xrds.headers()["content-type"], "application/xrds+xml");
        let text = xrds.text().await.unwrap();
        assert!(text.contains(&format!("<Type>http://specs.openid.net/auth/2.0/{service}</Type>")), "{text}");
        assert!(text.contains(&format!("<URI>{}/+openid</URI>", running.root)), "{text}");
        assert_eq!(running.get(&list).await.text().await.unwrap(), text);
    }
    assert_eq!(running.get("/+id/xxxxxxx").await.status(), 404);
}

#[tokio::test]
async fn page_lists_and_searches_people() {
    let running = start().await;
    let posted = running.request("POST", "/+openid").form(&request(&[])).send().await.unwrap();
    let names = listed_names(posted).await;
    assert!(names.contains(&"alice".to_owned()) && names.len() == 200);
    for (text, name) in [("member0777", "member0777"), ("Code of Conduct", "dave")] {
        let query: Vec<_> = request(&[]).into_iter().chain([("search".to_owned(), text.to_owned())]).collect();
        let found = running.get(&with_query("/+openid", &query)).await;
        assert_eq!(listed_names(found).await, [name]);
    }
}

/// The names on a page that asks who signs in.
async fn listed_names(response: Response) -> Vec<String> {
    assert_eq!(response.status(), 200);
    let page = Html::parse_document(&response.text().await.unwrap());
    page.select(&Selector::parse("li a").unwrap()).map(|a| a.text().collect()).collect()
}

#[tokio::test]
async fn only_the_requested_person_signs_in() {
    let running = start().await;
    let identifier = running.identifier_of("alice").await;
    let identity = format!("{}/+id/{identifier}", running.root);
    let fields = [("identity", identity.as_str()), ("claimed_id", identity.as_str())];
    assert_eq!(assertion(&running, "alice", &fields).await["claimed_id"], identity);
    assert_eq!(sign_in_as(&running, "bob", &fields).await.status(), 403);
}

#[tokio::test]
async fn long_response_uses_a_form() {
    let running = start().await;
    let long = format!("{SITE}&note={}", "x".repeat(1_000));
    let response = sign_in_as(&running, "alice", &[("return_to", &long)]).await;
    assert_eq!(response.status(), 200);
    let page = Html::parse_document(&response.text().await.unwrap());
    let form = page.select(&Selector::parse("form[method=post]").unwrap()).next().unwrap();
    assert_eq!(form.attr("action"), Some(long.as_str()));
    assert!(
        form.select(&Selector::parse("button[type=submit]").unwrap()).next().is_some(),
        "it works without a script"
    );
    let inputs = Selector::parse("input").unwrap();
    let inputs = form.select(&inputs).map(|input| ["name", "value"].map(|name| input.attr(name).unwrap()));
    let fields: Fields =
        inputs.map(|[name, value]| (name.strip_prefix("openid.").unwrap().to_owned(), value.to_owned())).collect();
    assert_eq!(check(&running, &fields).await["is_valid"], "true");
}

#[rstest::rstest]
#[case::other_realm(&[("realm", "http://other.example/")])]
#[case::no_return_to(&[("return_to", "")])]
#[case::other_protocol(&[("ns", "http://openid.net/signon/1.1")])]
#[tokio::test]
async fn invalid_request_gets_no_redirect(#[case] changes: &[(&str, &str)]) {
    let running = start().await;
    assert_eq!(sign_in_as(&running, "alice", changes).await.status(), 400);
    assert_eq!(running.get(&with_query("/+openid", &request(changes))).await.status(), 400);
}

#[tokio::test]
async fn immediate_request_needs_setup() {
    let running = start().await;
    let query = request(&[("mode", "checkid_immediate")]);
    let response = running.get(&with_query("/+openid", &query)).await;
    assert_eq!(fields(&location(&response))["mode"], "setup_needed");
}

#[rstest::rstest]
#[case("cancel", "cancel")]
#[case("error", "error")]
#[case("setup-needed", "setup_needed")]
#[tokio::test]
async fn faulty_redirect_has_no_assertion(#[case] kind: &str, #[case] mode: &str) {
    let running = start().await;
    running.control("PUT", "provider/faults/alice", json!({ "kind": kind, "count": 1 })).await;
    assert_eq!(assertion(&running, "alice", &[]).await["mode"], mode);
    assert_eq!(assertion(&running, "alice", &[]).await["mode"], "id_res");
}

#[rstest::rstest]
#[case(json!({ "kind": "denied" }), 200, Some("false"))]
#[case(json!({ "kind": "malformed" }), 200, None)]
#[case(json!({ "kind": "status", "status": 502 }), 502, None)]
#[case(json!({ "kind": "slow", "millis": 30 }), 200, Some("true"))]
#[tokio::test]
async fn direct_response_has_injected_fault(
    #[case] fault: serde_json::Value,
    #[case] status: u16,
    #[case] is_valid: Option<&str>,
) {
    let running = start().await;
    running.control("PUT", "provider/faults/alice", fault).await;
    let alice = assertion(&running, "alice", &[]).await;
    let mut request: Vec<_> = alice.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    request.retain(|(name, _)| *name != "mode");
    request.push(("mode", "check_authentication"));
    let (found, fields) = direct(&running, &request).await;
    assert_eq!((found, fields.get("is_valid").map(String::as_str)), (status, is_valid));
}
