//! Valid responses, and the authentication request.

use std::collections::BTreeMap;

use membermail_identity::openid2::{ConfirmError, IndirectResponse};
use url::Url;

use crate::support::{NS, SREG, World, callback, now, party_alone};

#[tokio::test]
async fn valid_response_is_accepted() {
    let world = World::new().await;
    let good = world.good();
    let signed_in = world.party.confirm(world.check(&good.encode()).unwrap()).await.unwrap();
    assert_eq!(signed_in.identity.subject.as_str(), world.at("/+id/AbC1234"));
    assert_eq!(signed_in.identity.issuer, world.at("/+openid"));
    assert_eq!(signed_in.email.expose(), "alice@mail.example");
    assert_eq!(signed_in.language.as_deref(), Some("de"));
    assert!(!format!("{signed_in:?}").contains("mail.example"));

    let mut form = good;
    form.remove("state");
    let media_type = Some("application/x-www-form-urlencoded; charset=utf-8");
    let answer = IndirectResponse::from_form("state=our-state", media_type, form.encode().as_bytes()).unwrap();
    let checked = world.party.check(answer, &callback(), now()).unwrap();
    assert!(world.party.confirm(checked).await.is_ok());
}

/// Simple Registration 1.0, an alias chosen by the provider, and no optional fields.
#[tokio::test]
async fn provider_can_choose_alias() {
    let world = World::new().await;
    let mut answer = world.good();
    for name in ["ns.sreg", "sreg.email", "sreg.language"] {
        answer.unsign(name).remove(&format!("openid.{name}"));
    }
    let fields =
        [("ns.who", "http://openid.net/sreg/1.0"), ("who.email", "bob@mail.example"), ("who.fullname", "Bob B.")];
    for (name, value) in fields {
        answer.push(&format!("openid.{name}"), value).sign_too(name);
    }
    let signed_in = world.party.confirm(world.check(&answer.encode()).unwrap()).await.unwrap();
    assert_eq!(signed_in.email.expose(), "bob@mail.example");
    assert_eq!(signed_in.language, None);
}

/// Ubuntu One signs every field that it sends: the mode, each namespace, and the list of the signed fields itself.
#[tokio::test]
async fn fully_signed_response_is_accepted() {
    let world = World::new().await;
    let mut answer = world.good();
    answer.set("openid.assoc_handle", "{HMAC-SHA256}{5855f159}{F2z7DQ==}").sign_too("mode,ns,signed");
    let checked = world.check(&answer.encode()).unwrap();
    assert_eq!(checked.nonce(), "2026-11-24T09:59:58Zunique");
    assert_eq!(checked.issuer(), world.at("/+openid"));
    assert_eq!(world.party.confirm(checked).await.unwrap().email.expose(), "alice@mail.example");

    // The signature covers the list of signed fields.
    answer.set("openid.signed", &answer.get("openid.signed").replace("mode,ns,signed", "ns,mode,signed"));
    let checked = world.check(&answer.encode()).unwrap();
    assert!(matches!(world.party.confirm(checked).await, Err(ConfirmError::Forged)));
}

/// Exactly five minutes are within the window.
#[tokio::test]
async fn clock_skew_of_five_minutes_passes() {
    let world = World::new().await;
    for nonce in ["2026-11-24T09:55:00Z", "2026-11-24T10:05:00Z"] {
        let mut answer = world.good();
        answer.set("openid.response_nonce", nonce).sign();
        assert!(world.check(&answer.encode()).is_ok(), "{nonce}");
    }
}

#[test]
fn request_follows_specification() {
    let realm = Url::parse("https://mail.example.org/live/").unwrap();
    let return_to = Url::parse("https://mail.example.org/live/callback?state=a%26b").unwrap();
    let url = party_alone().authentication_request(&realm, &return_to);
    assert!(url.as_str().starts_with("https://login.example/+openid?"), "{url}");
    let select = format!("{NS}/identifier_select");
    let pairs: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    let expected = [
        ("openid.ns", NS),
        ("openid.mode", "checkid_setup"),
        ("openid.claimed_id", &select),
        ("openid.identity", &select),
        ("openid.return_to", return_to.as_str()),
        ("openid.realm", realm.as_str()),
        ("openid.ns.sreg", SREG),
        ("openid.sreg.required", "email"),
        ("openid.sreg.optional", "language"),
    ];
    assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
}
