//! Adding and removing mailboxes.

use jiff::SignedDuration;
use membermail_core::random::OsRandom;
use membermail_store::FirstDestination;
use rstest::rstest;
use serde_json::json;

use super::World;

const NEW: &str = "new@mail.example";

#[tokio::test]
async fn added_mailbox_waits_for_code() {
    let world = World::new().await;
    let (browser, member) = world.resident("alice").await;
    let page = browser.submit(&world, "/destinations", &[("address", NEW)]).await;
    assert_eq!(page.location(), "/");
    let destination = world.mailbox(&member, NEW).await;
    assert!(!destination.is_usable() && !destination.pending.unwrap().replaces);
    // The outbox entry of the code, and nothing of the address or the code.
    let messages = world.messages();
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["kind"], json!("change"));
    let page = browser.get(&world, "/").await;
    assert!(page.text().contains("Waits for your code until 24 November 2026, 10:30 UTC"), "{}", page.text());
    assert!(page.text().contains("now forwards to alice@mail.example<"), "{}", page.text());
}

#[tokio::test]
async fn unconfirmed_address_does_not_forward() {
    let world = World::new().await;
    let (browser, member) = world.sign_in_with("alice", FirstDestination::Unconfirmed).await;
    world.grant(&member, "alice").await;
    let page = browser.get(&world, "/").await;
    assert!(page.text().contains("alice@ubuntu.com waits until you confirm a mailbox"), "{}", page.text());
    assert!(!page.text().contains("now forwards to"), "{}", page.text());
    let id = world.mailbox(&member, "alice@mail.example").await.id.to_string();
    assert_eq!(browser.submit(&world, "/destinations/resend", &[("id", &id)]).await.location(), "/");
    let code = world.code(&member, "alice@mail.example").await;
    let page = browser.submit(&world, "/confirm", &[("destination", &id), ("code", &code)]).await;
    assert_eq!(page.location(), "/");
    let page = browser.get(&world, "/").await;
    assert!(page.text().contains("alice@ubuntu.com now forwards to alice@mail.example"), "{}", page.text());
}

#[rstest]
#[case::own_domain("bob@ubuntu.com", "in one of the Ubuntu domains")]
#[case::below_own_domain("bob@lists.ubuntu.com", "in one of the Ubuntu domains")]
#[case::null_mx("bob@null.example", "accepts no mail (null MX)")]
#[case::smtputf8("bøb@mail.example", "SMTPUTF8")]
#[case::no_address("bob", "has an @")]
#[case::header("bob@mail.example\r\nBcc: eve@mail.example", "before the @ has characters")]
#[tokio::test]
async fn unsuitable_mailbox_is_explained(#[case] address: &str, #[case] expected: &str) {
    let world = World::new().await;
    let (browser, member) = world.resident("alice").await;
    let before = world.everything(&member).await;
    let page = browser.submit(&world, "/destinations", &[("address", address)]).await;
    assert!(page.is_refusal(422, expected), "{}", page.text());
    assert!(!page.text().contains("eve@") && world.messages().is_empty());
    assert_eq!(world.everything(&member).await, before);
}

#[rstest]
#[case::silent_dns("bob@silent.example", "bob@silent.example")]
#[case::no_mx("bob@bare.example", "bob@bare.example")]
#[case::idn("bob@bücher.example", "bob@xn--bcher-kva.example")]
#[tokio::test]
async fn usable_mailbox_is_added(#[case] address: &str, #[case] expected: &str) {
    let world = World::new().await;
    let (browser, member) = world.resident("alice").await;
    assert_eq!(browser.submit(&world, "/destinations", &[("address", address)]).await.location(), "/");
    assert!(world.mailbox(&member, expected).await.pending.is_some());
}

#[tokio::test]
async fn answer_tells_nothing_about_others() {
    let world = World::new().await;
    let (alice, _) = world.resident("alice").await;
    let (_, bob) = world.resident("bob").await;
    let before = world.everything(&bob).await;
    let [known, unknown] = ["bob@mail.example", "nobody@mail.example"].map(|address| [("address", address)]);
    let known = alice.submit(&world, "/destinations", &known).await;
    let unknown = alice.submit(&world, "/destinations", &unknown).await;
    assert_eq!((known.status(), known.location()), (unknown.status(), unknown.location()));
    assert_eq!(world.everything(&bob).await, before);
}

#[tokio::test]
async fn second_submission_sends_no_second_code() {
    let world = World::new().await;
    let (browser, member) = world.resident("alice").await;
    for _ in 0..2 {
        assert_eq!(browser.submit(&world, "/destinations", &[("address", NEW)]).await.location(), "/");
    }
    assert_eq!(world.messages().len(), 1);
    let code = world.code(&member, NEW).await;
    let id = world.mailbox(&member, NEW).await.id.to_string();
    assert_eq!(browser.submit(&world, "/destinations/resend", &[("id", &id)]).await.location(), "/");
    assert_eq!((world.code(&member, NEW).await, world.messages().len()), (code, 0));
    // The mailbox that the member has already needs no code.
    assert_eq!(browser.submit(&world, "/destinations", &[("address", "alice@mail.example")]).await.location(), "/");
    assert!(world.messages().is_empty());
}

