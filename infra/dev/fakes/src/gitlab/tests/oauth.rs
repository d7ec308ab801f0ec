//! The provider, as a browser and a relying party.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Response;
use scraper::{Html, Selector};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;

use super::id_of;
use crate::gitlab::{CLIENT_ID, CLIENT_SECRET};
use crate::openid::message::encode_query;
use crate::testing::{Running, start};

const BACK: &str = "http://localhost:1/callback/gitlab";
const VERIFIER: &str = "a-verifier-of-more-than-forty-three-characters";

/// The query of a sign-in request, with changes: an empty value removes a parameter.
fn query(changes: &[(&str, &str)]) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let mut parameters = vec![
        ("client_id", CLIENT_ID),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", "openid email"),
        ("state", "s"),
        ("nonce", "n"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    parameters.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    encode_query(parameters.into_iter().chain(changes.iter().copied()))
}

async fn sign_in_as(running: &Running, user: &str, changes: &[(&str, &str)]) -> Response {
    running.get(&format!("/oauth/authorize/sign-in-as?user={user}&{}", query(changes))).await
}

/// A parameter of the redirect.
fn parameter(response: &Response, name: &str) -> Option<String> {
    assert_eq!(response.status(), 302);
    let url: Url = response.headers()["location"].to_str().unwrap().parse().unwrap();
    assert!(url.as_str().starts_with(BACK));
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into())
}

async fn code(running: &Running, user: &str, changes: &[(&str, &str)]) -> String {
    let response = sign_in_as(running, user, changes).await;
    assert_eq!(parameter(&response, "state").as_deref(), Some("s"));
    parameter(&response, "code").unwrap()
}

/// Redeems a code, with changes to the form.
async fn redeem(running: &Running, code: &str, changes: &[(&str, &str)]) -> (u16, Value) {
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", BACK),
        ("client_id", CLIENT_ID),
        ("client_secret", CLIENT_SECRET),
        ("code_verifier", VERIFIER),
    ];
    form.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    form.extend(changes);
    let response = running.request("POST", "/oauth/token").form(&form).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// The claims of an ID token, whose signature is valid.
async fn claims(running: &Running, tokens: &Value) -> Value {
    let token = tokens["id_token"].as_str().unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
    let header: Value = serde_json::from_slice(&decode(header)).unwrap();
    let keys = running.json("/oauth/discovery/keys").await;
    let key = &keys["keys"][0];
    assert_eq!((&header["alg"], &header["kid"]), (&json!("RS256"), &key["kid"]));
    let [n, e] = ["n", "e"].map(|name| decode(key[name].as_str().unwrap()));
    let public = RsaPublicKeyComponents { n, e };
    public.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &decode(signature)).unwrap();
    serde_json::from_slice(&decode(claims)).unwrap()
}

#[tokio::test]
async fn metadata_is_of_its_own_root() {
    let running = start().await;
    let metadata = running.json("/.well-known/openid-configuration").await;
    assert_eq!(metadata["issuer"], running.root);
    assert_eq!(metadata["token_endpoint"], format!("{}/oauth/token", running.root));
    assert!(metadata.get("end_session_endpoint").is_none());
}

#[tokio::test]
async fn sign_in_gives_claims_of_user() {
    let running = start().await;
    let id = id_of(&running, "alice").await.to_string();
    let (status, tokens) = redeem(&running, &code(&running, "alice", &[]).await, &[]).await;
    assert_eq!(status, 200, "{tokens}");
    let claims = claims(&running, &tokens).await;
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!(running.root), &json!(id)));
    assert_eq!((&claims["aud"], &claims["nonce"]), (&json!(CLIENT_ID), &json!("n")));
    assert_eq!((&claims["email"], &claims["email_verified"]), (&json!("alice@mail.example"), &json!(true)));
    assert_eq!(claims["groups_direct"], json!(["community/members", "community/members/art"]));
    let seconds = |name: &str| claims[name].as_i64().unwrap();
    assert_eq!(seconds("exp") - seconds("iat"), 120);
    let token = tokens["access_token"].as_str().unwrap();
    let info = running.request("GET", "/oauth/userinfo").bearer_auth(token).send().await.unwrap();
    let info: Value = info.json().await.unwrap();
    assert_eq!((&info["sub"], &info["groups"][0]), (&json!(id), &json!("community/members")));
    assert_eq!(info["https://gitlab.org/claims/groups/maintainer"], json!(["community/members/art"]));
    assert!(info.get("https://gitlab.org/claims/groups/owner").is_none());
    let stranger = running.request("GET", "/oauth/userinfo").bearer_auth("x").send().await.unwrap();
    assert_eq!(stranger.status(), 401);
}

#[tokio::test]
async fn email_needs_scope() {
    let running = start().await;
    let (_, tokens) = redeem(&running, &code(&running, "una", &[("scope", "openid")]).await, &[]).await;
    let none = claims(&running, &tokens).await;
    assert!(none.get("email").is_none() && none.get("email_verified").is_none());
    let (_, tokens) = redeem(&running, &code(&running, "una", &[]).await, &[]).await;
    assert_eq!(claims(&running, &tokens).await["email_verified"], false);
}

/// Not GitLab's, but a community may move from OpenID 2.0.
#[tokio::test]
async fn migration_scope_names_former_identifier() {
    let running = start().await;
    let former = running.identifier_of("alice").await;
    let (_, tokens) = redeem(&running, &code(&running, "alice", &[("scope", "openid openid2")]).await, &[]).await;
    assert_eq!(claims(&running, &tokens).await["openid2_id"], format!("{}/+id/{former}", running.root));
}

