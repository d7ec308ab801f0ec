//! What the pages show.

use jiff::SignedDuration;
use lambda_http::http::Method;
use membermail_core::alias::{Reason, Refusal};
use membermail_core::lifecycle::Action;
use membermail_core::random::OsRandom;
use membermail_identity::csrf;
use membermail_pages::assets;
use membermail_store::{Erasure, FirstDestination};

use super::{Browser, World, domain};

#[tokio::test]
async fn account_page_shows_addresses() {
    let world = World::new().await;
    let (browser, _) = world.resident("alice").await;
    let page = browser.get(&world, "/").await;
    assert_eq!((page.status(), page.header("cache-control")), (200, "no-store"));
    assert!(page.text().contains("<h1>Your addresses</h1>"), "{}", page.text());
    assert!(page.text().contains("alice@ubuntu.com now forwards to alice@mail.example"), "{}", page.text());
}

#[tokio::test]
async fn failing_address_is_shown() {
    let world = World::new().await;
    let (browser, member) = world.sign_in("alice").await;
    let alias = world.grant(&member, "alice").await;
    world.advance(SignedDuration::from_mins(10));
    let reply = "5.2.2".parse().unwrap();
    world.store().record_failure(&alias.address, &reply, world.now(), &OsRandom).await.unwrap();
    let page = browser.get(&world, "/").await;
    assert!(page.text().contains("Some mail to alice@ubuntu.com did not reach you"), "{}", page.text());
    assert!(page.text().contains("(on 24 November 2026; status 5.2.2)"), "{}", page.text());
    world.advance(SignedDuration::from_hours(14 * 24 + 1));
    let (browser, _) = world.sign_in("alice").await;
    let page = browser.get(&world, "/").await;
    assert!(page.text().contains("alice@ubuntu.com now forwards to alice@mail.example"), "{}", page.text());
}

#[tokio::test]
async fn account_page_offers_sign_out() {
    let world = World::new().await;
    let (browser, _) = world.sign_in("alice").await;
    let token = csrf::token(browser.0.as_ref().unwrap());
    let page = browser.get(&world, "/").await;
    assert!(page.text().contains(r#"action="/sign-out""#), "{}", page.text());
    assert!(page.text().contains(&format!(r#"name="csrf" value="{token}""#)), "{}", page.text());
}

#[tokio::test]
async fn eligible_member_waits_for_address() {
    let world = World::new().await;
    let (browser, _) = world.sign_in("alice").await;
    let page = browser.get(&world, "/").await;
    assert!(page.text().contains("Your address is being created"), "{}", page.text());
}

#[tokio::test]
async fn refusal_is_shown() {
    let world = World::new().await;
    let (browser, member) = world.sign_in("alice").await;
    world.store().refuse(member.id, &domain(), &Refusal::Taken, world.now()).await.unwrap();
    let page = browser.get(&world, "/").await;
    assert!(page.text().contains("This address belongs to someone else"), "{}", page.text());
}

#[tokio::test]
async fn erased_member_sees_no_old_destination() {
    let world = World::new().await;
    let (_, member) = world.sign_in("alice").await;
    let alias = world.grant(&member, "alice").await;
    let reason = Reason::NotInTeam;
    let until = world.now() + SignedDuration::from_hours(14 * 24);
    let leaving = world.apply(&alias, Action::Leave { reason, until }).await;
    world.advance(SignedDuration::from_hours(14 * 24));
    let suspended = world.apply(&leaving, Action::Suspend { reason }).await;
    world.advance(SignedDuration::from_hours(180 * 24));
    world.apply(&suspended, Action::Retire).await;
    world.advance(SignedDuration::from_hours(24));
    let erasure = world.store().erase(member.id, world.cause(), &OsRandom).await.unwrap();
    assert_eq!(erasure, Erasure::Done);

    let (browser, _) = world.sign_in("alice").await;
    let page = browser.get(&world, "/").await;
    assert!(page.text().contains("alice@ubuntu.com") && page.text().contains("Switched off since"), "{}", page.text());
    assert!(!page.text().contains("forwards to alice@mail.example"), "{}", page.text());
}

#[tokio::test]
async fn unavailable_secret_gets_error_page() {
    let world = World::new().await;
    let (alice, _) = world.resident("alice").await;
    let (bob, _) = world.sign_in_with("bob", FirstDestination::Unsuitable).await;
    world.cloud.inner().secrets = ["short", "short"];
    let page = alice.get(&world, "/").await;
    assert_eq!(page.status(), 503);
    assert!(page.text().contains("Something went wrong") && !page.text().contains("alice"), "{}", page.text());
    // A member without mailboxes does not need the secret.
    assert_eq!(bob.get(&world, "/").await.status(), 200);
}

#[tokio::test]
async fn unknown_path_is_not_found() {
    let world = World::new().await;
    let page = Browser::default().get(&world, "/nothing").await;
    assert_eq!(page.status(), 404);
    assert!(page.text().contains("This page does not exist"), "{}", page.text());
}

#[tokio::test]
async fn post_is_not_allowed() {
    let world = World::new().await;
    let page = Browser::default().send(&world, Method::POST, "/").await;
    assert_eq!((page.status(), page.header("allow")), (405, "GET, HEAD"));
}

#[tokio::test]
async fn head_has_no_body() {
    let world = World::new().await;
    let page = Browser::default().send(&world, Method::HEAD, "/").await;
    assert_eq!((page.status(), page.text()), (200, ""));
}

#[tokio::test]
async fn asset_is_cached_forever() {
    let world = World::new().await;
    let page = Browser::default().get(&world, &format!("/assets/{}", assets::STYLE.name())).await;
    assert_eq!((page.status(), page.text()), (200, assets::STYLE.text));
    assert!(page.header("cache-control").contains("immutable"));
    let icon = Browser::default().get(&world, "/favicon.ico").await;
    assert_eq!((icon.status(), icon.header("cache-control")), (200, "public, max-age=86400"));
}
