//! `POST /check` requires a session and its CSRF token.

use jiff::SignedDuration;
use lambda_http::http::Method;
use membermail_identity::csrf;
use membermail_identity::session::{self, SessionId};
use serde_json::json;

use crate::support::{Browser, SITE, World, site_url};

fn form(session: &SessionId) -> String {
    format!("csrf={}", csrf::token(session))
}

#[tokio::test]
async fn check_button_queues_a_check() {
    let (world, mut browser, session) = World::signed_in().await;
    world.advance(SignedDuration::from_mins(2));
    let page = browser.post(&world, "check", &form(&session)).await;
    assert_eq!((page.status(), page.location().as_str()), (303, SITE));
    let messages = world.cloud.messages();
    let [of_sign_in, of_check] = messages.as_slice() else { panic!("{messages:?}") };
    assert_eq!(of_sign_in["member"], of_check["member"]);
}

#[tokio::test]
async fn second_press_is_ignored() {
    let (world, mut browser, session) = World::signed_in().await;
    // The check of the sign-in is pending.
    let page = browser.post(&world, "check", &form(&session)).await;
    assert_eq!((page.status(), page.location().as_str()), (303, SITE));
    assert_eq!(world.cloud.messages().len(), 1);
}

#[rstest::rstest]
#[case::no_token("")]
#[case::guessed("csrf=guessed")]
#[case::twice("csrf={}&csrf=x")]
#[case::duplicate("csrf={}&csrf={}")]
#[case::another_name("token={}")]
#[tokio::test]
async fn forged_form_starts_no_check(#[case] form: &str) {
    let (world, mut browser, session) = World::signed_in().await;
    world.advance(SignedDuration::from_mins(2));
    let page = browser.post(&world, "check", &form.replace("{}", &csrf::token(&session))).await;
    assert!(page.status() == 403 && page.text().contains("No check was started"), "{}", page.text());
    assert_eq!(world.cloud.messages().len(), 1);
}

#[tokio::test]
async fn foreign_token_starts_no_check() {
    let world = World::new().await;
    let mut one = Browser::default();
    let mut other = Browser::default();
    let token = form(&world.sign_in(&mut one).await);
    world.sign_in(&mut other).await;
    world.advance(SignedDuration::from_mins(2));
    assert_eq!(other.post(&world, "check", &token).await.status(), 403);
}

/// What happened after the page with the button was loaded.
#[derive(Clone, Copy)]
enum Since {
    NeverSignedIn,
    SignedOut,
    Idle,
    Banned,
    Erased,
}

#[rstest::rstest]
#[case::never_signed_in(Since::NeverSignedIn)]
#[case::signed_out(Since::SignedOut)]
#[case::idle(Since::Idle)]
#[case::banned(Since::Banned)]
#[case::erased(Since::Erased)]
#[tokio::test]
async fn ended_session_starts_no_check(#[case] since: Since) {
    let (world, mut browser, session) = World::signed_in().await;
    let token = form(&session);
    world.advance(SignedDuration::from_mins(2));
    match since {
        Since::NeverSignedIn => browser = Browser::default(),
        Since::SignedOut => world.context.store.end_session(session.hash().as_str()).await.unwrap(),
        Since::Idle => world.advance(session::IDLE),
        // A ban increments the epoch.
        Since::Banned => world.cloud.change("MEMBER#", "session_epoch", &json!({ "N": "1" })),
        Since::Erased => world.cloud.remove("MEMBER#"),
    }
    let page = browser.post(&world, "check", &token).await;
    assert_eq!((page.status(), page.location().as_str()), (303, SITE));
    assert_eq!(world.cloud.messages().len(), 1, "a check was started");
}

#[tokio::test]
async fn check_requires_post() {
    let world = World::new().await;
    let url = site_url("check");
    let page = world.send(Method::GET, &url, b"", None).await;
    assert_eq!((page.status(), page.header("allow")), (405, Some("POST")));
}
