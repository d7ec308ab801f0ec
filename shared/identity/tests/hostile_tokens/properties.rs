//! Properties of the parsers for any input.

use membermail_core::community::Algorithm;
use membermail_identity::openid_connect::{AuthorizationResponse, CheckError, RelyingParty};
use proptest::prelude::*;
use serde_json::json;

use crate::party::{now, party, registration};
use crate::provider::Provider;
use crate::scene::{CLIENT_ID, Scene, Signer, to_text};

proptest! {
    #[test]
    fn any_query_is_parsed_or_refused(query in "\\PC{0,200}") {
        let _ = AuthorizationResponse::from_query(&query);
    }

    #[test]
    fn any_parameters_are_parsed_or_refused(
        pairs in proptest::collection::vec(("(code|state|iss|error|x)", "[ -~]{0,20}"), 0..6)
    ) {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        let parsed = AuthorizationResponse::from_query(&query);
        let count = |wanted: &str| pairs.iter().filter(|(name, value)| name == wanted && !value.is_empty()).count();
        prop_assert!(parsed.is_err() || (count("state") == 1 && count("code") + count("error") == 1));
    }
}

/// A relying party with cached keys, and a logout token for it. ES256, because its signatures are checked fastest.
async fn logout() -> (Provider, RelyingParty, String) {
    let provider = Provider::start().await;
    let mut scene = Scene::new(&provider.issuer(0), now());
    scene.sign("ES256", "ec", Signer::Es256);
    scene.claims = json!({
        "iss": scene.issuer, "sub": "1001", "aud": CLIENT_ID, "exp": scene.now + 60, "iat": scene.now, "jti": "once",
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    });
    provider.play("", &scene);
    let mut registration = registration(&scene.issuer);
    registration.algorithms = vec![Algorithm::Es256];
    let party = party(registration);
    assert!(party.check_logout_token(&scene.token(), now()).await.is_ok());
    (provider, party, scene.token())
}

#[tokio::test]
async fn any_changed_character_is_refused() {
    let (provider, party, token) = logout().await;
    for index in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        let outcome = party.check_logout_token(&changed, now()).await;
        assert!(matches!(outcome, Err(CheckError::Refused(_))), "index {index}: {outcome:?}");
    }
    assert_eq!(provider.count("/jwks"), 1);
}

/// Whatever a signed token says, it is accepted or refused.
#[test]
fn any_parts_are_refused_without_panic() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (_provider, party, token) = runtime.block_on(logout());
    let signature = token.rsplit_once('.').unwrap().1.to_owned();
    let header = || {
        prop_oneof![
            Just(r#"{"alg":"ES256","kid":"ec"}"#.to_owned()),
            "[{]\"(alg|kid|typ|crit)\":[\"\\[{]?(ES256|none|1|null)?[\"\\]}]?[}]",
            "\\PC{0,40}",
        ]
    };
    let mut runner = proptest::test_runner::TestRunner::default();
    let outcome = runner.run(&(header(), "\\PC{0,60}", any::<bool>()), |(header, claims, is_signed)| {
        let signature = if is_signed { signature.as_str() } else { "AAAA" };
        let token = format!("{}.{}.{signature}", to_text(header), to_text(claims));
        prop_assert!(runtime.block_on(party.check_logout_token(&token, now())).is_err());
        prop_assert!(runtime.block_on(party.check_logout_token(&token.replace('.', ""), now())).is_err());
        Ok(())
    });
    outcome.unwrap();
}
