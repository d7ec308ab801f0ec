//! What valid sign-ins say about a person.

use membermail_core::community::Algorithm;
use membermail_identity::openid_connect::ClaimedEmail;
use serde_json::{Value, json};

use crate::party::{now, party, registration, secrets, sign_in, sign_in_with, transaction};
use crate::provider::Provider;
use crate::scene::{CALLBACK, SECRET, STATE, Scene, Signer, challenge};

async fn scene() -> (Provider, Scene) {
    let provider = Provider::start().await;
    let scene = Scene::new(&provider.issuer(0), now());
    (provider, scene)
}

#[tokio::test]
async fn sign_in_has_identity_address_and_language() {
    let (provider, scene) = scene().await;
    provider.play("", &scene);
    let signed_in = sign_in(&scene).await.unwrap();
    assert_eq!(signed_in.identity.issuer, scene.issuer);
    assert_eq!(signed_in.identity.subject.as_str(), "1001");
    let ClaimedEmail { address, verified } = signed_in.email.clone().unwrap();
    assert_eq!((address.expose(), verified), ("ada@mail.example", Some(true)));
    assert_eq!(signed_in.language.as_deref(), Some("de"));
    assert_eq!(signed_in.openid2, None);
    assert!(!format!("{signed_in:?}").contains("ada@"));
    assert_eq!(provider.count("/userinfo"), 0);
}

/// An unclear value is not a confirmation.
#[rstest::rstest]
#[case::yes(json!(true), Some(true))]
#[case::no(json!(false), Some(false))]
#[case::yes_as_a_string(json!("true"), Some(true))]
#[case::no_as_a_string(json!("false"), Some(false))]
#[case::number(json!(1), Some(false))]
#[case::object(json!({}), Some(false))]
#[case::null(Value::Null, None)]
#[tokio::test]
async fn verified_has_three_values(#[case] claim: Value, #[case] expected: Option<bool>) {
    let (provider, mut scene) = scene().await;
    scene.claims["email_verified"] = claim;
    provider.play("", &scene);
    assert_eq!(sign_in(&scene).await.unwrap().email.unwrap().verified, expected);
}

/// The ID token's word on verification must not vouch for an address from elsewhere.
#[tokio::test]
async fn address_and_verification_are_from_one_source() {
    let (provider, mut scene) = scene().await;
    scene.unclaim("email");
    provider.play("", &scene);
    assert_eq!(sign_in(&scene).await.unwrap().email.unwrap().verified, Some(false));
    assert_eq!(provider.count("/userinfo"), 1);
}

#[rstest::rstest]
#[case::below_the_root("https://login.example/+id/AbC12", true)]
#[case::the_root("https://login.example/+id/", false)]
#[case::two_words("https://login.example/+id/a/b", false)]
#[case::path_out_of_the_root("https://login.example/+id/../x", false)]
#[case::query("https://login.example/+id/a?b", false)]
#[case::plain_http("http://login.example/+id/a", false)]
#[case::another_host("https://login.example.evil.example/+id/a", false)]
#[case::host_behind_a_name("https://login.example@evil.example/+id/a", false)]
#[tokio::test]
async fn former_identifier_is_below_its_root(#[case] identifier: &str, #[case] is_taken: bool) {
    let (provider, mut scene) = scene().await;
    scene.claims["openid2_id"] = identifier.into();
    provider.play("", &scene);
    let signed_in = sign_in(&scene).await.unwrap();
    assert_eq!(signed_in.openid2.map(String::from), is_taken.then(|| identifier.to_owned()));

    let mut without_root = registration(&scene.issuer);
    without_root.openid2_root = None;
    let signed_in = sign_in_with(&party(without_root), &scene, &secrets(&[SECRET]), now()).await.unwrap();
    assert_eq!(signed_in.openid2, None);
}

#[rstest::rstest]
#[case(Algorithm::Es256, "ES256", "ec", Signer::Es256)]
#[case(Algorithm::Ps256, "PS256", "rsa", Signer::Ps256)]
#[case(Algorithm::Rs512, "RS512", "rsa", Signer::Rs512)]
#[tokio::test]
async fn algorithms_of_the_community_are_accepted(
    #[case] algorithm: Algorithm,
    #[case] name: &str,
    #[case] key: &str,
    #[case] signer: Signer,
) {
    let (provider, mut scene) = scene().await;
    scene.sign(name, key, signer);
    provider.play("", &scene);
    let mut registration = registration(&scene.issuer);
    registration.algorithms = vec![algorithm];
    assert!(sign_in_with(&party(registration), &scene, &secrets(&[SECRET]), now()).await.is_ok());
}

#[tokio::test]
async fn authorization_url_has_all_protections() {
    let (provider, mut scene) = scene().await;
    scene.metadata["authorization_endpoint"] = format!("{}/authorize?realm=people", scene.issuer).into();
    provider.play("", &scene);
    let callback = CALLBACK.parse().unwrap();
    let party = party(registration(&scene.issuer));
    let url = party.authorization_url(&callback, STATE, &transaction(), now()).await.unwrap();
    assert!(url.as_str().starts_with(&format!("{}/authorize?realm=people&", scene.issuer)));
    let mut pairs: Vec<_> = url.query_pairs().into_owned().collect();
    pairs.sort();
    let verifier = transaction().verifier.to_string();
    let expected = [
        ("client_id", "membermail".to_owned()),
        ("code_challenge", challenge(&verifier)),
        ("code_challenge_method", "S256".to_owned()),
        ("nonce", "our-nonce".to_owned()),
        ("realm", "people".to_owned()),
        ("redirect_uri", CALLBACK.to_owned()),
        ("response_type", "code".to_owned()),
        ("scope", "openid email".to_owned()),
        ("state", STATE.to_owned()),
    ];
    assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value)));
}
