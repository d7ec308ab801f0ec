//! Sessions: one a browser, ended by the next sign-in and by signing out.

use lambda_http::http::Method;
use membermail_identity::csrf;
use url::Url;

use crate::support::{Browser, SITE, Says, World};

#[tokio::test]
async fn first_sign_in_costs_four_calls() {
    let world = World::new().await;
    world.sign_in(&mut Browser::default()).await;
    assert_eq!(world.cloud.take_calls(), ["TransactWriteItems", "GetItem", "TransactWriteItems", "SendMessage"]);
}

#[tokio::test]
async fn returning_member_costs_five_calls() {
    let world = World::new().await;
    world.sign_in(&mut Browser::default()).await;
    world.cloud.take_calls();
    world.sign_in(&mut Browser::default()).await;
    let calls = ["TransactWriteItems", "GetItem", "GetItem", "TransactWriteItems", "SendMessage"];
    assert_eq!(world.cloud.take_calls(), calls);
}

#[rstest::rstest]
#[case::by_get(false)]
#[case::by_post(true)]
#[tokio::test]
async fn sign_in_ends_the_previous_session(#[case] by_post: bool) {
    let world = World::new().await;
    let mut browser = Browser::default();
    let previous = world.sign_in(&mut browser).await;
    let answer = world.chosen(&mut browser).await;
    let page = if by_post {
        let (url, form) = answer.form();
        browser.post_from_elsewhere(&world, &url, &form).await
    } else {
        browser.get(&world, &answer.url()).await
    };
    assert_eq!(page.status(), 303, "{}", page.text());
    assert!(!world.has_session(&previous).await, "the previous session is still good");
    assert!(world.has_session(&browser.session().unwrap()).await);
    assert_eq!(world.cloud.count("SESSION#"), 1);
}

/// A second tab signed in after the first one had left for the provider.
#[tokio::test]
async fn sign_in_ends_other_tabs_session() {
    let world = World::new().await;
    let mut browser = Browser::default();
    let previous = world.sign_in(&mut browser).await;
    let one = world.chosen(&mut browser).await;
    let untouched = world.sign_in(&mut Browser::default()).await;
    let of_other_tab = world.sign_in(&mut browser).await;
    assert!(!world.has_session(&previous).await);
    assert_eq!(browser.get(&world, &one.url()).await.status(), 303);
    assert!(!world.has_session(&of_other_tab).await);
    assert!(world.has_session(&untouched).await, "the session of another browser ended too");
}

#[rstest::rstest]
#[case::denied(Says::No)]
#[case::late(Says::Late)]
#[tokio::test]
async fn refused_sign_in_ends_no_session(#[case] says: Says) {
    let world = World::new().await;
    let mut browser = Browser::default();
    let session = world.sign_in(&mut browser).await;
    let answer = world.chosen(&mut browser).await;
    world.cloud.provider_says(says);
    assert_ne!(browser.get(&world, &answer.url()).await.status(), 303);
    assert!(world.has_session(&session).await);
    assert_eq!(browser.session().unwrap().hash(), session.hash());
}

#[tokio::test]
async fn sign_out_clears_both_cookies() {
    let world = World::new().await;
    let mut browser = Browser::default();
    let session = world.sign_in(&mut browser).await;
    assert_eq!(browser.names(), ["__Host-session", "__Host-sign-in"]);
    let mut copy = browser.clone();
    let page = browser.post(&world, "sign-out", &format!("csrf={}", csrf::token(&session))).await;
    assert_eq!((page.status(), page.location().as_str()), (303, SITE));
    assert!(browser.names().is_empty(), "{:?}", browser.names());
    assert!(!world.has_session(&session).await);
    // A second time changes nothing, also with the cookies of before.
    let page = copy.post(&world, "sign-out", &format!("csrf={}", csrf::token(&session))).await;
    assert_eq!(page.status(), 303);
}

#[rstest::rstest]
#[case::no_token("")]
#[case::guessed("csrf=guessed")]
#[case::empty("csrf=")]
#[tokio::test]
async fn foreign_form_signs_nobody_out(#[case] form: &str) {
    let world = World::new().await;
    let mut browser = Browser::default();
    let session = world.sign_in(&mut browser).await;
    let page = browser.post(&world, "sign-out", form).await;
    assert!(page.status() == 403 && page.text().contains("You were not signed out"), "{}", page.text());
    assert!(world.has_session(&session).await && browser.names().len() == 2);

    // Another site's form comes without the session, and changes nothing either.
    let url = Url::parse(SITE).unwrap().join("sign-out").unwrap();
    let page = browser.post_from_elsewhere(&world, &url, form).await;
    assert!(page.status() == 303 && world.has_session(&session).await && browser.names().len() == 2);
}

#[rstest::rstest]
#[case::utf_8("theme=hübsch".as_bytes())]
#[case::latin_1(b"theme=h\xfcbsch")]
#[case::no_pair(b"x")]
#[case::broken_escape(b"x=%zz")]
#[tokio::test]
async fn foreign_cookie_locks_nobody_out(#[case] foreign: &[u8]) {
    let world = World::new().await;
    let mut browser = Browser::default();
    let answer = world.chosen(&mut browser).await;
    let sent = [foreign, b"; ", browser.header(false).as_bytes()].concat();
    let page = world.ask(Method::GET, &answer.url(), &sent, None).await;
    assert_eq!(page.status(), 303, "{}", page.text());
}
