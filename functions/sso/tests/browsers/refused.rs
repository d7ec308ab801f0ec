//! Responses that are refused before the direct verification.

use jiff::SignedDuration;
use lambda_http::http::Method;
use membermail_core::community::SignIn;
use membermail_identity::state;

use crate::support::{Assertion, Browser, World};

type Change = fn(Assertion) -> Assertion;

#[rstest::rstest]
#[case::cancelled(|a: Assertion| a.with("mode", "cancel"), 200, "You cancelled the sign-in", "cancelled")]
#[case::setup_needed(
    |a: Assertion| a.with("mode", "setup_needed"), 400, "Please confirm the sign-in at Ubuntu One", "refused"
)]
#[case::error(|a: Assertion| a.with("mode", "error"), 400, "Ubuntu One reports an error", "refused")]
#[case::unticked(
    |a: Assertion| a.without(&["sreg.email"]), 400, "Ubuntu One did not share your e-mail address", "no-email"
)]
#[case::nothing_ticked(
    |a: Assertion| a.without(&["sreg.email", "ns.sreg"]), 400, "Ubuntu One did not share your e-mail address", "no-email"
)]
#[case::unusable(
    |a: Assertion| a.with("sreg.email", "x <bob@ubuntu.com>"),
    400,
    "We cannot forward mail to your e-mail address",
    "bad-email"
)]
#[case::old(
    |a: Assertion| a.with("response_nonce", "2026-11-24T09:00:00Zx"), 400, "The sign-in took too long", "too-late"
)]
#[case::altered(
    |a: Assertion| a.with("ns.more", crate::support::SREG), 400, "We could not accept the sign-in", "refused"
)]
#[case::reserved_alias(
    |a: Assertion| a.with("ns.mode", "http://example.org/x"), 400, "We could not accept the sign-in", "refused"
)]
#[tokio::test]
async fn refused_response_has_its_page(
    #[case] change: Change,
    #[case] status: u16,
    #[case] heading: &str,
    #[case] outcome: &str,
) {
    let (world, mut browser, assertion) = World::signing_in().await;
    let page = browser.get(&world, &change(assertion.clone()).url()).await;
    assert_eq!(page.status(), status, "{}", page.text());
    assert!(page.text().contains(&format!("<h1>{heading}</h1>")), "{}", page.text());
    assert!(page.text().to_lowercase().contains("sign in"), "{}", page.text());
    assert!(status == 200 || page.text().contains(r#"href="/sign-in""#), "{}", page.text());
    assert!(!page.text().contains("bob@"), "{}", page.text());
    assert!(world.has_recorded(outcome));
    assert_eq!(world.cloud.verifications(), 0);
    // Nothing was consumed: the original assertion is still valid.
    assert_eq!(browser.get(&world, &assertion.url()).await.status(), 303);
}

#[tokio::test]
async fn missing_email_names_the_box() {
    let (world, mut browser, assertion) = World::signing_in().await;
    let assertion = assertion.without(&["sreg.email"]);
    let page = browser.get(&world, &assertion.url()).await;
    assert!(page.text().contains("tick “Email address”"), "{}", page.text());
}

#[rstest::rstest]
#[case::no_at("alice", "has no @")]
#[case::non_ascii("älice@example.org", "has characters before the @")]
#[case::no_domain("alice@localhost", "does not end in a domain name")]
#[tokio::test]
async fn unusable_email_says_what_is_wrong(#[case] email: &str, #[case] fault: &str) {
    let (world, mut browser, assertion) = World::signing_in().await;
    let assertion = assertion.with("sreg.email", email);
    let page = browser.get(&world, &assertion.url()).await;
    assert!(page.text().contains(fault), "{}", page.text());
    assert!(page.text().contains("another e-mail address in your Ubuntu One account"), "{}", page.text());
}

#[tokio::test]
async fn late_sign_in_starts_again() {
    let (world, mut browser, assertion) = World::signing_in().await;
    world.advance(state::LIFETIME + SignedDuration::from_secs(1));
    let page = browser.get(&world, &assertion.url()).await;
    assert!(page.status() == 400 && page.text().contains("The sign-in took too long"), "{}", page.text());
    assert!(world.has_recorded("too-late"));
    assert_eq!(world.cloud.verifications(), 0);
}

#[rstest::rstest]
#[case::without_cookies(false)]
#[case::with_own_cookies(true)]
#[tokio::test]
async fn other_browser_gets_no_session(#[case] has_begun: bool) {
    let world = World::new().await;
    let mut attacker = Browser::default();
    let mut victim = Browser::default();
    let assertion = world.start_sign_in(&mut attacker).await;
    if has_begun {
        world.start_sign_in(&mut victim).await;
    }
    let page = victim.get(&world, &assertion.url()).await;
    assert!(page.status() == 400 && page.text().contains("did not start in this browser"), "{}", page.text());
    assert!(world.has_recorded("other-browser"));
    assert_eq!((victim.session().is_none(), world.cloud.verifications()), (true, 0));
}

/// Another community has another provider.
#[tokio::test]
async fn pages_name_the_communitys_provider() {
    let mut world = World::new().await;
    let SignIn::OpenId2(provider) = &mut world.context.community.sign_in else { panic!("another protocol") };
    provider.title = "Example ID".into();
    let mut browser = Browser::default();
    let assertion = world.start_sign_in(&mut browser).await;
    for change in [|a: Assertion| a.with("mode", "error"), |a: Assertion| a.without(&["sreg.email"])] {
        let page = browser.get(&world, &change(assertion.clone()).url()).await;
        assert!(page.text().contains("Example ID") && !page.text().contains("Ubuntu One"), "{}", page.text());
    }
}

#[tokio::test]
async fn head_consumes_nothing() {
    let (world, mut browser, assertion) = World::signing_in().await;
    let url = assertion.url();
    let page = world.send(Method::HEAD, &url, browser.header(false).as_bytes(), None).await;
    assert_eq!((page.status(), world.cloud.verifications(), world.cloud.count("STATE#")), (405, 0, 0));
    assert_eq!(browser.get(&world, &url).await.status(), 303);
}
