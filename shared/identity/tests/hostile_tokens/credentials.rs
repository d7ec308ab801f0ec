//! How the relying party authenticates at the token endpoint.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use membermail_core::community::ClientAuthentication;
use membermail_identity::openid_connect::{Credential, CredentialError, ProviderError, RedeemError};
use serde_json::{Value, json};

use crate::party::{now, party, registration, secrets, sign_in_with};
use crate::provider::Provider;
use crate::scene::{CLIENT_ID, SECRET, Scene, ec_jwk};

async fn scene() -> (Provider, Scene) {
    let provider = Provider::start().await;
    let scene = Scene::new(&provider.issuer(0), now());
    (provider, scene)
}

#[rstest::rstest]
#[case::current_first(&[SECRET, "old"], 1)]
#[case::provider_has_the_old_one(&["new", SECRET], 2)]
#[tokio::test]
async fn each_secret_of_a_rotation_works(#[case] texts: &[&str], #[case] requests: usize) {
    let (provider, scene) = scene().await;
    provider.play("", &scene);
    let party = party(registration(&scene.issuer));
    assert!(sign_in_with(&party, &scene, &secrets(texts), now()).await.is_ok());
    assert_eq!(provider.count("/token"), requests);
}

#[rstest::rstest]
#[case::used_code(|s: &mut Scene| s.code_used = true, RedeemError::Code)]
#[case::no_right(|s: &mut Scene| s.answer("token", 400, "application/json", r#"{"error":"unauthorized_client"}"#), RedeemError::Request)]
#[case::failure(|s: &mut Scene| s.answer("token", 500, "text/html", ""), RedeemError::Provider(ProviderError::Unavailable("500 Internal Server Error".into())))]
#[tokio::test]
async fn other_errors_try_no_other_secret(#[case] change: fn(&mut Scene), #[case] expected: RedeemError) {
    let (provider, mut scene) = scene().await;
    change(&mut scene);
    provider.play("", &scene);
    let party = party(registration(&scene.issuer));
    let outcome = sign_in_with(&party, &scene, &secrets(&[SECRET, SECRET]), now()).await;
    assert_eq!(outcome.unwrap_err(), Some(expected));
    assert_eq!(provider.count("/token"), 1);
}

#[tokio::test]
async fn sign_in_fails_without_credentials() {
    let (provider, scene) = scene().await;
    provider.play("", &scene);
    let party = party(registration(&scene.issuer));
    let outcome = sign_in_with(&party, &scene, &[], now()).await;
    assert_eq!(outcome.unwrap_err(), Some(RedeemError::Client));
    assert_eq!(provider.count("/token"), 0);
}

#[tokio::test]
async fn secret_is_sent_in_one_place() {
    let (provider, scene) = scene().await;
    provider.play("", &scene);
    for (authentication, in_form) in
        [(ClientAuthentication::ClientSecretBasic, false), (ClientAuthentication::ClientSecretPost, true)]
    {
        let mut registration = registration(&scene.issuer);
        registration.authentication = authentication;
        assert!(sign_in_with(&party(registration), &scene, &secrets(&[SECRET]), now()).await.is_ok());
        let form = provider.seen().into_iter().rfind(|seen| seen.path.ends_with("/token")).unwrap().form;
        assert_eq!(form.iter().any(|(name, value)| name == "client_secret" && value == SECRET), in_form);
    }
}

fn pem(key: &EcdsaKeyPair) -> String {
    let der = key.to_pkcs8v1().unwrap();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()))
}

fn new_key() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()
}

#[tokio::test]
async fn assertion_is_valid_for_this_code() {
    let (provider, mut scene) = scene().await;
    scene.secret = String::new();
    provider.play("", &scene);
    let mut registration = registration(&scene.issuer);
    registration.authentication = ClientAuthentication::PrivateKeyJwt;
    let key = new_key();
    let credential = Credential::parse(ClientAuthentication::PrivateKeyJwt, &pem(&key)).unwrap();
    let Credential::Key(signing) = &credential else { panic!("not a key") };
    let jwk: Value = serde_json::from_str(&signing.public_jwk()).unwrap();
    let expected = ec_jwk("", &key);
    assert_eq!((&jwk["x"], &jwk["y"]), (&expected["x"], &expected["y"]));

    let party = party(registration);
    assert!(sign_in_with(&party, &scene, &[credential], now()).await.is_ok());
    let form = provider.seen().into_iter().find(|seen| seen.path.ends_with("/token")).unwrap().form;
    let field = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap();
    assert_eq!(field("client_assertion_type"), "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    assert_eq!(field("client_id"), CLIENT_ID);
    assert!(!form.iter().any(|(name, _)| name == "client_secret"));

    let (signed, signature) = field("client_assertion").rsplit_once('.').unwrap();
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key().as_ref());
    public.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    let part = |text: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    assert_eq!(part(header), json!({ "alg": "ES256", "typ": "JWT", "kid": jwk["kid"] }));
    let claims = part(claims);
    let at = now().as_second();
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!(CLIENT_ID), &json!(CLIENT_ID)));
    assert_eq!(claims["aud"], scene.metadata["token_endpoint"]);
    assert_eq!((&claims["iat"], &claims["exp"]), (&json!(at), &json!(at + 60)));
    assert_eq!(claims["jti"].as_str().map(str::len), Some(43));
}

#[rstest::rstest]
#[case::not_listed("token_endpoint_auth_methods_supported", json!(["client_secret_basic"]), "private_key_jwt")]
#[case::nothing_listed("token_endpoint_auth_methods_supported", json!(null), "private_key_jwt")]
#[case::another_algorithm(
    "token_endpoint_auth_signing_alg_values_supported", json!(["RS256"]), "private_key_jwt with ES256",
)]
#[tokio::test]
async fn assertion_needs_support(#[case] member: &str, #[case] value: Value, #[case] what: &'static str) {
    let (provider, mut scene) = scene().await;
    scene.metadata[member] = value;
    provider.play("", &scene);
    let mut registration = registration(&scene.issuer);
    registration.authentication = ClientAuthentication::PrivateKeyJwt;
    let outcome = sign_in_with(&party(registration), &scene, &[], now()).await;
    assert_eq!(outcome.unwrap_err(), Some(ProviderError::Unsupported(what).into()));
}

#[rstest::rstest]
#[case::empty(ClientAuthentication::ClientSecretBasic, "\n", CredentialError::Secret)]
#[case::control_character(ClientAuthentication::ClientSecretPost, "a\0b", CredentialError::Secret)]
#[case::secret_for_a_key(ClientAuthentication::PrivateKeyJwt, "secret", CredentialError::Key)]
#[case::not_a_key(
    ClientAuthentication::PrivateKeyJwt,
    "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
    CredentialError::Key
)]
fn unusable_credentials_are_refused(
    #[case] authentication: ClientAuthentication,
    #[case] text: &str,
    #[case] expected: CredentialError,
) {
    assert_eq!(Credential::parse(authentication, text).unwrap_err(), expected);
}

#[test]
fn credentials_print_nothing() {
    let key = Credential::parse(ClientAuthentication::PrivateKeyJwt, &pem(&new_key())).unwrap();
    let printed = format!("{:?} {key:?}", secrets(&[SECRET]));
    assert!(!printed.contains(SECRET) && printed.contains("[redacted]"), "{printed}");
}
