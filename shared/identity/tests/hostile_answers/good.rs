//! What a provider says when nobody is hostile, and what we ask it.

use std::collections::BTreeMap;

use membermail_identity::openid2::Answer;
use url::Url;

use crate::support::{NS, SREG, TEAMS, World, callback, now, party_alone};

#[tokio::test]
async fn a_good_answer_comes_by_get_and_by_post() {
    let world = World::new().await;
    let good = world.good();
    let signed_in = world.party.confirm(world.check(&good.encode()).unwrap()).await.unwrap();
    assert_eq!(signed_in.identity.subject.as_str(), world.at("/+id/AbC1234"));
    assert_eq!(signed_in.identity.issuer, world.at("/+openid"));
    assert_eq!(signed_in.email.expose(), "alice@mail.example");
    assert_eq!(signed_in.nickname.as_deref(), Some("alice"));
    assert_eq!(signed_in.nonce.as_str(), "2026-11-24T09:59:58Zunique");
    let teams: Vec<_> = signed_in.teams_hint.iter().map(|team| team.as_str()).collect();
    assert_eq!(teams, ["ubuntumembers"], "what is no team's name is dropped");
    assert!(!format!("{signed_in:?}").contains("mail.example"));

    let mut form = good;
    form.remove("state");
    let media_type = Some("application/x-www-form-urlencoded; charset=utf-8");
    let answer = Answer::from_form("state=our-state", media_type, form.encode().as_bytes()).unwrap();
    let checked = world.party.check(answer, &callback(), now()).unwrap();
    assert!(world.party.confirm(checked).await.is_ok());
}

/// Simple Registration 1.0, an alias of the provider's own choice, and all that was optional.
#[tokio::test]
async fn the_provider_chooses_the_alias() {
    let world = World::new().await;
    let mut answer = world.good();
    for name in ["ns.sreg", "sreg.email", "sreg.nickname", "ns.lp", "lp.is_member"] {
        answer.unsign(name).remove(&format!("openid.{name}"));
    }
    let fields = [
        ("ns.who", "http://openid.net/sreg/1.0"),
        ("who.email", "bob@mail.example"),
        ("who.fullname", "Bob B."),
        ("who.language", "de"),
    ];
    let mut signed = answer.get("openid.signed").to_owned();
    for (name, value) in fields {
        answer.push(&format!("openid.{name}"), value);
        signed = format!("{signed},{name}");
    }
    answer.set("openid.signed", &signed).sign();
    let signed_in = world.party.confirm(world.check(&answer.encode()).unwrap()).await.unwrap();
    assert_eq!(signed_in.email.expose(), "bob@mail.example");
    assert_eq!(signed_in.full_name.as_deref(), Some("Bob B."));
    assert_eq!(signed_in.language.as_deref(), Some("de"));
    assert_eq!(signed_in.nickname, None);
    assert!(signed_in.teams_hint.is_empty());
}

/// Five minutes are within the window, to the second.
#[tokio::test]
async fn a_clock_may_be_off_by_five_minutes() {
    let world = World::new().await;
    for nonce in ["2026-11-24T09:55:00Z", "2026-11-24T10:05:00Z"] {
        let mut answer = world.good();
        answer.set("openid.response_nonce", nonce).sign();
        assert!(world.check(&answer.encode()).is_ok(), "{nonce}");
    }
}

#[test]
fn the_request_is_that_of_the_specification() {
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
        ("openid.sreg.required", "email,nickname"),
        ("openid.sreg.optional", "fullname,language"),
        ("openid.ns.lp", TEAMS),
        ("openid.lp.query_membership", "ubuntumembers"),
    ];
    assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
}
