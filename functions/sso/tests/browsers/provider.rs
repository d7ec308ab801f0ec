//! The provider verifies an assertion once, and each of its failures has a page.

use lambda_http::http::Method;

use crate::support::{Browser, Verification, World};

#[rstest::rstest]
#[case::confirmed(Verification::Confirm)]
#[case::denied(Verification::Deny)]
#[case::rejected(Verification::Status(400))]
#[case::down(Verification::Status(503))]
#[case::late(Verification::Late)]
#[tokio::test]
async fn replayed_callback_never_reaches_the_provider(#[case] verification: Verification) {
    let world = World::new().await;
    world.cloud.set_verification(verification);
    let mut browser = Browser::default();
    let assertion = world.start_sign_in(&mut browser).await;
    browser.get(&world, &assertion.url()).await;
    assert_eq!(world.cloud.verifications(), 1);

    // The same URL, the same assertion as a form, and another assertion with the same state.
    let again = browser.get(&world, &assertion.url()).await;
    let (url, form) = assertion.form();
    let by_form = browser.post_cross_site(&world, &url, &form).await;
    let nonce = "2026-11-24T10:00:00Zanother";
    let other = browser.get(&world, &assertion.clone().with("response_nonce", nonce).url()).await;
    for page in [again, by_form, other] {
        assert_eq!(page.status(), 400);
        assert!(page.text().contains("This sign-in was already used"), "{}", page.text());
        assert!(world.has_recorded("replayed"));
    }
    assert_eq!(world.cloud.verifications(), 1, "the provider was asked again");
}

#[tokio::test]
async fn concurrent_callbacks_ask_the_provider_once() {
    let (world, browser, assertion) = World::signing_in().await;
    let url = assertion.url();
    let cookies = browser.header(false);
    let ask = || world.send(Method::GET, &url, cookies.as_bytes(), None);
    let (one, two, three) = tokio::join!(ask(), ask(), ask());
    let mut statuses = [one, two, three].map(|page| page.status());
    statuses.sort_unstable();
    assert_eq!((statuses, world.cloud.verifications()), ([303, 400, 400], 1));
}

/// An assertion that was used with another state is refused, and does not consume the new state.
#[tokio::test]
async fn used_nonce_is_refused_unverified() {
    let (world, mut browser, assertion) = World::signing_in().await;
    let first = assertion.with("response_nonce", "2026-11-24T10:00:00Zsame");
    assert_eq!(browser.get(&world, &first.url()).await.status(), 303);
    let second = world.start_sign_in(&mut browser).await;
    let page = browser.get(&world, &second.clone().with("response_nonce", "2026-11-24T10:00:00Zsame").url()).await;
    assert_eq!((page.status(), world.cloud.verifications()), (400, 1));
    assert_eq!(browser.get(&world, &second.url()).await.status(), 303);
}

#[rstest::rstest]
#[case::denied(Verification::Deny, 400, "Ubuntu One did not confirm the sign-in", "forged")]
#[case::rejected(Verification::Status(400), 400, "Ubuntu One could not check the sign-in", "provider-rejected")]
#[case::late(Verification::Late, 504, "Ubuntu One did not answer in time", "provider-timeout")]
#[case::down(Verification::Status(503), 502, "Ubuntu One is not available", "provider-failed")]
#[case::busy(Verification::Status(429), 502, "Ubuntu One is not available", "provider-failed")]
#[case::missing(Verification::Status(404), 502, "Ubuntu One is not available", "provider-failed")]
#[case::garbage(Verification::Garbage, 502, "Ubuntu One is not available", "provider-failed")]
#[tokio::test]
async fn provider_failure_has_its_page(
    #[case] verification: Verification,
    #[case] status: u16,
    #[case] heading: &str,
    #[case] outcome: &str,
) {
    let world = World::new().await;
    world.cloud.set_verification(verification);
    let mut browser = Browser::default();
    let url = world.start_sign_in(&mut browser).await.url();
    let page = browser.get(&world, &url).await;
    assert_eq!(page.status(), status, "{}", page.text());
    assert!(page.text().contains(&format!("<h1>{heading}</h1>")), "{}", page.text());
    assert!(page.text().to_lowercase().contains("please sign in again"), "{}", page.text());
    assert!(page.text().contains(r#"href="/sign-in""#), "{}", page.text());
    assert!(world.has_recorded(outcome));
    assert!(browser.session().is_none() && world.cloud.messages().is_empty());

    // The member can start again.
    world.cloud.set_verification(Verification::Confirm);
    world.sign_in(&mut browser).await;
    assert!(world.has_recorded("signed-in"));
}
