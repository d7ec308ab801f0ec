//! Sign-ins with OpenID Connect, links, and logout.

use jiff::SignedDuration;
use lambda_http::http::Method;
use membermail_core::destination::FRESH_SIGN_IN;
use membermail_identity::csrf;
use membermail_identity::link_token::{self, LinkTo};
use rstest::rstest;
use serde_json::{Value, json};
use url::Url;

use crate::support::{Browser, Page, SITE, World, site_url};

/// Starts a sign-in, and returns where the provider sends the browser back to.
async fn start(world: &World, browser: &mut Browser) -> Url {
    let away = browser.get(world, &site_url("sign-in")).await;
    assert_eq!(away.status(), 303, "{}", away.text());
    world.issuer().agree(&away.location())
}

async fn signed_in(world: &World) -> Browser {
    let mut browser = Browser::default();
    let back = start(world, &mut browser).await;
    let page = browser.get(world, &back).await;
    assert_eq!((page.status(), page.location().as_str()), (303, SITE), "{}", page.text());
    browser
}

fn with(url: &Url, name: &str, value: Option<&str>) -> Url {
    let pairs: Vec<_> = url.query_pairs().into_owned().filter(|(key, _)| key != name).collect();
    let mut changed = url.clone();
    changed.query_pairs_mut().clear().extend_pairs(pairs);
    if let Some(value) = value {
        changed.query_pairs_mut().append_pair(name, value);
    }
    changed
}

#[tokio::test]
async fn code_opens_session_of_subject() {
    let world = World::of_example().await;
    let browser = signed_in(&world).await;
    assert!(world.has_session(&browser.session().unwrap()).await && world.has_recorded("signed-in"));
    let message = world.cloud.messages().pop().unwrap();
    assert_eq!(message["identity"], json!({ "issuer": world.issuer().id(), "subject": "1001" }));
    assert_eq!(message.get("adds"), None);
}

#[tokio::test]
async fn redirect_uri_names_the_issuer() {
    let world = World::of_example().await;
    let away = Browser::default().get(&world, &site_url("sign-in")).await.location();
    let redirect = away.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1.into_owned();
    let port = world.issuer().root.port().unwrap();
    assert_eq!(redirect, format!("{SITE}callback/127.0.0.1-{port}"));
}

/// Each response is refused without a request to the token endpoint.
#[rstest]
#[case::other_browser(|back: &Url| back.clone(), false, "other-browser")]
#[case::no_state(|back: &Url| with(back, "state", None), true, "refused")]
#[case::garbage_state(|back: &Url| with(back, "state", Some("x")), true, "other-browser")]
#[case::no_issuer(|back: &Url| with(back, "iss", None), true, "refused")]
#[case::mix_up(|back: &Url| with(back, "iss", Some("https://evil.example")), true, "refused")]
#[case::no_code(|back: &Url| with(back, "code", None), true, "refused")]
#[case::cancelled(|back: &Url| with(&with(back, "code", None), "error", Some("access_denied")), true, "cancelled")]
#[tokio::test]
async fn refused_response_costs_no_code(
    #[case] change: fn(&Url) -> Url,
    #[case] same_browser: bool,
    #[case] outcome: &str,
) {
    let world = World::of_example().await;
    let mut browser = Browser::default();
    let back = change(&start(&world, &mut browser).await);
    let mut other = Browser::default();
    start(&world, &mut other).await;
    let returning = if same_browser { &mut browser } else { &mut other };
    let page = returning.get(&world, &back).await;
    assert!(world.has_recorded(outcome), "{}", page.text());
    assert_eq!((world.issuer().token_requests(), returning.session().is_none()), (0, true));
}

/// The state of one issuer is worthless at the callback of another.
#[tokio::test]
async fn callback_of_other_issuer_is_refused() {
    let world = World::of_example().await;
    let mut browser = Browser::default();
    let mut back = start(&world, &mut browser).await;
    back.set_path("/callback");
    browser.get(&world, &back).await;
    back.set_path("/callback/elsewhere.example");
    assert_eq!(browser.get(&world, &back).await.status(), 404);
    assert_eq!((world.issuer().token_requests(), browser.session().is_none()), (0, true));
}

#[tokio::test]
async fn response_works_once() {
    let world = World::of_example().await;
    let mut browser = Browser::default();
    let back = start(&world, &mut browser).await;
    assert_eq!(browser.get(&world, &back).await.status(), 303);
    let page = browser.get(&world, &back).await;
    assert!(page.status() == 400 && world.has_recorded("replayed"), "{}", page.text());
    assert_eq!(world.issuer().token_requests(), 1);
}

