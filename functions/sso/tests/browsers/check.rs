//! `POST /check`: for a member who is signed in now, by a form of ours.

use jiff::SignedDuration;
use lambda_http::http::Method;
use membermail_identity::csrf;
use membermail_identity::session::{self, SessionId};
use serde_json::json;
use url::Url;

use crate::support::{Browser, SITE, World};

fn form(session: &SessionId) -> String {
    format!("csrf={}", csrf::token(session))
}

#[tokio::test]
async fn check_button_queues_a_check() {
    let world = World::new().await;
    let mut browser = Browser::default();
    let session = world.sign_in(&mut browser).await;
    world.advance(SignedDuration::from_mins(2));
    let page = browser.post(&world, "check", &form(&session)).await;
    assert_eq!((page.status(), page.location().as_str()), (303, SITE));
    let messages = world.cloud.messages();
    let [of_sign_in, of_check] = messages.as_slice() else { panic!("{messages:?}") };
    assert_eq!(of_sign_in["member"], of_check["member"]);
}

#[tokio::test]
async fn second_press_asks_for_nothing() {
    let world = World::new().await;
    let mut browser = Browser::default();
    let session = world.sign_in(&mut browser).await;
    // The check of the sign-in is on its way.
    let page = browser.post(&world, "check", &form(&session)).await;
    assert_eq!((page.status(), page.location().as_str()), (303, SITE));
    assert_eq!(world.cloud.messages().len(), 1);
}

#[rstest::rstest]
#[case::no_token("")]
#[case::guessed("csrf=guessed")]
#[case::twice("csrf={}&csrf=x")]
#[case::twice_alike("csrf={}&csrf={}")]
#[case::another_name("token={}")]
#[tokio::test]
async fn foreign_form_starts_no_check(#[case] form: &str) {
    let world = World::new().await;
    let mut browser = Browser::default();
    let session = world.sign_in(&mut browser).await;
    world.advance(SignedDuration::from_mins(2));
    let page = browser.post(&world, "check", &form.replace("{}", &csrf::token(&session))).await;
    assert!(page.status() == 403 && page.text().contains("No check was started"), "{}", page.text());
    assert_eq!(world.cloud.messages().len(), 1);
}

#[tokio::test]
async fn foreign_token_starts_no_check() {
    let world = World::new().await;
    let (mut one, mut other) = (Browser::default(), Browser::default());
    let token = form(&world.sign_in(&mut one).await);
    world.sign_in(&mut other).await;
    world.advance(SignedDuration::from_mins(2));
    assert_eq!(other.post(&world, "check", &token).await.status(), 403);
}

/// What can have happened since the page with the button was loaded.
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
    let world = World::new().await;
    let mut browser = Browser::default();
    let session = world.sign_in(&mut browser).await;
    let token = form(&session);
    world.advance(SignedDuration::from_mins(2));
    match since {
        Since::NeverSignedIn => browser = Browser::default(),
        Since::SignedOut => world.context.store.end_session(session.hash().as_str()).await.unwrap(),
        Since::Idle => world.advance(session::IDLE),
        // A ban counts the epoch up.
        Since::Banned => world.cloud.change("MEMBER#", "session_epoch", &json!({ "N": "1" })),
        Since::Erased => world.cloud.remove("MEMBER#"),
    }
    let page = browser.post(&world, "check", &token).await;
    assert_eq!((page.status(), page.location().as_str()), (303, SITE));
    assert_eq!(world.cloud.messages().len(), 1, "a check was started");
}

#[tokio::test]
async fn check_needs_its_button() {
    let world = World::new().await;
    let url = Url::parse(SITE).unwrap().join("check").unwrap();
    let page = world.ask(Method::GET, &url, b"", None).await;
    assert_eq!((page.status(), page.header("allow")), (405, Some("POST")));
}
