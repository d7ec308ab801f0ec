//! What members decide about their addresses.

use jiff::SignedDuration;
use membermail_core::alias::{Reason, Status};
use membermail_core::random::OsRandom;
use membermail_store::FirstDestination;
use serde_json::json;
use ulid::Ulid;

use super::World;

const ALICE: (&str, &str) = ("address", "alice@ubuntu.com");
const NEW: &str = "new@mail.example";

#[tokio::test]
async fn address_forwards_to_chosen_mailboxes() {
    let world = World::new().await;
    let (browser, member) = world.resident("alice").await;
    let first = world.mailbox(&member, "alice@mail.example").await.id.to_string();
    world.advance(SignedDuration::from_secs(1));
    let second = world.add_mailbox(&browser, &member, NEW).await.id.to_string();
    let version = world.alias("alice@ubuntu.com").await.version.to_string();
    world.messages();
    let both = [ALICE, ("version", &version), ("destination", &first), ("destination", &second)];
    // The second submission, such as by the back button, has the old version.
    for _ in 0..2 {
        assert_eq!(browser.submit(&world, "/addresses/destinations", &both).await.location(), "/");
    }
    assert_eq!((world.listed("alice@ubuntu.com").await, world.messages().len()), (vec![first.clone(), second], 1));
    let page = browser.get(&world, "/").await;
    let expected = "alice@ubuntu.com now forwards to alice@mail.example, new@mail.example";
    assert!(page.text().contains(expected), "{}", page.text());
    let stale = [ALICE, ("version", &version), ("destination", &first)];
    let page = browser.submit(&world, "/addresses/destinations", &stale).await;
    assert!(page.is_refusal(409, "has changed meanwhile"), "{}", page.text());
}

#[tokio::test]
async fn unsuitable_choice_is_refused() {
    let world = World::new().await;
    let (browser, member) = world.resident("alice").await;
    browser.submit(&world, "/destinations", &[("address", NEW)]).await;
    let pending = world.mailbox(&member, NEW).await.id.to_string();
    let before = world.listed("alice@ubuntu.com").await;
    let version = world.alias("alice@ubuntu.com").await.version.to_string();
    let mut six: Vec<_> = (1..=6).map(|number| Ulid::from_parts(number, 0).to_string()).collect();
    six.push(before[0].clone());
    for chosen in [vec![], vec![pending], vec!["nonsense".to_owned()], six] {
        let mut fields = vec![ALICE, ("version", version.as_str())];
        fields.extend(chosen.iter().map(|id| ("destination", id.as_str())));
        let page = browser.submit(&world, "/addresses/destinations", &fields).await;
        assert!(page.is_refusal(422, "one to five mailboxes"), "{}", page.text());
    }
    assert_eq!(world.listed("alice@ubuntu.com").await, before);
}

#[tokio::test]
async fn looping_address_works_with_other_mailbox() {
    let world = World::new().await;
    let (browser, member) = world.sign_in_with("alice", FirstDestination::Unsuitable).await;
    world.grant(&member, "alice").await;
    assert_eq!(world.alias("alice@ubuntu.com").await.reason, Reason::Loop);
    let id = world.add_mailbox(&browser, &member, NEW).await.id.to_string();
    let version = world.alias("alice@ubuntu.com").await.version.to_string();
    let fields = [ALICE, ("version", &version), ("destination", &id)];
    assert_eq!(browser.submit(&world, "/addresses/destinations", &fields).await.location(), "/");
    let page = browser.get(&world, "/").await;
    assert!(page.text().contains("alice@ubuntu.com now forwards to new@mail.example"), "{}", page.text());
}

#[tokio::test]
async fn linked_address_is_managed_by_survivor() {
    let world = World::new().await;
    let (browser, survivor) = world.resident("alice").await;
    let (_, linked) = world.resident("bob").await;
    world.store().link(&survivor, &linked, world.cause(), &OsRandom).await.unwrap();
    let id = world.add_mailbox(&browser, &survivor, NEW).await.id.to_string();
    let version = world.alias("bob@ubuntu.com").await.version.to_string();
    let fields = [("address", "bob@ubuntu.com"), ("version", &version), ("destination", &id)];
    assert_eq!(browser.submit(&world, "/addresses/destinations", &fields).await.location(), "/");
    let page = browser.get(&world, "/").await;
    assert!(page.text().contains("bob@ubuntu.com now forwards to new@mail.example"), "{}", page.text());
}

