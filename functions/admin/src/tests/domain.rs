//! The page of a domain, its DNS check, and its failing addresses.

use jiff::SignedDuration;
use membermail_core::admin::Permission::View;
use membermail_core::domain_mail::{Dmarc, Mx, Spf};
use membermail_core::domain_proof::Seen;
use membermail_core::random::OsRandom;
use membermail_store::{DomainCheck, Run, RunState};

use super::{UBUNTU, World, name};

const DOMAIN: &str = "/admin/domains/ubuntu.com";

#[tokio::test]
async fn page_shows_record_and_state() {
    let world = World::new().await;
    let (amy, _) = world.admin("amy", UBUNTU, &[View]).await;
    let record = world.store().ensure_domain_token(&name(UBUNTU), &OsRandom).await.unwrap().record();
    let page = amy.get(&world, DOMAIN).await;
    assert_eq!(page.status(), 200);
    for text in [
        "Verified by an operator since 24 November 2026",
        &format!("value=\"{record}\" readonly"),
        &format!("ubuntu.com. IN TXT &#34;{record}&#34;"),
        "The record was not checked yet.",
        "ubuntumembers",
        "The first sync begins within an hour.",
        "No address had undelivered mail",
    ] {
        assert!(page.text().contains(text), "no {text:?} in {}", page.text());
    }
}

#[tokio::test]
async fn page_explains_mail_records() {
    let world = World::new().await;
    let (amy, _) = world.admin("amy", UBUNTU, &[View]).await;
    let (record, spf, dmarc) = (Seen::OtherToken, Spf::None, Dmarc::None);
    let check = DomainCheck { record, mx: Mx::None, spf, dmarc, asked_at: world.now() };
    let grace = SignedDuration::from_hours(24);
    world.store().record_domain_check(&name(UBUNTU), &check, grace, world.cause(), &OsRandom).await.unwrap();
    let page = amy.get(&world, DOMAIN).await;
    for text in [
        "there is such a record, but with another value",
        "No mail server",
        "ubuntu.com. IN TXT &#34;v=spf1 mx ~all&#34;",
        "_dmarc.ubuntu.com. IN TXT &#34;v=DMARC1; p=none&#34;",
    ] {
        assert!(page.text().contains(text), "no {text:?} in {}", page.text());
    }
}

#[tokio::test]
async fn page_shows_last_sync() {
    let world = World::new().await;
    let (amy, _) = world.admin("amy", UBUNTU, &[View]).await;
    let id = membermail_core::member::ulid(world.now(), &OsRandom);
    let run = Run { state: RunState::Held, ..Run::new(id, &name(UBUNTU), world.now(), "request-1") };
    world.store().finish_run(&run, None).await.unwrap();
    let page = amy.get(&world, DOMAIN).await;
    assert!(page.text().contains("Waits for a decision"), "{}", page.text());
}

#[tokio::test]
async fn check_without_answer_changes_nothing() {
    let world = World::new().await;
    let (amy, _) = world.admin("amy", UBUNTU, &[View]).await;
    let page = amy.submit(&world, &format!("{DOMAIN}/check"), &[]).await;
    assert_eq!(page.location(), DOMAIN);
    let stored = world.store().domain(&name(UBUNTU)).await.unwrap();
    assert!(matches!(stored.record_seen().unwrap().seen, Seen::Unanswered(_)), "{stored:?}");
    assert!(stored.verified.is_some());
    let page = amy.get(&world, DOMAIN).await;
    assert!(page.text().contains("Last check: the name servers"), "{}", page.text());
}

#[tokio::test]
async fn failing_addresses_are_listed_without_mailbox() {
    let world = World::new().await;
    let (amy, _) = world.admin("amy", UBUNTU, &[View]).await;
    world.resident("bob").await;
    let address = "bob@ubuntu.com".to_owned().try_into().unwrap();
    let reply = "550 5.1.1".parse().unwrap();
    world.store().record_failure(&address, &reply, world.now(), &OsRandom).await.unwrap();
    let page = amy.get(&world, DOMAIN).await;
    assert!(page.text().contains("One address had undelivered mail"), "{}", page.text());
    let page = amy.get(&world, &format!("{DOMAIN}/failing")).await;
    for text in ["bob@ubuntu.com", "(550 5.1.1)", "Once, 24 November 2026"] {
        assert!(page.text().contains(text), "no {text:?} in {}", page.text());
    }
    assert!(!page.text().contains("mail.example\""), "{}", page.text());
    assert!(!amy.get(&world, &format!("{DOMAIN}/failing?after=bob")).await.text().contains("bob@ubuntu.com"));
}

#[tokio::test]
async fn hostile_cursors_are_refused() {
    let world = World::new().await;
    let (amy, _) = world.admin("amy", UBUNTU, &[View]).await;
    let huge = "a".repeat(2_000);
    for after in ["%00", "..", "a%2F..%2Fb", "A", "a+b", huge.as_str(), "%F0%28%8C%BC"] {
        let page = amy.get(&world, &format!("{DOMAIN}/failing?after={after}")).await;
        assert_eq!(page.status(), 400, "{after}");
    }
    assert_eq!(amy.get(&world, &format!("{DOMAIN}/failing?after=a&after=b")).await.status(), 200);
}