#[tokio::test]
async fn code_is_redeemed_once() {
    let running = start().await;
    let code = code(&running, "alice", &[]).await;
    assert_eq!(redeem(&running, &code, &[]).await.0, 200);
    let (status, body) = redeem(&running, &code, &[]).await;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")));
}

#[rstest::rstest]
#[case::secret(&[("client_secret", "wrong")], 401, "invalid_client")]
#[case::no_secret(&[("client_secret", "")], 401, "invalid_client")]
#[case::verifier(&[("code_verifier", "wrong")], 400, "invalid_grant")]
#[case::no_verifier(&[("code_verifier", "")], 400, "invalid_request")]
#[case::redirect_uri(&[("redirect_uri", "http://localhost:1/callback/x")], 400, "invalid_grant")]
#[case::code(&[("code", "wrong")], 400, "invalid_grant")]
#[case::grant_type(&[("grant_type", "password")], 400, "unsupported_grant_type")]
#[tokio::test]
async fn token_request_is_refused(#[case] changes: &[(&str, &str)], #[case] status: u16, #[case] error: &str) {
    let running = start().await;
    let code = code(&running, "alice", &[]).await;
    let (refused, body) = redeem(&running, &code, changes).await;
    assert_eq!((refused, &body["error"]), (status, &json!(error)));
}

#[tokio::test]
async fn client_may_use_basic_authentication() {
    let running = start().await;
    let code = code(&running, "alice", &[]).await;
    let form =
        [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", BACK), ("code_verifier", VERIFIER)];
    let request = running.request("POST", "/oauth/token").basic_auth(CLIENT_ID, Some(CLIENT_SECRET)).form(&form);
    assert_eq!(request.send().await.unwrap().status(), 200);
}

#[rstest::rstest]
#[case::client(&[("client_id", "other")], 401)]
#[case::no_redirect_uri(&[("redirect_uri", "")], 400)]
#[case::foreign_redirect_uri(&[("redirect_uri", "https://evil.example/callback/gitlab")], 400)]
#[tokio::test]
async fn request_does_not_lead_back(#[case] changes: &[(&str, &str)], #[case] status: u16) {
    let running = start().await;
    assert_eq!(running.get(&format!("/oauth/authorize?{}", query(changes))).await.status(), status);
    assert_eq!(sign_in_as(&running, "alice", changes).await.status(), status);
}

#[rstest::rstest]
#[case::response_type(&[("response_type", "token")], "unsupported_response_type")]
#[case::scope(&[("scope", "openid root")], "invalid_scope")]
#[tokio::test]
async fn request_leads_back_with_error(#[case] changes: &[(&str, &str)], #[case] error: &str) {
    let running = start().await;
    let response = running.get(&format!("/oauth/authorize?{}", query(changes))).await;
    assert_eq!(parameter(&response, "error").as_deref(), Some(error));
    assert_eq!(parameter(&response, "state").as_deref(), Some("s"));
}

#[tokio::test]
async fn page_lists_users_and_cancels() {
    let running = start().await;
    let response = running.get(&format!("/oauth/authorize?{}&search=alice", query(&[]))).await;
    let page = Html::parse_document(&response.text().await.unwrap());
    let links = Selector::parse("li a").unwrap();
    let links: Vec<_> = page.select(&links).filter_map(|link| link.value().attr("href")).collect();
    let [link] = *links else { panic!("{links:?}") };
    let response = running.get(link.strip_prefix(&running.root).unwrap()).await;
    assert!(parameter(&response, "code").is_some());
    let cancel = Selector::parse("p a").unwrap();
    let cancel = page.select(&cancel).find_map(|link| link.value().attr("href")).unwrap();
    assert!(cancel.contains("error=access_denied") && cancel.contains("state=s"));
}

#[rstest::rstest]
#[case("frank")]
#[case("group_42_bot_0123456789abcdef0123456789abcdef")]
#[case("no-such-user")]
#[tokio::test]
async fn user_cannot_sign_in(#[case] user: &str) {
    assert_eq!(sign_in_as(&start().await, user, &[]).await.status(), 403);
}

#[tokio::test]
async fn blocked_user_gets_no_token() {
    let running = start().await;
    let code = code(&running, "alice", &[]).await;
    running.control("PATCH", "gitlab/users/alice", json!({ "state": "blocked" })).await;
    assert_eq!(redeem(&running, &code, &[]).await.0, 400);
}

#[tokio::test]
async fn controls_replace_claims_and_keys() {
    let running = start().await;
    running.control("PATCH", "gitlab/users/alice", json!({ "claims": { "groups": "one", "email": null } })).await;
    let (_, tokens) = redeem(&running, &code(&running, "alice", &[]).await, &[]).await;
    let first = claims(&running, &tokens).await;
    assert!(first["groups"] == "one" && first.get("email").is_none());
    let before = running.json("/oauth/discovery/keys").await;
    running.control("DELETE", "gitlab/oauth/key", json!({})).await;
    assert_ne!(running.json("/oauth/discovery/keys").await["keys"][0]["kid"], before["keys"][0]["kid"]);
}

#[tokio::test]
async fn faults_affect_provider() {
    let running = start().await;
    let id = id_of(&running, "alice").await;
    running.control("PUT", &format!("gitlab/oauth/faults/{id}"), json!({ "kind": "cancel", "count": 1 })).await;
    let response = sign_in_as(&running, "alice", &[]).await;
    assert_eq!(parameter(&response, "error").as_deref(), Some("access_denied"));
    running.control("PUT", "gitlab/oauth/faults/keys", json!({ "kind": "status", "status": 503 })).await;
    assert_eq!(running.get("/oauth/discovery/keys").await.status(), 503);
}