/// Another person's code, in a response with the victim's own state: PKCE and nonce differ.
#[tokio::test]
async fn injected_code_is_refused() {
    let world = World::of_example().await;
    let mut browser = Browser::default();
    let back = start(&world, &mut browser).await;
    let stolen = start(&world, &mut Browser::default()).await;
    let code = stolen.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let page = browser.get(&world, &with(&back, "code", Some(&code))).await;
    assert!(page.status() == 400 && world.has_recorded("forged"), "{}", page.text());
    assert!(browser.session().is_none());
}

#[rstest]
#[case::other_client(json!({ "aud": "other" }), 400, "refused")]
#[case::other_nonce(json!({ "nonce": "other" }), 400, "refused")]
#[case::no_address(json!({ "email": null }), 400, "no-email")]
#[case::bad_address(json!({ "email": "ada" }), 400, "bad-email")]
#[case::groups_as_text(json!({ "groups": "admins" }), 303, "signed-in")]
#[tokio::test]
async fn every_token_has_its_outcome(#[case] claims: Value, #[case] status: u16, #[case] outcome: &str) {
    let world = World::of_example().await;
    world.issuer().set_claims(claims);
    let mut browser = Browser::default();
    let back = start(&world, &mut browser).await;
    let page = browser.get(&world, &back).await;
    assert!(page.status() == status && world.has_recorded(outcome), "{} {}", page.status(), page.text());
}

/// Whether the provider's word confirms the first destination, by what it says and what the community trusts.
#[rstest]
#[case::trusted(true, json!(true), true)]
#[case::trusted_and_silent(true, json!(null), true)]
#[case::trusted_and_denied(true, json!(false), false)]
#[case::not_trusted(false, json!(true), false)]
#[case::not_trusted_and_silent(false, json!(null), false)]
#[tokio::test]
async fn verified_address_is_three_cases(#[case] trusts: bool, #[case] verified: Value, #[case] confirmed: bool) {
    let mut world = World::of_example().await;
    world.context.providers.current.trusts_email = trusts;
    world.issuer().set_claims(json!({ "email_verified": verified }));
    let browser = signed_in(&world).await;
    assert_eq!(world.has_confirmed_destination(&browser.session().unwrap()).await, confirmed);
}

/// The provider has the new secret before we do.
#[tokio::test]
async fn rotated_client_secret_needs_no_restart() {
    let world = World::of_example().await;
    signed_in(&world).await;
    world.issuer().rotate_secret("secret-2");
    world.cloud.set_client_secrets("secret-2", Some("secret-1"));
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(6)).await;
    tokio::time::resume();
    signed_in(&world).await;
}

/// `openid2_id` ties the new subject to the old identifier, below the former provider's root only.
#[rstest]
#[case::of_former_provider("https://id.community.example/+id/AbC12", true)]
#[case::of_another("https://evil.example/+id/AbC12", false)]
#[tokio::test]
async fn former_identifier_is_added(#[case] identifier: &str, #[case] is_added: bool) {
    let world = World::of_example().await;
    world.issuer().set_claims(json!({ "openid2_id": identifier }));
    signed_in(&world).await;
    let message = world.cloud.messages().pop().unwrap();
    let former = json!({ "issuer": "https://id.community.example/+openid", "subject": identifier });
    let expected = json!({ "identity": former, "epoch": 0 });
    assert_eq!(message.get("adds"), is_added.then_some(&expected));
}

async fn start_link(world: &World, browser: &mut Browser, token: &str) -> Page {
    browser.get(world, &site_url(&format!("sign-in?link={token}"))).await
}

#[tokio::test]
async fn second_account_is_added_to_session() {
    let world = World::of_example().await;
    let mut browser = signed_in(&world).await;
    let session = browser.session().unwrap();
    let member = world.cloud.messages().pop().unwrap()["member"].clone();
    let token = link_token::token(&session, LinkTo::Current);
    let away = start_link(&world, &mut browser, &token).await;
    world.issuer().set_claims(json!({ "sub": "2002" }));
    let page = browser.get(&world, &world.issuer().agree(&away.location())).await;
    assert_eq!((page.status(), page.location().as_str()), (303, format!("{SITE}identities?adding").as_str()));
    let message = world.cloud.messages().pop().unwrap();
    assert_eq!((&message["member"], &message["adds"]["identity"]["subject"]), (&member, &json!("2002")));
    assert!(world.has_session(&session).await, "the session goes on");
}

/// An identity of the former provider can only be added to a session.
#[tokio::test]
async fn former_provider_opens_no_session() {
    let world = World::of_example().await;
    let mut browser = signed_in(&world).await;
    let token = link_token::token(&browser.session().unwrap(), LinkTo::Former);
    let away = browser.get(&world, &site_url(&format!("sign-in?provider=former&link={token}"))).await;
    assert!(away.location().as_str().starts_with("https://id.community.example/+openid?"), "{}", away.location());
    let away = browser.get(&world, &site_url("sign-in?provider=former")).await.location();
    assert!(away.as_str().starts_with(world.issuer().root.as_str()), "{away}");
}

