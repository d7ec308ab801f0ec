//! The provider, asked over HTTP as a browser and a relying party do.

mod ubuntu_one;

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Response;
use scraper::{Html, Selector};
use serde_json::json;
use url::Url;

use super::mac::Mac;
use super::message::{IDENTIFIER_SELECT, NS, encode};
use crate::testing::{Running, start};

type Fields = BTreeMap<String, String>;

const SITE: &str = "http://site.example/callback?state=1";

/// A request for a sign-in, with further fields.
fn request(further: &[(&str, &str)]) -> Vec<(String, String)> {
    let usual = [
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
    let mut fields: Fields = usual.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    fields.extend(further.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    fields.into_iter().map(|(name, value)| (format!("openid.{name}"), value)).collect()
}

fn with_query(path: &str, pairs: &[(String, String)]) -> String {
    format!("{path}?{}", encode(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))))
}

async fn sign_in_as(running: &Running, name: &str, further: &[(&str, &str)]) -> Response {
    let query: Vec<_> = std::iter::once(("name".to_owned(), name.to_owned())).chain(request(further)).collect();
    running.get(&with_query("/+openid/sign-in-as", &query)).await
}

fn location(answer: &Response) -> Url {
    assert_eq!(answer.status(), 302);
    answer.headers()["location"].to_str().unwrap().parse().unwrap()
}

/// The protocol's fields of a URL that the browser came back to.
fn fields(url: &Url) -> Fields {
    url.query_pairs()
        .filter_map(|(name, value)| Some((name.strip_prefix("openid.")?.to_owned(), value.into())))
        .collect()
}

async fn assertion(running: &Running, name: &str, further: &[(&str, &str)]) -> Fields {
    fields(&location(&sign_in_as(running, name, further).await))
}

/// What the provider answers to the relying party itself.
async fn direct(running: &Running, fields: &[(&str, &str)]) -> (u16, Fields) {
    let form: Vec<_> = fields.iter().map(|(name, value)| (format!("openid.{name}"), *value)).collect();
    let answer = running.request("POST", "/+openid").form(&form).send().await.unwrap();
    let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
    (status, text.lines().filter_map(|line| line.split_once(':')).map(|(n, v)| (n.into(), v.into())).collect())
}

async fn check(running: &Running, assertion: &Fields) -> Fields {
    let fields: Vec<_> = assertion
        .iter()
        .map(|(name, value)| (name.as_str(), if name == "mode" { "check_authentication" } else { value.as_str() }))
        .collect();
    direct(running, &fields).await.1
}

