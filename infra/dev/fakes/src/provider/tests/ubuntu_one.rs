//! launchpad.md, section 9: the behaviour of Ubuntu One.

use serde_json::json;

use super::{NS, SITE, assertion, check, direct, location, sign_in_as};
use crate::testing::start;

const TEAMS: (&str, &str) = ("lp.query_membership", "ubuntumembers,kubuntu-members,lubuntu-members");

#[tokio::test]
async fn identifier_has_seven_known_characters() {
    let running = start().await;
    let alice = assertion(&running, "alice", &[]).await;
    assert_eq!(alice["claimed_id"], alice["identity"]);
    let identifier = alice["identity"].strip_prefix(&format!("{}/+id/", running.root)).unwrap();
    assert_eq!(identifier.len(), 7);
    assert!(
        identifier.chars().all(|letter| "34678bcdefhkmnprstwxyzABCDEFGHJKLMNPQRTWXY".contains(letter)),
        "{identifier}"
    );
}

#[tokio::test]
async fn all_fields_are_signed() {
    let running = start().await;
    let alice = assertion(&running, "alice", &[("assoc_handle", "unknown-handle")]).await;
    let signed: Vec<_> = alice["signed"].split(',').collect();
    let expected: Vec<_> = alice.keys().filter(|name| *name != "sig").collect();
    assert_eq!(signed, expected);
    assert!(["mode", "ns", "ns.sreg", "ns.lp", "signed"].iter().all(|name| signed.contains(name)), "{signed:?}");
    assert_eq!(check(&running, &alice).await["is_valid"], "true");
}

#[tokio::test]
async fn handle_contains_type_and_time() {
    let running = start().await;
    let request = [("ns", NS), ("mode", "associate"), ("assoc_type", "HMAC-SHA1"), ("session_type", "no-encryption")];
    let (_, association) = direct(&running, &request).await;
    assert_eq!(association["expires_in"], "1209600");
    let alice = assertion(&running, "alice", &[]).await;
    for (handle, kind) in [(&association["assoc_handle"], "HMAC-SHA1"), (&alice["assoc_handle"], "HMAC-SHA256")] {
        let parts: Vec<_> = handle.trim_matches(['{', '}']).split("}{").collect();
        assert_eq!((parts[0], parts[1].len(), parts[2].len()), (kind, 8, 8), "{handle}");
    }
}

#[tokio::test]
async fn malformed_check_gets_400() {
    let request = [("ns", NS), ("mode", "check_authentication"), ("assoc_handle", "x"), ("sig", "x")];
    let (status, fields) = direct(&start().await, &request).await;
    assert!(status == 400 && fields.contains_key("error"), "{status}");
}

#[tokio::test]
async fn services_include_extensions() {
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
async fn inactive_account_has_no_page() {
    let running = start().await;
    let identifier = running.identifier_of("ines").await;
    assert_eq!(running.get(&format!("/+id/{identifier}")).await.status(), 404);
    assert_eq!(sign_in_as(&running, "ines", &[]).await.status(), 403);
}

#[tokio::test]
async fn optional_fields_are_unticked_by_default() {
    let running = start().await;
    let fields = [("sreg.required", "email"), ("sreg.optional", "language,fullname")];
    let alice = assertion(&running, "alice", &fields).await;
    assert!(alice.contains_key("sreg.email") && !alice.contains_key("sreg.language"));
    running.control("PATCH", "people/alice", json!({ "tick": ["fullname"], "language": "pt_BR" })).await;
    let alice = assertion(&running, "alice", &fields).await;
    assert_eq!((alice["sreg.fullname"].as_str(), alice["sreg.language"].as_str()), ("alice", "pt_BR"));
}

#[tokio::test]
async fn namespace_is_absent_without_ticked_fields() {
    let running = start().await;
    let fields = [("sreg.required", "email"), ("sreg.optional", "language")];
    let una = assertion(&running, "una", &fields).await;
    assert!(una.keys().all(|name| !name.contains("sreg")), "{una:?}");
    running.control("PATCH", "people/una", json!({ "tick": ["email"] })).await;
    assert_eq!(assertion(&running, "una", &fields).await["sreg.email"], "una@mail.example");
}

#[tokio::test]
async fn unusable_address_is_sent() {
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
async fn nickname_requires_launchpad_person() {
    let running = start().await;
    for (key, nickname) in [("nobody-here", None), ("clive", None), ("grace", Some("grace-old"))] {
        let fields = assertion(&running, key, &[]).await;
        assert_eq!(fields.get("sreg.nickname").map(String::as_str), nickname, "{key}");
        assert_eq!(fields.contains_key("lp.is_member"), nickname.is_some(), "{key}");
    }
}

#[tokio::test]
async fn requested_identifier_is_used() {
    let running = start().await;
    running.control("POST", "people/alice/identifiers", json!({ "openid_identifier": "3333333" })).await;
    let default = assertion(&running, "alice", &[]).await["identity"].clone();
    assert!(!default.ends_with("3333333"));
    let query = super::request(&[])
        .into_iter()
        .chain([("openid_identifier".to_owned(), "3333333".to_owned())])
        .collect::<Vec<_>>();
    let response = running.get(&super::with_query("/+openid/sign-in-as", &query)).await;
    assert!(super::fields(&location(&response))["identity"].ends_with("/+id/3333333"));
    running.control("PATCH", "people/alice", json!({ "openid_identifier": "4444444" })).await;
    assert!(assertion(&running, "alice", &[]).await["identity"].ends_with("/+id/4444444"));
}

/// A URL of 2,047 characters is a redirect, a longer one is a form.
#[tokio::test]
async fn form_replaces_url_beyond_2047_characters() {
    let running = start().await;
    let status = async |length: usize| {
        let site = format!("{SITE}&note={}", "x".repeat(length));
        let response = sign_in_as(&running, "alice", &[("return_to", &site)]).await;
        (response.status().as_u16(), response.headers().get("location").map_or(0, |url| url.len()))
    };
    // The escaped nonce and signature vary in length, so this searches for the limit.
    let mut longest = 0;
    for length in (300..700).step_by(5) {
        let (status, url) = status(length).await;
        assert!(status == 302 && url <= 2_047 || status == 200, "{status} at {url}");
        longest = longest.max(url);
    }
    assert!(longest > 2_000, "{longest}");
}
