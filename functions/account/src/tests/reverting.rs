//! "This was not me", and the list of sessions.

use jiff::SignedDuration;
use membermail_core::audit::{Change, DestinationChange};
use membermail_core::member::MemberId;
use membermail_store::{Member, Proof};
use ulid::Ulid;

use super::{Browser, World, is_welcome};

const NEW: &str = "new@mail.example";

/// The last confirmation of a member's mailbox, as the link in the mail names it, and its code.
async fn last_change(world: &World, member: &Member) -> (String, String) {
    let history = world.store().history_of(member.id, 100).await.unwrap();
    let is_confirmation =
        |change: &Change| matches!(change, Change::Destination { did: DestinationChange::Confirmed, .. });
    let entry = history.iter().find(|entry| is_confirmation(&entry.change)).unwrap();
    (format!("{}.{}", member.id, entry.id), code_of(world, member.id, entry.id))
}

fn code_of(world: &World, member: MemberId, undo: Ulid) -> String {
    world.sealer().code(Proof::Undo { member, undo }).unwrap().expose()
}

/// A member whose addresses somebody has redirected.
async fn hijacked() -> (World, Browser, Member) {
    let world = World::new().await;
    let (thief, member) = world.resident("alice").await;
    thief.submit(&world, "/destinations", &[("address", NEW), ("replaces", "all")]).await;
    let (id, code) = (world.mailbox(&member, NEW).await.id.to_string(), world.code(&member, NEW).await);
    let page = thief.submit(&world, "/confirm", &[("destination", &id), ("code", &code)]).await;
    assert_eq!(page.location(), "/");
    assert_eq!(world.listed("alice@ubuntu.com").await, vec![id]);
    (world, thief, member)
}

#[tokio::test]
async fn owner_reverts_change_without_session() {
    let (world, thief, member) = hijacked().await;
    let old = world.mailbox(&member, "alice@mail.example").await.id.to_string();
    let (change, code) = last_change(&world, &member).await;
    let owner = Browser::default();
    let page = owner.get(&world, &format!("/undo?change={change}")).await;
    assert_eq!(page.status(), 200);
    assert!(page.text().contains(&change) && !page.text().contains('@'), "{}", page.text());
    for _ in 0..2 {
        let page = owner.submit_raw(&world, "/undo", &[("change", &change), ("code", &code)]).await;
        assert!(page.status() == 200 && page.text().contains("The change is reverted"), "{}", page.text());
        assert!(page.text().contains("Change your password"), "{}", page.text());
    }
    assert_eq!(world.listed("alice@ubuntu.com").await, vec![old]);
    assert!(is_welcome(&thief.get(&world, "/").await));
    let page = owner.get(&world, &format!("/undo?change={change}")).await;
    assert!(page.text().contains("The change is reverted"), "{}", page.text());
}

#[tokio::test]
async fn scanner_reverts_nothing() {
    let (world, thief, member) = hijacked().await;
    let (change, code) = last_change(&world, &member).await;
    let before = world.listed("alice@ubuntu.com").await;
    let wrong = if code == "BCDF-2345" { "BCDF-2346" } else { "BCDF-2345" };
    for fields in [
        vec![("change", change.as_str())],
        vec![("change", &change), ("code", "")],
        vec![("change", &change), ("code", wrong)],
        vec![("change", &change), ("code", &code), ("code", &code)],
    ] {
        let page = Browser::default().submit_raw(&world, "/undo", &fields).await;
        assert!(page.is_refusal(422, "<h1>"), "{}", page.text());
    }
    assert_eq!(world.listed("alice@ubuntu.com").await, before);
    assert!(thief.get(&world, "/").await.text().contains("alice@ubuntu.com"));
}

#[tokio::test]
async fn guessing_undo_code_ends() {
    let (world, _, member) = hijacked().await;
    let (change, code) = last_change(&world, &member).await;
    let wrong = if code == "BCDF-2345" { "BCDF-2346" } else { "BCDF-2345" };
    for _ in 0..10 {
        let page = Browser::default().submit_raw(&world, "/undo", &[("change", &change), ("code", wrong)]).await;
        assert!(page.is_refusal(422, "not right"), "{}", page.text());
    }
    let page = Browser::default().submit_raw(&world, "/undo", &[("change", &change), ("code", &code)]).await;
    assert!(page.is_refusal(404, "cannot be reverted"), "{}", page.text());
}

