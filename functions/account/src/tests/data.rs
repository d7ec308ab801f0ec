//! Export and erasure.

use jiff::SignedDuration;
use membermail_core::alias::{Reason, Status};
use membermail_core::destination::FRESH_SIGN_IN;
use serde_json::Value;

use super::{Browser, World, is_welcome};

#[tokio::test]
async fn export_is_shown_and_downloaded() {
    let world = World::new().await;
    let (browser, member) = world.resident("alice").await;
    world.resident("bob").await;
    let page = browser.get(&world, "/export").await;
    assert_eq!((page.status(), page.header("cache-control")), (200, "no-store"));
    for expected in ["alice@ubuntu.com", "alice@mail.example", "Sign-in address", "Signed in on"] {
        assert!(page.text().contains(expected), "{expected}: {}", page.text());
    }
    assert!(!page.text().contains("bob"), "{}", page.text());
    let file = browser.submit(&world, "/export", &[]).await;
    assert_eq!((file.status(), file.header("cache-control")), (200, "no-store"));
    assert_eq!(file.header("content-type"), "application/json");
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"membermail-data.json\"");
    let data: Value = serde_json::from_str(file.text()).unwrap();
    assert_eq!(data["members"][0]["id"], Value::from(member.id.to_string()));
    assert_eq!(data["members"][0]["addresses"][0]["address"], Value::from("alice@ubuntu.com"));
    let page = browser.get(&world, "/history").await;
    assert!(page.text().contains("The data was exported"), "{}", page.text());
}

#[tokio::test]
async fn data_pages_need_a_member() {
    let world = World::new().await;
    let (browser, member) = world.resident("alice").await;
    let before = world.everything(&member).await;
    for path in ["/export", "/erase"] {
        assert_eq!(Browser::default().get(&world, path).await.location(), "/");
        let fields = [("word", "ERASE")];
        assert_eq!(Browser::default().submit_raw(&world, path, &fields).await.location(), "/");
        let page = browser.submit_raw(&world, path, &fields).await;
        assert!(page.is_refusal(403, "Nothing has changed"), "{}", page.text());
        assert_eq!(browser.get(&world, path).await.status(), 200);
    }
    assert_eq!(world.everything(&member).await, before);
    world.advance(FRESH_SIGN_IN);
    let before = world.everything(&member).await;
    for path in ["/export", "/erase"] {
        let page = browser.submit(&world, path, &[("word", "ERASE")]).await;
        assert!(page.is_refusal(403, "Please sign in again first"), "{}", page.text());
    }
    assert_eq!(world.everything(&member).await, before);
}

#[tokio::test]
async fn erasure_needs_the_word() {
    let world = World::new().await;
    let (browser, member) = world.resident("alice").await;
    let before = world.everything(&member).await;
    let page = browser.get(&world, "/erase").await;
    assert!(page.text().contains("type ERASE here"), "{}", page.text());
    for fields in [&[][..], &[("word", "")], &[("word", "yes")], &[("word", "ERASE"), ("word", "ERASE")]] {
        let page = browser.submit(&world, "/erase", fields).await;
        assert!(page.is_refusal(422, "Nothing was erased"), "{}", page.text());
    }
    assert_eq!(world.everything(&member).await, before);
}

#[tokio::test]
async fn erased_member_gets_a_receipt() {
    let world = World::new().await;
    let (browser, member) = world.resident("alice").await;
    let page = browser.submit(&world, "/erase", &[("word", "erase")]).await;
    assert_eq!((page.status(), page.header("cache-control")), (200, "no-store"));
    assert!(page.text().contains("Your data is erased") && page.text().contains("alice@ubuntu.com"), "{}", page.text());
    assert!(page.header("set-cookie").contains("Max-Age=0"), "{}", page.header("set-cookie"));
    let alias = world.alias("alice@ubuntu.com").await;
    assert_eq!((alias.status, alias.reason), (Status::Retired, Reason::Erased));
    assert!(world.member(member.id).await.is_erased());
    assert!(world.store().destinations_of(member.id).await.unwrap().is_empty());
    assert!(is_welcome(&browser.get(&world, "/").await));
    // The back button and a double click.
    assert_eq!(browser.submit(&world, "/erase", &[("word", "erase")]).await.location(), "/");
    // The person can start afresh.
    world.advance(SignedDuration::from_mins(1));
    let (browser, _) = world.sign_in("alice").await;
    let page = browser.get(&world, "/").await;
    assert!(page.text().contains("You erased your data"), "{}", page.text());
}