#[tokio::test]
async fn codes_are_limited_per_member() {
    let world = World::new().await;
    let (browser, _) = world.resident("alice").await;
    for address in ["one@mail.example", "two@mail.example", "three@mail.example"] {
        assert_eq!(browser.submit(&world, "/destinations", &[("address", address)]).await.location(), "/");
    }
    let page = browser.submit(&world, "/destinations", &[("address", "four@mail.example")]).await;
    assert!(page.is_refusal(429, "Please wait a while"), "{}", page.text());
    assert_eq!(world.messages().len(), 3);
    world.advance(SignedDuration::from_hours(1));
    let (browser, _) = world.sign_in("alice").await;
    assert_eq!(browser.submit(&world, "/destinations", &[("address", "four@mail.example")]).await.location(), "/");
}

#[tokio::test]
async fn codes_are_limited_per_mailbox() {
    let world = World::new().await;
    let mut sent = 0;
    for minute in 0..8 {
        let (browser, _) = world.resident(&format!("member{minute}")).await;
        let page = browser.submit(&world, "/destinations", &[("address", "Victim@mail.example")]).await;
        sent += usize::from(page.status() == 303);
        // Another member within the same minute.
        let (browser, _) = world.resident(&format!("other{minute}")).await;
        let page = browser.submit(&world, "/destinations", &[("address", "victim@mail.example")]).await;
        assert!(page.is_refusal(429, "Please wait a while"), "{}", page.text());
        world.advance(SignedDuration::from_mins(1));
    }
    assert_eq!((sent, world.messages().len()), (5, 5));
}

#[tokio::test]
async fn removed_mailbox_gets_no_mail() {
    let world = World::new().await;
    let (browser, member) = world.resident("alice").await;
    let first = world.mailbox(&member, "alice@mail.example").await.id.to_string();
    let page = browser.submit(&world, "/destinations/remove", &[("id", &first)]).await;
    assert!(page.is_refusal(409, "alice@ubuntu.com"), "{}", page.text());
    let second = world.add_mailbox(&browser, &member, NEW).await.id.to_string();
    let version = world.alias("alice@ubuntu.com").await.version.to_string();
    let both =
        [("address", "alice@ubuntu.com"), ("version", &version), ("destination", &first), ("destination", &second)];
    assert_eq!(browser.submit(&world, "/addresses/destinations", &both).await.location(), "/");
    world.messages();
    for _ in 0..2 {
        assert_eq!(browser.submit(&world, "/destinations/remove", &[("id", &first)]).await.location(), "/");
    }
    assert_eq!((world.listed("alice@ubuntu.com").await, world.messages().len()), (vec![second], 1));
    let page = browser.get(&world, "/").await;
    assert!(page.text().contains("now forwards to new@mail.example"), "{}", page.text());
    assert!(!page.text().contains("alice@mail.example"), "{}", page.text());
}

#[tokio::test]
async fn lost_message_is_no_failure() {
    let world = World::new().await;
    let (browser, member) = world.resident("alice").await;
    world.cloud.inner().queue_is_down = true;
    assert_eq!(browser.submit(&world, "/destinations", &[("address", NEW)]).await.location(), "/");
    assert!(world.mailbox(&member, NEW).await.pending.is_some());
}

/// The code is bound to the sessions of the survivor, so it is for the survivor's own copy.
#[tokio::test]
async fn linked_mailbox_is_confirmed_by_survivor() {
    let world = World::new().await;
    let (browser, survivor) = world.resident("alice").await;
    let (_, linked) = world.sign_in_with("bob", FirstDestination::Unconfirmed).await;
    world.grant(&linked, "bob").await;
    world.store().link(&survivor, &linked, world.cause(), &OsRandom).await.unwrap();
    let theirs = world.mailbox(&linked, "bob@mail.example").await.id.to_string();
    assert_eq!(browser.submit(&world, "/destinations/resend", &[("id", &theirs)]).await.location(), "/");
    let own = world.mailbox(&survivor, "bob@mail.example").await.id.to_string();
    let page = browser.get(&world, "/").await;
    assert_eq!(page.text().matches("<h3><bdi>bob@mail.example").count(), 1, "{}", page.text());
    let code = world.code(&survivor, "bob@mail.example").await;
    let page = browser.submit(&world, "/confirm", &[("destination", &own), ("code", &code)]).await;
    assert_eq!(page.location(), "/");
    assert!(world.mailbox(&survivor, "bob@mail.example").await.is_usable());
    let version = world.alias("bob@ubuntu.com").await.version.to_string();
    let fields = [("address", "bob@ubuntu.com"), ("version", version.as_str()), ("destination", &own)];
    assert_eq!(browser.submit(&world, "/addresses/destinations", &fields).await.location(), "/");
    let page = browser.get(&world, "/").await;
    assert!(page.text().contains("bob@ubuntu.com now forwards to bob@mail.example"), "{}", page.text());
}

#[tokio::test]
async fn double_click_sends_one_code() {
    let world = World::new().await;
    let (browser, member) = world.resident("alice").await;
    let fields = [("address", NEW)];
    let submit = || browser.submit(&world, "/destinations", &fields);
    let (one, other) = tokio::join!(submit(), submit());
    assert!(one.status() == 303 || other.status() == 303, "{} {}", one.text(), other.text());
    assert!([&one, &other].iter().all(|page| matches!(page.status(), 303 | 429)));
    assert_eq!(world.messages().len(), 1);
    let (id, code) = (world.mailbox(&member, NEW).await.id.to_string(), world.code(&member, NEW).await);
    let fields = [("destination", id.as_str()), ("code", &code)];
    let submit = || browser.submit(&world, "/confirm", &fields);
    let (one, other) = tokio::join!(submit(), submit());
    assert_eq!((one.location(), other.location()), ("/", "/"));
    assert_eq!(world.messages().len(), 1);
}