#[tokio::test]
async fn invalid_change_is_refused() {
    let (world, _, member) = hijacked().await;
    let (change, code) = last_change(&world, &member).await;
    let (_, stranger) = world.resident("bob").await;
    let foreign = change.replace(&member.id.to_string(), &stranger.id.to_string());
    let nothing = format!("{}.{}", member.id, Ulid::from_parts(1, 1));
    let long = "a".repeat(4000);
    for change in ["", ".", "x.y", &foreign, &nothing, &long, "<script>alert(1)</script>"] {
        let page = Browser::default().submit_raw(&world, "/undo", &[("change", change), ("code", &code)]).await;
        assert!(page.is_refusal(404, "cannot be reverted"), "{change}: {}", page.text());
        let page = Browser::default().get(&world, "/undo?change=x.y").await;
        assert!(page.is_refusal(404, "cannot be reverted"), "{}", page.text());
    }
    let huge = "a".repeat(10_000);
    let page = Browser::default().submit_raw(&world, "/undo", &[("change", &huge), ("code", &code)]).await;
    assert!(page.is_refusal(413, "too long"), "{}", page.text());
    world.advance(SignedDuration::from_hours(72));
    let page = Browser::default().submit_raw(&world, "/undo", &[("change", &change), ("code", &code)]).await;
    assert!(page.is_refusal(404, "cannot be reverted"), "{}", page.text());
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let world = World::new().await;
    let (browser, _) = world.resident("alice").await;
    world.advance(SignedDuration::from_mins(3));
    let (other, _) = world.sign_in("alice").await;
    let (stranger, _) = world.resident("bob").await;
    let page = browser.get(&world, "/sessions").await;
    assert_eq!(page.text().matches("/sessions/end\"").count(), 2, "{}", page.text());
    assert_eq!(page.text().matches("This browser").count(), 1, "{}", page.text());
    assert!(page.text().contains("Signed in on 24 November 2026, 10:03 UTC"), "{}", page.text());
    let hash = other.0.as_ref().unwrap().hash();
    for _ in 0..2 {
        let page = browser.submit(&world, "/sessions/end", &[("session", hash.as_str())]).await;
        assert_eq!(page.location(), "/sessions");
    }
    assert!(is_welcome(&other.get(&world, "/").await));
    let page = browser.submit(&world, "/sessions/end-all", &[]).await;
    assert_eq!(page.location(), "/");
    assert!(page.header("set-cookie").contains("Max-Age=0"), "{}", page.header("set-cookie"));
    assert!(is_welcome(&browser.get(&world, "/").await));
    assert_eq!(browser.get(&world, "/sessions").await.location(), "/");
    assert!(stranger.get(&world, "/").await.text().contains("bob@ubuntu.com"));
}

#[tokio::test]
async fn own_session_can_be_ended() {
    let world = World::new().await;
    let (browser, _) = world.resident("alice").await;
    let hash = browser.0.as_ref().unwrap().hash();
    let page = browser.submit(&world, "/sessions/end", &[("session", hash.as_str())]).await;
    assert_eq!(page.location(), "/");
    assert!(!page.header("set-cookie").is_empty() && is_welcome(&browser.get(&world, "/").await));
}

#[tokio::test]
async fn history_shows_operator_and_mailboxes() {
    let (world, browser, member) = hijacked().await;
    let alias = world.alias("alice@ubuntu.com").await;
    world
        .store()
        .pause_alias(&member, &alias.address, Some(true), world.cause(), &membermail_core::random::OsRandom)
        .await
        .unwrap();
    let page = browser.get(&world, "/history").await;
    for expected in
        ["Confirmed: new@mail.example", "forwards to other mailboxes", "An operator", "You got alice@ubuntu.com"]
    {
        assert!(page.text().contains(expected), "{expected}: {}", page.text());
    }
    assert!(!page.text().contains("olivia"), "{}", page.text());
}
