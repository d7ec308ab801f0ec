//! Answers that are refused before the provider is asked.

use jiff::SignedDuration;
use lambda_http::http::Method;
use membermail_core::community::SignIn;
use membermail_identity::state;

use crate::support::{Answer, Browser, World};

type Change = fn(Answer) -> Answer;

#[rstest::rstest]
#[case::cancelled(|a: Answer| a.with("mode", "cancel"), 200, "You cancelled the sign-in", "cancelled")]
#[case::setup_needed(
    |a: Answer| a.with("mode", "setup_needed"), 400, "Please confirm the sign-in at Ubuntu One", "refused"
)]
#[case::error(|a: Answer| a.with("mode", "error"), 400, "Ubuntu One reports an error", "refused")]
#[case::unticked(
    |a: Answer| a.without(&["sreg.email"]), 400, "Ubuntu One did not share your e-mail address", "no-email"
)]
#[case::nothing_ticked(
    |a: Answer| a.without(&["sreg.email", "ns.sreg"]), 400, "Ubuntu One did not share your e-mail address", "no-email"
)]
#[case::unusable(
    |a: Answer| a.with("sreg.email", "x <bob@ubuntu.com>"),
    400,
    "Mail cannot be forwarded to your e-mail address",
    "bad-email"
)]
#[case::old(
    |a: Answer| a.with("response_nonce", "2026-11-24T09:00:00Zx"), 400, "The sign-in took too long", "too-late"
)]
#[case::altered(
    |a: Answer| a.with("ns.more", crate::support::SREG), 400, "The sign-in could not be accepted", "refused"
)]
#[case::reserved_alias(
    |a: Answer| a.with("ns.mode", "http://example.org/x"), 400, "The sign-in could not be accepted", "refused"
)]
#[tokio::test]
async fn refused_answer_has_its_page(
    #[case] change: Change,
    #[case] status: u16,
    #[case] heading: &str,
    #[case] outcome: &str,
) {
    let world = World::new().await;
    let mut browser = Browser::default();
    let answer = world.chosen(&mut browser).await;
    let page = browser.get(&world, &change(answer.clone()).url()).await;
    assert_eq!(page.status(), status, "{}", page.text());
    assert!(page.text().contains(&format!("<h1>{heading}</h1>")), "{}", page.text());
    assert!(page.text().to_lowercase().contains("sign in"), "{}", page.text());
    assert!(status == 200 || page.text().contains(r#"href="/sign-in""#), "{}", page.text());
    assert!(!page.text().contains("bob@"), "{}", page.text());
    assert!(world.measured(outcome));
    assert_eq!(world.cloud.asked(), 0);
    // Nothing was used up: the answer as the provider made it is still good.
    assert_eq!(browser.get(&world, &answer.url()).await.status(), 303);
}

#[tokio::test]
async fn missing_email_names_the_box() {
    let world = World::new().await;
    let mut browser = Browser::default();
    let answer = world.chosen(&mut browser).await.without(&["sreg.email"]);
    let page = browser.get(&world, &answer.url()).await;
    assert!(page.text().contains("tick “Email address”"), "{}", page.text());
}

#[rstest::rstest]
#[case::no_at("alice", "has no @")]
#[case::non_ascii("älice@example.org", "has characters before the @")]
#[case::no_domain("alice@localhost", "does not end in a domain name")]
#[tokio::test]
async fn unusable_email_says_what_is_wrong(#[case] email: &str, #[case] fault: &str) {
    let world = World::new().await;
    let mut browser = Browser::default();
    let answer = world.chosen(&mut browser).await.with("sreg.email", email);
    let page = browser.get(&world, &answer.url()).await;
    assert!(page.text().contains(fault), "{}", page.text());
    assert!(page.text().contains("another e-mail address in your Ubuntu One account"), "{}", page.text());
}

#[tokio::test]
async fn late_sign_in_starts_again() {
    let world = World::new().await;
    let mut browser = Browser::default();
    let answer = world.chosen(&mut browser).await;
    world.advance(state::LIFETIME + SignedDuration::from_secs(1));
    let page = browser.get(&world, &answer.url()).await;
    assert!(page.status() == 400 && page.text().contains("The sign-in took too long"), "{}", page.text());
    assert!(world.measured("too-late"));
    assert_eq!(world.cloud.asked(), 0);
}

#[rstest::rstest]
#[case::without_cookies(false)]
#[case::with_cookies_of_its_own(true)]
#[tokio::test]
async fn answer_opens_nothing_in_another_browser(#[case] has_begun: bool) {
    let world = World::new().await;
    let (mut attacker, mut victim) = (Browser::default(), Browser::default());
    let answer = world.chosen(&mut attacker).await;
    if has_begun {
        world.chosen(&mut victim).await;
    }
    let page = victim.get(&world, &answer.url()).await;
    assert!(page.status() == 400 && page.text().contains("did not start in this browser"), "{}", page.text());
    assert!(world.measured("other-browser"));
    assert_eq!((victim.session().is_none(), world.cloud.asked()), (true, 0));
}

/// Another community signs in elsewhere, and its pages name that.
#[tokio::test]
async fn pages_name_the_communitys_provider() {
    let mut world = World::new().await;
    let SignIn::OpenId2 { title, .. } = &mut world.context.community.sign_in;
    *title = "Example ID".into();
    let mut browser = Browser::default();
    let answer = world.chosen(&mut browser).await;
    for change in [|a: Answer| a.with("mode", "error"), |a: Answer| a.without(&["sreg.email"])] {
        let page = browser.get(&world, &change(answer.clone()).url()).await;
        assert!(page.text().contains("Example ID") && !page.text().contains("Ubuntu One"), "{}", page.text());
    }
}

#[tokio::test]
async fn head_uses_up_nothing() {
    let world = World::new().await;
    let mut browser = Browser::default();
    let url = world.chosen(&mut browser).await.url();
    let page = world.ask(Method::HEAD, &url, browser.header(false).as_bytes(), None).await;
    assert_eq!((page.status(), world.cloud.asked(), world.cloud.count("STATE#")), (405, 0, 0));
    assert_eq!(browser.get(&world, &url).await.status(), 303);
}
