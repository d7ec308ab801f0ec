//! What `membermail doctor sign-in` finds at a provider.

use membermail_core::community::ClientAuthentication;
use membermail_identity::openid_connect::Provider as Registration;
use membermail_identity::openid_connect::doctor::{Check, Finding, Verdict};
use serde_json::json;

use crate::party::{now, party, registration};
use crate::provider::Provider;
use crate::scene::Scene;

async fn examine(change: fn(&mut Scene), configure: fn(&mut Registration)) -> Vec<Finding> {
    let provider = Provider::start().await;
    let mut scene = Scene::new(&provider.issuer(0), now());
    change(&mut scene);
    provider.play("", &scene);
    let mut registration = registration(&scene.issuer);
    configure(&mut registration);
    party(registration).examine(now()).await
}

#[tokio::test]
async fn usable_provider_has_no_broken_check() {
    let findings = examine(|_| {}, |_| {}).await;
    assert_eq!(findings.len(), 8, "{findings:?}");
    assert!(findings.iter().all(|finding| finding.verdict != Verdict::Broken), "{findings:?}");
}

/// What is wrong, in the provider's responses or in our registration, and the one check that it breaks.
type Row = (Check, fn(&mut Scene), fn(&mut Registration));

#[tokio::test]
async fn broken_check_names_the_cause() {
    let rows: [Row; 6] = [
        (Check::Metadata, |scene| scene.metadata["issuer"] = json!("https://other.example"), |_| {}),
        (Check::Metadata, |scene| scene.answer("metadata", 404, "text/html", ""), |_| {}),
        (Check::Keys, |scene| scene.jwks = json!({ "keys": [] }), |_| {}),
        (Check::Keys, |scene| scene.answer("jwks", 503, "text/html", ""), |_| {}),
        (Check::Algorithms, |scene| scene.metadata["id_token_signing_alg_values_supported"] = json!(["ES512"]), |_| {}),
        (
            Check::ClientAuthentication,
            |scene| scene.metadata["token_endpoint_auth_methods_supported"] = json!(["client_secret_basic"]),
            |provider| provider.authentication = ClientAuthentication::ClientSecretPost,
        ),
    ];
    for (check, change, configure) in rows {
        let findings = examine(change, configure).await;
        let broken: Vec<_> = findings.iter().filter(|finding| finding.verdict == Verdict::Broken).collect();
        assert_eq!(broken.iter().map(|finding| finding.check).collect::<Vec<_>>(), [check], "{findings:?}");
        assert!(!broken[0].detail.contains("other.example"), "it repeats the response: {findings:?}");
    }
}

#[tokio::test]
async fn unlisted_scope_is_not_broken() {
    let findings = examine(|scene| scene.metadata["scopes_supported"] = json!(["openid"]), |_| {}).await;
    let scopes = findings.iter().find(|finding| finding.check == Check::Scopes).unwrap();
    assert_eq!((scopes.verdict, scopes.detail.as_str()), (Verdict::Unknown, "not listed: email"));
}