#[rstest]
#[case::guessed("guessed", false)]
#[case::of_the_form("", true)]
#[tokio::test]
async fn foreign_link_starts_nothing(#[case] token: &str, #[case] uses_form_token: bool) {
    let world = World::of_example().await;
    let mut browser = signed_in(&world).await;
    let form_token = csrf::token(&browser.session().unwrap());
    let token = if uses_form_token { &form_token } else { token };
    let page = start_link(&world, &mut browser, token).await;
    assert_eq!(page.status(), 403, "{}", page.text());
    // Without a session there is nothing to add to.
    assert_eq!(start_link(&world, &mut Browser::default(), token).await.status(), 403);
}

#[tokio::test]
async fn late_link_adds_nothing() {
    let world = World::of_example().await;
    let mut browser = signed_in(&world).await;
    let session = browser.session().unwrap();
    let away = start_link(&world, &mut browser, &link_token::token(&session, LinkTo::Current)).await;
    let back = world.issuer().agree(&away.location());
    let mut copy = browser.clone();
    browser.post(&world, "sign-out", &format!("csrf={}", csrf::token(&session))).await;
    let page = copy.get(&world, &back).await;
    assert!(page.status() == 400 && world.has_recorded("session-ended"), "{}", page.text());
    assert_eq!(world.cloud.messages().len(), 1, "no message adds it");
}

/// A stolen session must not be able to add an account, which would open the member's account for good.
#[tokio::test]
async fn old_session_adds_no_account() {
    let world = World::of_example().await;
    let mut browser = signed_in(&world).await;
    let token = link_token::token(&browser.session().unwrap(), LinkTo::Current);
    world.advance(FRESH_SIGN_IN - SignedDuration::from_secs(1));
    let away = start_link(&world, &mut browser, &token).await;
    let back = world.issuer().agree(&away.location());
    world.advance(SignedDuration::from_secs(1));
    assert_eq!(start_link(&world, &mut browser, &token).await.status(), 403);
    // The one that began in time may end within the lifetime of its state.
    world.issuer().set_claims(json!({ "sub": "2002" }));
    world.issuer().set_time(world.now());
    assert_eq!(browser.get(&world, &back).await.status(), 303);
}

#[tokio::test]
async fn sign_out_offers_provider_logout() {
    let world = World::of_example().await;
    let mut browser = signed_in(&world).await;
    let form = format!("csrf={}", csrf::token(&browser.session().unwrap()));
    let page = browser.post(&world, "sign-out", &form).await;
    assert_eq!(page.location(), site_url("signed-out"));
    let page = browser.get(&world, &site_url("signed-out")).await;
    let end = format!("{}end?", world.issuer().root);
    assert!(page.status() == 200 && page.text().contains(&end), "{}", page.text());
}

async fn logout(world: &World, form: &str) -> u16 {
    let slug = world.context.community.sign_in.callback_path().replace("callback", "logout");
    world.send(Method::POST, &site_url(slug.trim_start_matches('/')), b"", Some(form)).await.status()
}

#[tokio::test]
async fn provider_ends_sessions_of_member() {
    let world = World::of_example().await;
    let one = signed_in(&world).await.session().unwrap();
    let other = signed_in(&world).await.session().unwrap();
    world.issuer().set_claims(json!({ "sub": "2002" }));
    let stranger = signed_in(&world).await.session().unwrap();
    world.issuer().set_claims(json!({}));
    let token = world.issuer().logout_token("1001", world.now());
    // After the logout, before its token arrives.
    world.advance(SignedDuration::from_secs(65));
    let later = signed_in(&world).await.session().unwrap();
    for _ in 0..2 {
        assert_eq!(logout(&world, &format!("logout_token={token}")).await, 200);
        assert!(!world.has_session(&one).await && !world.has_session(&other).await);
        assert!(world.has_session(&stranger).await && world.has_session(&later).await);
    }
    assert_eq!(logout(&world, &format!("logout_token={}", world.issuer().logout_token("9", world.now()))).await, 200);
}

#[rstest]
#[case::nothing("")]
#[case::garbage("logout_token=a.b.c")]
#[case::two("logout_token={}&logout_token={}")]
#[case::old("old")]
#[tokio::test]
async fn invalid_logout_ends_nothing(#[case] form: &str) {
    let world = World::of_example().await;
    let session = signed_in(&world).await.session().unwrap();
    let token = world.issuer().logout_token("1001", world.now());
    let form = match form {
        "old" => {
            world.advance(SignedDuration::from_mins(10));
            format!("logout_token={token}")
        }
        form => form.replace("{}", &token),
    };
    assert_eq!(logout(&world, &form).await, 400);
    assert!(world.has_session(&session).await);
}
