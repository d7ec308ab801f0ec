//! Confirming a mailbox with the link and the code.

use membermail_core::random::OsRandom;

use super::{Browser, World};

const NEW: &str = "new@mail.example";

#[tokio::test]
async fn link_shows_what_button_does() {
    let world = World::new().await;
    let (browser, member) = world.resident("alice").await;
    browser.submit(&world, "/destinations", &[("address", NEW), ("replaces", "all")]).await;
    let (id, code) = (world.mailbox(&member, NEW).await.id, world.code(&member, NEW).await);
    let page = browser.get(&world, &format!("/confirm?destination={id}&code={code}")).await;
    assert_eq!(page.status(), 200);
    assert!(page.text().contains(NEW) && page.text().contains(&format!("value=\"{code}\"")), "{}", page.text());
    assert!(page.text().contains("nowhere else"), "{}", page.text());
    assert!(!world.mailbox(&member, NEW).await.is_usable());
    // Text that is no code is not repeated.
    let page = browser.get(&world, &format!("/confirm?destination={id}&code=%3Cb%3Eevil")).await;
    assert!(page.status() == 200 && !page.text().contains("evil&"), "{}", page.text());
    assert!(page.text().contains("name=\"code\" value=\"\""), "{}", page.text());
}

#[tokio::test]
async fn replacing_mailbox_gets_all_mail() {
    let world = World::new().await;
    let (browser, member) = world.resident("alice").await;
    world.grant(&member, "al").await;
    browser.submit(&world, "/destinations", &[("address", NEW), ("replaces", "all")]).await;
    let before = world.listed("alice@ubuntu.com").await;
    let (id, code) = (world.mailbox(&member, NEW).await.id.to_string(), world.code(&member, NEW).await);
    world.messages();
    // A double click confirms once.
    for _ in 0..2 {
        let page = browser.submit(&world, "/confirm", &[("destination", &id), ("code", &code.to_lowercase())]).await;
        assert_eq!(page.location(), "/");
    }
    assert_eq!(world.messages().len(), 1);
    assert_ne!(before, vec![id.clone()]);
    for address in ["alice@ubuntu.com", "al@ubuntu.com"] {
        assert_eq!(world.listed(address).await, vec![id.clone()]);
    }
}

#[tokio::test]
async fn wrong_codes_use_up_attempts() {
    let world = World::new().await;
    let (browser, member) = world.resident("alice").await;
    browser.submit(&world, "/destinations", &[("address", NEW)]).await;
    let (id, code) = (world.mailbox(&member, NEW).await.id.to_string(), world.code(&member, NEW).await);
    let wrong = if code == "BCDF-2345" { "BCDF-2346" } else { "BCDF-2345" };
    // What is no code is no guess.
    let page = browser.submit(&world, "/confirm", &[("destination", &id), ("code", "hello")]).await;
    assert!(page.is_refusal(422, "eight letters and digits"), "{}", page.text());
    for left in ["4 attempts left", "3 attempts left", "2 attempts left", "one attempt left", "last attempt"] {
        let page = browser.submit(&world, "/confirm", &[("destination", &id), ("code", wrong)]).await;
        assert!(page.is_refusal(422, left), "{left}: {}", page.text());
    }
    let page = browser.submit(&world, "/confirm", &[("destination", &id), ("code", &code)]).await;
    assert!(page.is_refusal(422, "no longer valid"), "{}", page.text());
    assert!(!world.mailbox(&member, NEW).await.is_usable());
}

#[tokio::test]
async fn code_needs_the_member_session() {
    let world = World::new().await;
    let (browser, member) = world.resident("alice").await;
    let (other, _) = world.resident("bob").await;
    browser.submit(&world, "/destinations", &[("address", NEW)]).await;
    let (id, code) = (world.mailbox(&member, NEW).await.id.to_string(), world.code(&member, NEW).await);
    let link = format!("/confirm?destination={id}&code={code}");
    let page = Browser::default().get(&world, &link).await;
    assert!(page.is_refusal(403, "open the link from the mail again"), "{}", page.text());
    assert!(!page.text().contains(NEW), "{}", page.text());
    let page = other.get(&world, &link).await;
    assert!(page.is_refusal(404, "not on your list") && !page.text().contains(NEW), "{}", page.text());
    let page = other.submit(&world, "/confirm", &[("destination", &id), ("code", &code)]).await;
    assert!(page.is_refusal(404, "not on your list"), "{}", page.text());
    // A link scanner has no session at all.
    assert_eq!(
        Browser::default().submit_raw(&world, "/confirm", &[("destination", &id), ("code", &code)]).await.location(),
        "/"
    );
    assert!(!world.mailbox(&member, NEW).await.is_usable());
}

#[tokio::test]
async fn code_ends_with_all_sessions() {
    let world = World::new().await;
    let (browser, member) = world.resident("alice").await;
    browser.submit(&world, "/destinations", &[("address", NEW)]).await;
    let (id, code) = (world.mailbox(&member, NEW).await.id.to_string(), world.code(&member, NEW).await);
    let stored = world.member(member.id).await;
    world.store().end_all_sessions(&stored, world.cause(), &OsRandom).await.unwrap();
    let (browser, _) = world.sign_in("alice").await;
    let page = browser.submit(&world, "/confirm", &[("destination", &id), ("code", &code)]).await;
    assert!(page.is_refusal(422, "no longer valid"), "{}", page.text());
}

#[tokio::test]
async fn code_of_rotated_secret_is_accepted() {
    let world = World::new().await;
    let (browser, member) = world.resident("alice").await;
    browser.submit(&world, "/destinations", &[("address", NEW)]).await;
    // `notify` has the new secret already, and this function only the old one.
    let rotated = "another master secret that is long enough";
    world.cloud.inner().secrets = [rotated, super::MASTER_SECRET];
    let code = world.code_under(rotated, &member, NEW).await;
    assert_ne!(code, world.code(&member, NEW).await);
    let id = world.mailbox(&member, NEW).await.id.to_string();
    let page = browser.submit(&world, "/confirm", &[("destination", &id), ("code", &code)]).await;
    assert_eq!(page.location(), "/");
    assert!(world.mailbox(&member, NEW).await.is_usable());
}

#[tokio::test]
async fn confirmed_link_says_so() {
    let world = World::new().await;
    let (browser, member) = world.resident("alice").await;
    let id = world.add_mailbox(&browser, &member, NEW).await.id;
    let page = browser.get(&world, &format!("/confirm?destination={id}&code=BCDF2345")).await;
    assert!(page.status() == 200 && page.text().contains("This mailbox is confirmed"), "{}", page.text());
}
