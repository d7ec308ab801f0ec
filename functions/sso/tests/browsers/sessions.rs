//! Sessions: one per browser, ended by the next sign-in and by sign-out.

use lambda_http::http::Method;
use membermail_identity::csrf;

use crate::support::{Browser, SITE, Verification, World, site_url};

#[tokio::test]
async fn first_sign_in_costs_four_calls() {
    let world = World::new().await;
    world.sign_in(&mut Browser::default()).await;
    assert_eq!(world.cloud.drain_calls(), ["TransactWriteItems", "GetItem", "TransactWriteItems", "SendMessage"]);
}

#[tokio::test]
async fn returning_member_costs_six_calls() {
    let world = World::new().await;
    world.sign_in(&mut Browser::default()).await;
    world.cloud.drain_calls();
    world.sign_in(&mut Browser::default()).await;
    let calls = ["TransactWriteItems", "GetItem", "GetItem", "GetItem", "TransactWriteItems", "SendMessage"];
    assert_eq!(world.cloud.drain_calls(), calls);
}

#[rstest::rstest]
#[case::by_get(false)]
#[case::by_post(true)]
#[tokio::test]
async fn sign_in_ends_the_previous_session(#[case] by_post: bool) {
    let (world, mut browser, previous) = World::signed_in().await;
    let assertion = world.start_sign_in(&mut browser).await;
    let page = if by_post {
        let (url, form) = assertion.form();
        browser.post_cross_site(&world, &url, &form).await
    } else {
        browser.get(&world, &assertion.url()).await
    };
    assert_eq!(page.status(), 303, "{}", page.text());
    assert!(!world.has_session(&previous).await, "the previous session is still valid");
    assert!(world.has_session(&browser.session().unwrap()).await);
    assert_eq!(world.cloud.count("SESSION#"), 1);
}

/// A second tab signed in after the first one had left for the provider.
#[tokio::test]
async fn sign_in_ends_other_tabs_session() {
    let (world, mut browser, previous) = World::signed_in().await;
    let one = world.start_sign_in(&mut browser).await;
    let untouched = world.sign_in(&mut Browser::default()).await;
    let of_other_tab = world.sign_in(&mut browser).await;
    assert!(!world.has_session(&previous).await);
    assert_eq!(browser.get(&world, &one.url()).await.status(), 303);
    assert!(!world.has_session(&of_other_tab).await);
    assert!(world.has_session(&untouched).await, "the session of another browser ended too");
}

#[rstest::rstest]
#[case::denied(Verification::Deny)]
#[case::late(Verification::Late)]
#[tokio::test]
async fn refused_sign_in_ends_no_session(#[case] verification: Verification) {
    let (world, mut browser, session) = World::signed_in().await;
    let assertion = world.start_sign_in(&mut browser).await;
    world.cloud.set_verification(verification);
    assert_ne!(browser.get(&world, &assertion.url()).await.status(), 303);
    assert!(world.has_session(&session).await);
    assert_eq!(browser.session().unwrap().hash(), session.hash());
}

#[tokio::test]
async fn sign_out_clears_both_cookies() {
    let (world, mut browser, session) = World::signed_in().await;
    assert_eq!(browser.names(), ["__Host-session", "__Host-sign-in"]);
    let mut copy = browser.clone();
    let page = browser.post(&world, "sign-out", &format!("csrf={}", csrf::token(&session))).await;
    assert_eq!((page.status(), page.location().as_str()), (303, SITE));
    assert!(browser.names().is_empty(), "{:?}", browser.names());
    assert!(!world.has_session(&session).await);
    // A repeat with the old cookies changes nothing.
    let page = copy.post(&world, "sign-out", &format!("csrf={}", csrf::token(&session))).await;
    assert_eq!(page.status(), 303);
}

#[rstest::rstest]
#[case::no_token("")]
#[case::guessed("csrf=guessed")]
#[case::empty("csrf=")]
#[tokio::test]
async fn forged_form_does_not_sign_out(#[case] form: &str) {
    let (world, mut browser, session) = World::signed_in().await;
    let page = browser.post(&world, "sign-out", form).await;
    assert!(page.status() == 403 && page.text().contains("You were not signed out"), "{}", page.text());
    assert!(world.has_session(&session).await && browser.names().len() == 2);

    // A form of another site carries no session cookie and changes nothing either.
    let url = site_url("sign-out");
    let page = browser.post_cross_site(&world, &url, form).await;
    assert!(page.status() == 303 && world.has_session(&session).await && browser.names().len() == 2);
}

#[rstest::rstest]
#[case::utf_8("theme=hübsch".as_bytes())]
#[case::latin_1(b"theme=h\xfcbsch")]
#[case::no_pair(b"x")]
#[case::broken_escape(b"x=%zz")]
#[tokio::test]
async fn foreign_cookie_is_ignored(#[case] foreign: &[u8]) {
    let (world, browser, assertion) = World::signing_in().await;
    let sent = [foreign, b"; ", browser.header(false).as_bytes()].concat();
    let page = world.send(Method::GET, &assertion.url(), &sent, None).await;
    assert_eq!(page.status(), 303, "{}", page.text());
}