#[tokio::test]
async fn paused_address_resumes() {
    let world = World::new().await;
    let (browser, _) = world.resident("alice").await;
    for (mode, expected) in [
        ("temporary", "Senders are asked to try again later"),
        ("permanent", "Senders get an error message at once"),
        ("resume", "alice@ubuntu.com now forwards to alice@mail.example"),
    ] {
        for _ in 0..2 {
            let page = browser.submit(&world, "/addresses/pause", &[ALICE, ("mode", mode)]).await;
            assert_eq!(page.location(), "/");
        }
        let page = browser.get(&world, "/").await;
        assert!(page.text().contains(expected), "{mode}: {}", page.text());
    }
    let page = browser.get(&world, "/history").await;
    for expected in ["was paused: senders try again later", "senders get an error", "was resumed"] {
        assert_eq!(page.text().matches(expected).count(), 1, "{}", page.text());
    }
    let page = browser.submit(&world, "/addresses/pause", &[ALICE, ("mode", "forever")]).await;
    assert!(page.is_refusal(400, "Nothing has changed"), "{}", page.text());
}

#[tokio::test]
async fn deleted_address_can_be_restored() {
    let world = World::new().await;
    let (browser, _) = world.resident("alice").await;
    for _ in 0..2 {
        assert_eq!(browser.submit(&world, "/addresses/delete", &[ALICE]).await.location(), "/");
    }
    assert_eq!(world.messages().len(), 1);
    let page = browser.get(&world, "/").await;
    assert!(page.text().contains("You can restore it until 24 December 2026"), "{}", page.text());
    for _ in 0..2 {
        assert_eq!(browser.submit(&world, "/addresses/restore", &[ALICE]).await.location(), "/");
    }
    let alias = world.alias("alice@ubuntu.com").await;
    assert_eq!((alias.status, alias.reason), (Status::Suspended, Reason::Returning));
    // One notice, and one check, which decides.
    let messages = world.messages();
    let kinds: Vec<_> = messages.iter().map(|message| message.get("kind").cloned()).collect();
    assert_eq!(kinds, [Some(json!("change")), None]);
    assert_eq!(messages[1]["member"], json!(alias.member.to_string()));
    let page = browser.get(&world, "/").await;
    assert!(page.text().contains("Checking your membership"), "{}", page.text());
}

#[tokio::test]
async fn deleted_address_ends_after_a_month() {
    let world = World::new().await;
    let (browser, _) = world.resident("alice").await;
    browser.submit(&world, "/addresses/delete", &[ALICE]).await;
    world.advance(SignedDuration::from_hours(30 * 24));
    let (browser, _) = world.sign_in("alice").await;
    let page = browser.submit(&world, "/addresses/restore", &[ALICE]).await;
    assert!(page.is_refusal(404, "Nothing has changed"), "{}", page.text());
    let page = browser.get(&world, "/").await;
    assert!(page.text().contains("can no longer be restored"), "{}", page.text());
}

#[tokio::test]
async fn test_message_is_sent_once() {
    let world = World::new().await;
    let (browser, member) = world.resident("alice").await;
    let page = browser.get(&world, "/").await;
    let id = page.text().split("name=\"id\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    for _ in 0..2 {
        assert_eq!(browser.submit(&world, "/addresses/test", &[ALICE, ("id", &id)]).await.location(), "/");
    }
    let messages = world.messages();
    assert_eq!(messages.len(), 1);
    let test = &messages[0];
    assert_eq!((&test["kind"], &test["id"]), (&json!("test"), &json!(id)));
    assert_eq!((&test["member"], &test["address"]), (&json!(member.id.to_string()), &json!("alice@ubuntu.com")));
    let page = browser.get(&world, "/").await;
    assert!(page.text().contains("It is on its way"), "{}", page.text());
    let address = "alice@ubuntu.com".to_owned().try_into().unwrap();
    let id = Ulid::from_string(&id).unwrap();
    world.store().record_test(member.id, &address, id, Ok(world.now())).await.unwrap();
    let page = browser.get(&world, "/").await;
    assert!(page.text().contains("Your test message was sent on 24 November 2026"), "{}", page.text());
}

#[tokio::test]
async fn test_messages_are_limited() {
    let world = World::new().await;
    let (browser, _) = world.resident("alice").await;
    for number in 0..6 {
        let id = Ulid::from_parts(number, 1).to_string();
        assert_eq!(browser.submit(&world, "/addresses/test", &[ALICE, ("id", &id)]).await.location(), "/");
    }
    let id = Ulid::from_parts(9, 1).to_string();
    let page = browser.submit(&world, "/addresses/test", &[ALICE, ("id", &id)]).await;
    assert!(page.is_refusal(429, "Please wait a while"), "{}", page.text());
    assert_eq!(world.messages().len(), 6);
}

#[tokio::test]
async fn paused_address_gets_no_test() {
    let world = World::new().await;
    let (browser, _) = world.resident("alice").await;
    browser.submit(&world, "/addresses/pause", &[ALICE, ("mode", "permanent")]).await;
    let id = Ulid::from_parts(1, 1).to_string();
    let page = browser.submit(&world, "/addresses/test", &[ALICE, ("id", &id)]).await;
    assert!(page.is_refusal(404, "Nothing has changed") && world.messages().is_empty(), "{}", page.text());
}