#[tokio::test]
async fn assertion_is_confirmed_once_and_unaltered() {
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
async fn assertion_is_confirmed_again_when_asked() {
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
async fn association_signs_and_confirms_nothing(#[case] kind: &str, #[case] mac: Mac) {
    let running = start().await;
    let asked = [("ns", NS), ("mode", "associate"), ("assoc_type", kind), ("session_type", "no-encryption")];
    let (status, association) = direct(&running, &asked).await;
    assert_eq!((status, association["assoc_type"].as_str()), (200, kind));
    let bob = assertion(&running, "bob", &[("assoc_handle", &association["assoc_handle"])]).await;
    assert_eq!(bob["assoc_handle"], association["assoc_handle"]);
    assert!(!bob.contains_key("invalidate_handle"));
    let again = assertion(&running, "bob", &[("assoc_handle", &association["assoc_handle"])]).await;
    assert_ne!(again["response_nonce"], bob["response_nonce"]);
    let text: String = bob["signed"].split(',').map(|name| format!("{name}:{}\n", bob[name])).collect();
    assert_eq!(mac.sign(&STANDARD.decode(&association["mac_key"]).unwrap(), &text), bob["sig"]);
    // The relying party could have signed it itself (11.4.2).
    assert_eq!(check(&running, &bob).await["is_valid"], "false");
}

#[tokio::test]
async fn handle_is_invalidated_when_unknown() {
    let running = start().await;
    let alice = assertion(&running, "alice", &[("assoc_handle", "of-long-ago")]).await;
    assert_eq!(alice["invalidate_handle"], "of-long-ago");
    assert_ne!(alice["assoc_handle"], "of-long-ago");
    let checked = check(&running, &alice).await;
    assert_eq!((checked["is_valid"].as_str(), checked["invalidate_handle"].as_str()), ("true", "of-long-ago"));
}

#[rstest::rstest]
#[case::dh("HMAC-SHA256", "DH-SHA256", Some("Bw=="), 200)]
#[case::dh_of_the_other_length("HMAC-SHA256", "DH-SHA1", Some("Bw=="), 400)]
#[case::no_session("HMAC-SHA1", "", None, 400)]
#[case::unknown("HMAC-MD5", "no-encryption", None, 400)]
#[case::no_number("HMAC-SHA1", "DH-SHA1", None, 400)]
#[case::no_base64("HMAC-SHA1", "DH-SHA1", Some("~"), 400)]
#[case::weak("HMAC-SHA1", "DH-SHA1", Some("AQ=="), 400)]
#[tokio::test]
async fn association_has_its_status(
    #[case] kind: &str,
    #[case] session: &str,
    #[case] public: Option<&str>,
    #[case] status: u16,
) {
    let running = start().await;
    let mut asked = vec![("ns", NS), ("mode", "associate"), ("assoc_type", kind), ("session_type", session)];
    asked.extend(public.map(|public| ("dh_consumer_public", public)));
    let (answered, fields) = direct(&running, &asked).await;
    assert_eq!(answered, status, "{fields:?}");
    assert_eq!(fields.contains_key("error"), status != 200);
    assert_eq!(fields.contains_key("enc_mac_key"), status == 200);
}

#[tokio::test]
async fn identifiers_are_discovered() {
    let running = start().await;
    let word = running.json("/control/people/alice").await["word"].as_str().unwrap().to_owned();
    for (path, list, service) in [
        ("/".to_owned(), "/+xrds".to_owned(), "server"),
        (format!("/+id/{word}"), format!("/+id/{word}/+xrds"), "signon"),
    ] {
        let page = running.get(&path).await;
        assert_eq!(page.headers()["x-xrds-location"], format!("{}{list}", running.root));
        let accepting = running.request("GET", &path).header("accept", "application/xrds+xml,text/html;q=0.5");
        let at_once = accepting.send().await.unwrap();
        assert_eq!(at_once.headers()["content-type"], "application/xrds+xml");
        let text = at_once.text().await.unwrap();
        assert!(text.contains(&format!("<Type>http://specs.openid.net/auth/2.0/{service}</Type>")), "{text}");
        assert!(text.contains(&format!("<URI>{}/+openid</URI>", running.root)), "{text}");
        assert_eq!(running.get(&list).await.text().await.unwrap(), text);
    }
    assert_eq!(running.get("/+id/xxxxxxx").await.status(), 404);
}

#[tokio::test]
async fn page_finds_people_after_a_post() {
    let running = start().await;
    let links = async |answer: Response| {
        assert_eq!(answer.status(), 200);
        let page = Html::parse_document(&answer.text().await.unwrap());
        let names: Vec<_> =
            page.select(&Selector::parse("li a").unwrap()).map(|a| a.text().collect::<String>()).collect();
        names
    };
    let posted = running.request("POST", "/+openid").form(&request(&[])).send().await.unwrap();
    let names = links(posted).await;
    assert!(names.contains(&"alice".to_owned()) && names.len() == 200);
    let search = |what: &str| {
        let query: Vec<_> = request(&[]).into_iter().chain([("search".to_owned(), what.to_owned())]).collect();
        with_query("/+openid", &query)
    };
    assert_eq!(links(running.get(&search("member0777")).await).await, ["member0777"]);
    assert_eq!(links(running.get(&search("Code of Conduct")).await).await, ["dave"]);
}

#[tokio::test]
async fn only_the_requested_person_signs_in() {
    let running = start().await;
    let word = running.json("/control/people/alice").await["word"].as_str().unwrap().to_owned();
    let identity = format!("{}/+id/{word}", running.root);
    let asked = [("identity", identity.as_str()), ("claimed_id", identity.as_str())];
    assert_eq!(assertion(&running, "alice", &asked).await["claimed_id"], identity);
    assert_eq!(sign_in_as(&running, "bob", &asked).await.status(), 403);
}

#[tokio::test]
async fn long_answer_goes_by_form() {
    let running = start().await;
    let long = format!("{SITE}&note={}", "x".repeat(1_000));
    let answer = sign_in_as(&running, "alice", &[("return_to", &long)]).await;
    assert_eq!(answer.status(), 200);
    let page = Html::parse_document(&answer.text().await.unwrap());
    let form = page.select(&Selector::parse("form[method=post]").unwrap()).next().unwrap();
    assert_eq!(form.attr("action"), Some(long.as_str()));
    assert!(
        form.select(&Selector::parse("button[type=submit]").unwrap()).next().is_some(),
        "it works without a script"
    );
    let inputs = Selector::parse("input").unwrap();
    let value = |element: scraper::ElementRef<'_>, name| element.attr(name).unwrap().to_owned();
    let fields: Fields = form
        .select(&inputs)
        .map(|input| (value(input, "name").strip_prefix("openid.").unwrap().to_owned(), value(input, "value")))
        .collect();
    assert_eq!(check(&running, &fields).await["is_valid"], "true");
}

#[rstest::rstest]
#[case::other_realm(&[("realm", "http://other.example/")])]
#[case::no_way_back(&[("return_to", "")])]
#[case::other_protocol(&[("ns", "http://openid.net/signon/1.1")])]
#[tokio::test]
async fn browser_stays_when_realm_differs(#[case] further: &[(&str, &str)]) {
    let running = start().await;
    assert_eq!(sign_in_as(&running, "alice", further).await.status(), 400);
    assert_eq!(running.get(&with_query("/+openid", &request(further))).await.status(), 400);
}

#[tokio::test]
async fn immediate_request_needs_setup() {
    let running = start().await;
    let query = request(&[("mode", "checkid_immediate")]);
    let answer = running.get(&with_query("/+openid", &query)).await;
    assert_eq!(fields(&location(&answer))["mode"], "setup_needed");
}

#[rstest::rstest]
#[case("cancel", "cancel")]
#[case("error", "error")]
#[case("setup-needed", "setup_needed")]
#[tokio::test]
async fn browser_comes_back_without_assertion(#[case] kind: &str, #[case] mode: &str) {
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
async fn provider_fails_when_asked(
    #[case] fault: serde_json::Value,
    #[case] status: u16,
    #[case] is_valid: Option<&str>,
) {
    let running = start().await;
    running.control("PUT", "provider/faults/alice", fault).await;
    let alice = assertion(&running, "alice", &[]).await;
    let mut asked: Vec<_> = alice.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    asked.retain(|(name, _)| *name != "mode");
    asked.push(("mode", "check_authentication"));
    let (answered, fields) = direct(&running, &asked).await;
    assert_eq!((answered, fields.get("is_valid").map(String::as_str)), (status, is_valid));
}
