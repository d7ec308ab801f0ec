//! Which session shows which member.

use jiff::SignedDuration;
use membermail_core::random::OsRandom;
use membermail_identity::session::{self, SessionId};

use super::{Browser, World, is_welcome};

#[tokio::test]
async fn visitor_gets_welcome_page() {
    let world = World::new().await;
    let page = Browser::default().get(&world, "/").await;
    assert!(is_welcome(&page), "{}", page.text());
    assert!(page.text().contains("name@ubuntu.com"), "{}", page.text());
}

#[tokio::test]
async fn unknown_session_gets_welcome_page() {
    let world = World::new().await;
    world.resident("alice").await;
    let page = Browser(Some(SessionId::new(&OsRandom))).get(&world, "/").await;
    assert!(is_welcome(&page) && !page.text().contains("alice"), "{}", page.text());
}

#[tokio::test]
async fn session_shows_only_its_member() {
    let world = World::new().await;
    let (alice, _) = world.resident("alice").await;
    let (bob, _) = world.resident("bob").await;
    let page = alice.get(&world, "/").await;
    assert!(page.text().contains("alice@ubuntu.com") && !page.text().contains("bob"), "{}", page.text());
    let page = bob.get(&world, "/").await;
    assert!(page.text().contains("bob@ubuntu.com") && !page.text().contains("alice"), "{}", page.text());
}

#[tokio::test]
async fn signed_out_session_gets_welcome_page() {
    let world = World::new().await;
    let (browser, _) = world.resident("alice").await;
    let hash = browser.0.clone().unwrap().hash();
    world.store().end_session(hash.as_str()).await.unwrap();
    assert!(is_welcome(&browser.get(&world, "/").await));
}

#[tokio::test]
async fn idle_session_gets_welcome_page() {
    let world = World::new().await;
    let (browser, _) = world.resident("alice").await;
    world.advance(session::IDLE - SignedDuration::from_secs(1));
    assert!(browser.get(&world, "/").await.text().contains("alice@ubuntu.com"));
    // That use was recorded, so the idle timeout starts again.
    world.advance(session::IDLE - SignedDuration::from_secs(1));
    assert!(browser.get(&world, "/").await.text().contains("alice@ubuntu.com"));
    world.advance(session::IDLE);
    assert!(is_welcome(&browser.get(&world, "/").await));
}

#[tokio::test]
async fn recent_use_is_not_recorded_again() {
    let world = World::new().await;
    let (browser, _) = world.resident("alice").await;
    let hash = browser.0.clone().unwrap().hash();
    let started_at = world.now();
    world.advance(SignedDuration::from_mins(4));
    browser.get(&world, "/").await;
    let session = world.store().session(hash.as_str(), world.now()).await.unwrap().unwrap();
    assert_eq!(session.last_seen, started_at);
}

#[tokio::test]
async fn banned_member_gets_welcome_page() {
    let world = World::new().await;
    let (browser, member) = world.resident("alice").await;
    world.store().ban(member.id, world.cause(), &OsRandom).await.unwrap();
    assert!(is_welcome(&browser.get(&world, "/").await));
}

#[tokio::test]
async fn linked_session_shows_all_addresses() {
    let world = World::new().await;
    let (_, survivor) = world.resident("alice").await;
    let (browser, linked) = world.resident("bob").await;
    world.store().link(&survivor, &linked, world.cause(), &OsRandom).await.unwrap();
    let page = browser.get(&world, "/").await;
    assert!(page.text().contains("alice@ubuntu.com now forwards to alice@mail.example"), "{}", page.text());
    assert!(page.text().contains("bob@ubuntu.com now forwards to"), "{}", page.text());
}
