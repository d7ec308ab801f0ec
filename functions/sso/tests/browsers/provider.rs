//! The provider is asked once, and each of its failures has a page.

use lambda_http::http::Method;

use crate::support::{Browser, Says, World};

#[rstest::rstest]
#[case::confirmed(Says::Yes)]
#[case::denied(Says::No)]
#[case::rejected(Says::Status(400))]
#[case::down(Says::Status(503))]
#[case::late(Says::Late)]
#[tokio::test]
async fn replayed_callback_never_reaches_the_provider(#[case] says: Says) {
    let world = World::new().await;
    world.cloud.provider_says(says);
    let mut browser = Browser::default();
    let answer = world.chosen(&mut browser).await;
    browser.get(&world, &answer.url()).await;
    assert_eq!(world.cloud.asked(), 1);

    // The same URL, the same answer as a form, and another answer with the same state.
    let again = browser.get(&world, &answer.url()).await;
    let (url, form) = answer.form();
    let by_form = browser.post_from_elsewhere(&world, &url, &form).await;
    let nonce = "2026-11-24T10:00:00Zanother";
    let other = browser.get(&world, &answer.clone().with("response_nonce", nonce).url()).await;
    for page in [again, by_form, other] {
        assert_eq!(page.status(), 400);
        assert!(page.text().contains("This sign-in was used already"), "{}", page.text());
        assert!(world.measured("replayed"));
    }
    assert_eq!(world.cloud.asked(), 1, "the provider was asked again");
}

#[tokio::test]
async fn concurrent_callbacks_ask_the_provider_once() {
    let world = World::new().await;
    let mut browser = Browser::default();
    let url = world.chosen(&mut browser).await.url();
    let cookies = browser.header(false);
    let ask = || world.ask(Method::GET, &url, cookies.as_bytes(), None);
    let (one, two, three) = tokio::join!(ask(), ask(), ask());
    let mut statuses = [one, two, three].map(|page| page.status());
    statuses.sort_unstable();
    assert_eq!((statuses, world.cloud.asked()), ([303, 400, 400], 1));
}

/// An answer that was used with another state is not asked about either, and costs the new state nothing.
#[tokio::test]
async fn used_nonce_is_refused_unasked() {
    let world = World::new().await;
    let mut browser = Browser::default();
    let first = world.chosen(&mut browser).await.with("response_nonce", "2026-11-24T10:00:00Zsame");
    assert_eq!(browser.get(&world, &first.url()).await.status(), 303);
    let second = world.chosen(&mut browser).await;
    let page = browser.get(&world, &second.clone().with("response_nonce", "2026-11-24T10:00:00Zsame").url()).await;
    assert_eq!((page.status(), world.cloud.asked()), (400, 1));
    assert_eq!(browser.get(&world, &second.url()).await.status(), 303);
}

#[rstest::rstest]
#[case::denied(Says::No, 400, "Ubuntu One did not confirm the sign-in", "forged")]
#[case::rejected(Says::Status(400), 400, "Ubuntu One could not check the sign-in", "provider-rejected")]
#[case::late(Says::Late, 504, "Ubuntu One did not answer in time", "provider-timeout")]
#[case::down(Says::Status(503), 502, "Ubuntu One is not available", "provider-failed")]
#[case::busy(Says::Status(429), 502, "Ubuntu One is not available", "provider-failed")]
#[case::missing(Says::Status(404), 502, "Ubuntu One is not available", "provider-failed")]
#[case::garbage(Says::Garbage, 502, "Ubuntu One is not available", "provider-failed")]
#[tokio::test]
async fn provider_failure_has_its_page(
    #[case] says: Says,
    #[case] status: u16,
    #[case] heading: &str,
    #[case] outcome: &str,
) {
    let world = World::new().await;
    world.cloud.provider_says(says);
    let mut browser = Browser::default();
    let url = world.chosen(&mut browser).await.url();
    let page = browser.get(&world, &url).await;
    assert_eq!(page.status(), status, "{}", page.text());
    assert!(page.text().contains(&format!("<h1>{heading}</h1>")), "{}", page.text());
    assert!(page.text().to_lowercase().contains("please sign in again"), "{}", page.text());
    assert!(page.text().contains(r#"href="/sign-in""#), "{}", page.text());
    assert!(world.measured(outcome));
    assert!(browser.session().is_none() && world.cloud.messages().is_empty());

    // Whatever it was, the member can start again.
    world.cloud.provider_says(Says::Yes);
    world.sign_in(&mut browser).await;
    assert!(world.measured("signed-in"));
}
