//! launchpad.md, section 9: Ubuntu One's own ways.

use serde_json::json;

use super::{NS, SITE, assertion, check, direct, location, sign_in_as};
use crate::testing::start;

const TEAMS: (&str, &str) = ("lp.query_membership", "ubuntumembers,kubuntu-members,lubuntu-members");

#[tokio::test]
async fn identifier_has_seven_known_characters() {
    let running = start().await;
    let alice = assertion(&running, "alice", &[]).await;
    assert_eq!(alice["claimed_id"], alice["identity"]);
    let word = alice["identity"].strip_prefix(&format!("{}/+id/", running.root)).unwrap();
    assert_eq!(word.len(), 7);
    assert!(word.chars().all(|letter| "34678bcdefhkmnprstwxyzABCDEFGHJKLMNPQRTWXY".contains(letter)), "{word}");
}

#[tokio::test]
async fn everything_is_signed() {
    let running = start().await;
    let alice = assertion(&running, "alice", &[("assoc_handle", "of-long-ago")]).await;
    let signed: Vec<_> = alice["signed"].split(',').collect();
    let expected: Vec<_> = alice.keys().filter(|name| *name != "sig").collect();
    assert_eq!(signed, expected);
    assert!(["mode", "ns", "ns.sreg", "ns.lp", "signed"].iter().all(|name| signed.contains(name)), "{signed:?}");
    assert_eq!(check(&running, &alice).await["is_valid"], "true");
}

#[tokio::test]
async fn handle_names_type_time_and_lot() {
    let running = start().await;
    let asked = [("ns", NS), ("mode", "associate"), ("assoc_type", "HMAC-SHA1"), ("session_type", "no-encryption")];
    let (_, association) = direct(&running, &asked).await;
    assert_eq!(association["expires_in"], "1209600");
    let alice = assertion(&running, "alice", &[]).await;
    for (handle, kind) in [(&association["assoc_handle"], "HMAC-SHA1"), (&alice["assoc_handle"], "HMAC-SHA256")] {
        let parts: Vec<_> = handle.trim_matches(['{', '}']).split("}{").collect();
        assert_eq!((parts[0], parts[1].len(), parts[2].len()), (kind, 8, 8), "{handle}");
    }
}

#[tokio::test]
async fn broken_check_gets_400() {
    let asked = [("ns", NS), ("mode", "check_authentication"), ("assoc_handle", "x"), ("sig", "x")];
    let (status, fields) = direct(&start().await, &asked).await;
    assert!(status == 400 && fields.contains_key("error"), "{status}");
}

#[tokio::test]
async fn server_lists_its_extensions() {
    let text = start().await.get("/+xrds").await.text().await.unwrap();
    for kind in [
        "http://specs.openid.net/auth/2.0/server",
        "http://openid.net/srv/ax/1.0",
        "http://openid.net/extensions/sreg/1.1",
        "http://ns.launchpad.net/2007/openid-teams",
        "http://ns.login.ubuntu.com/2016/openid-macaroon",
    ] {
        assert!(text.contains(&format!("<Type>{kind}</Type>")), "{text}");
    }
}

#[tokio::test]
async fn identity_page_is_missing_when_inactive() {
    let running = start().await;
    let ines = running.json("/control/people/ines").await;
    let word = ines["word"].as_str().unwrap();
    assert_eq!(running.get(&format!("/+id/{word}")).await.status(), 404);
    assert_eq!(sign_in_as(&running, "ines", &[]).await.status(), 403);
}

#[tokio::test]
async fn optional_fields_are_unticked() {
    let running = start().await;
    let asked = [("sreg.required", "email"), ("sreg.optional", "language,fullname")];
    let alice = assertion(&running, "alice", &asked).await;
    assert!(alice.contains_key("sreg.email") && !alice.contains_key("sreg.language"));
    running.control("PATCH", "people/alice", json!({ "tick": ["fullname"], "language": "pt_BR" })).await;
    let alice = assertion(&running, "alice", &asked).await;
    assert_eq!((alice["sreg.fullname"].as_str(), alice["sreg.language"].as_str()), ("alice", "pt_BR"));
}

#[tokio::test]
async fn namespace_is_absent_with_nothing_ticked() {
    let running = start().await;
    let asked = [("sreg.required", "email"), ("sreg.optional", "language")];
    let una = assertion(&running, "una", &asked).await;
    assert!(una.keys().all(|name| !name.contains("sreg")), "{una:?}");
    running.control("PATCH", "people/una", json!({ "tick": ["email"] })).await;
    assert_eq!(assertion(&running, "una", &asked).await["sreg.email"], "una@mail.example");
}

#[tokio::test]
async fn address_is_sent_when_unusable() {
    assert_eq!(assertion(&start().await, "quinn", &[]).await["sreg.email"], "quinn@localhost");
}

#[tokio::test]
async fn teams_are_sent_only_when_ticked() {
    let running = start().await;
    assert_eq!(assertion(&running, "alice", &[TEAMS]).await["lp.is_member"], "");
    running.control("PATCH", "people/alice", json!({ "tick": ["teams"] })).await;
    assert_eq!(assertion(&running, "alice", &[TEAMS]).await["lp.is_member"], "ubuntumembers,kubuntu-members");
    running.control("PATCH", "people/zoe", json!({ "tick": ["teams"] })).await;
    let private = ("lp.query_membership", "core-infrastructure,example-members");
    assert_eq!(assertion(&running, "zoe", &[private]).await["lp.is_member"], "example-members");
}

#[tokio::test]
async fn nickname_needs_a_launchpad_person() {
    let running = start().await;
    for (key, nickname) in [("nobody-here", None), ("clive", None), ("grace", Some("grace-old"))] {
        let fields = assertion(&running, key, &[]).await;
        assert_eq!(fields.get("sreg.nickname").map(String::as_str), nickname, "{key}");
        assert_eq!(fields.contains_key("lp.is_member"), nickname.is_some(), "{key}");
    }
}

#[tokio::test]
async fn identifier_is_chosen_by_word() {
    let running = start().await;
    running.control("POST", "people/alice/identifiers", json!({ "word": "3333333" })).await;
    let usual = assertion(&running, "alice", &[]).await["identity"].clone();
    assert!(!usual.ends_with("3333333"));
    let query = super::request(&[]).into_iter().chain([("word".to_owned(), "3333333".to_owned())]).collect::<Vec<_>>();
    let answer = running.get(&super::with_query("/+openid/sign-in-as", &query)).await;
    assert!(super::fields(&location(&answer))["identity"].ends_with("/+id/3333333"));
    running.control("PATCH", "people/alice", json!({ "word": "4444444" })).await;
    assert!(assertion(&running, "alice", &[]).await["identity"].ends_with("/+id/4444444"));
}

/// A URL of 2,047 characters is a redirect, a longer one is a form.
#[tokio::test]
async fn form_begins_beyond_2047_characters() {
    let running = start().await;
    let status = async |length: usize| {
        let site = format!("{SITE}&note={}", "x".repeat(length));
        let answer = sign_in_as(&running, "alice", &[("return_to", &site)]).await;
        (answer.status().as_u16(), answer.headers().get("location").map_or(0, |url| url.len()))
    };
    // The nonce and the signature, escaped, differ in length from one to the other, so this looks for the edge.
    let mut longest = 0;
    for length in (300..700).step_by(5) {
        let (status, url) = status(length).await;
        assert!(status == 302 && url <= 2_047 || status == 200, "{status} at {url}");
        longest = longest.max(url);
    }
    assert!(longest > 2_000, "{longest}");
}
