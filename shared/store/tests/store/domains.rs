//! The proof of a domain, and the gate that hangs on it, in a real DynamoDB.

use crate::support::{World, address, community, now, operator};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::alias::{Refusal, Status};
use membermail_core::audit::{Change, DomainChange};
use membermail_core::community::Rules;
use membermail_core::domain_mail::{Dmarc, Mx, Spf};
use membermail_core::domain_proof::{DomainEvent, Proof, Seen, Unanswered};
use membermail_core::random::OsRandom;
use membermail_store::{DomainCheck, Grant, RecordedCheck};

fn day(day: i64) -> Timestamp {
    now() + SignedDuration::from_hours(24 * day)
}

fn check(record: Seen, asked_at: Timestamp) -> DomainCheck {
    DomainCheck { record, mx: Mx::Present { servers: 2 }, spf: Spf::Present, dmarc: Dmarc::None, asked_at }
}

impl World {
    async fn record(&self, record: Seen, asked_at: Timestamp) -> RecordedCheck {
        let check = check(record, asked_at);
        self.store
            .record_domain_check(&kubuntu(), &check, Rules::default().domain_grace(), "request-1", &OsRandom)
            .await
            .unwrap()
    }

    /// The item as DynamoDB has it.
    async fn item(&self) -> std::collections::HashMap<String, AttributeValue> {
        let key = |text: &str| AttributeValue::S(text.to_owned());
        let request = self.client.get_item().table_name(&self.table).consistent_read(true);
        let request = request.key("pk", key("DOMAIN#kubuntu.org")).key("sk", key("DOMAIN"));
        request.send().await.unwrap().item.unwrap()
    }
}

fn kubuntu() -> DomainName {
    community()[1].clone()
}

#[tokio::test]
async fn token_is_made_once() {
    let world = World::new("tokens").await;
    let domain = kubuntu();
    let ask = || world.store.domain_token(&domain, &OsRandom);
    let tokens = tokio::join!(ask(), ask(), ask());
    let token = tokens.0.unwrap();
    assert_eq!((&tokens.1.unwrap(), &tokens.2.unwrap()), (&token, &token));
    // Nothing that is done to the domain changes it.
    world.record(Seen::Found, day(0)).await;
    world.store.unverify_domain(&domain, operator(now()), &OsRandom).await.unwrap();
    world.store.verify_domain(&domain, operator(day(1)), &OsRandom).await.unwrap();
    assert_eq!(ask().await.unwrap(), token);
    assert_ne!(world.store.domain_token(&community()[0], &OsRandom).await.unwrap(), token);
}

#[tokio::test]
async fn lapsed_domain_keeps_addresses_gives_none() {
    let world = World::new("lapse").await;
    let alice = world.member("alice", "alice@mail.example").await;
    let bob = world.member("bob", "bob@mail.example").await;
    let refused = Grant::Refused(Refusal::DomainNotVerified);
    assert_eq!(world.grant(&alice, "alice@kubuntu.org").await, refused);
    world.record(Seen::Found, day(0)).await;
    assert!(matches!(world.grant(&alice, "alice@kubuntu.org").await, Grant::Created { .. }));

    world.record(Seen::Missing, day(1)).await;
    // Within the grace all goes on.
    assert!(matches!(world.grant(&bob, "bob@kubuntu.org").await, Grant::Created { .. }));
    let lapsed = world.record(Seen::Missing, day(8)).await;
    let proof = Proof::Lapsed { gone_since: day(1) };
    let RecordedCheck::Recorded { proof: found, event: Some(DomainEvent::Lapsed), entry: Some(entry) } = lapsed else {
        panic!("{lapsed:?}")
    };
    assert_eq!(found, proof);
    // The news lies in the outbox and in the audit log, from the same transaction on.
    let untold = world.store.undelivered(entry).await.unwrap().unwrap();
    assert!(matches!(untold.change, Change::Domain { did: DomainChange::Lapsed, .. }));
    let entries = world.store.audit(Some(&kubuntu()), "2026-12").await.unwrap();
    assert!(entries.contains(&untold), "{entries:?}");
    assert_eq!(world.grant(&bob, "bobby@kubuntu.org").await, refused);
    assert_eq!(world.grant(&alice, "alice@kubuntu.org").await, Grant::Unchanged);
    let alias = world.store.alias(&address("alice@kubuntu.org")).await.unwrap().unwrap();
    assert_eq!(alias.alias.status, Status::Active);

    world.record(Seen::Found, day(9)).await;
    assert!(matches!(world.grant(&bob, "bobby@kubuntu.org").await, Grant::Created { .. }));
}

#[tokio::test]
async fn older_look_is_dropped_when_late() {
    let world = World::new("late-look").await;
    world.record(Seen::Found, day(2)).await;
    assert_eq!(world.record(Seen::Missing, day(1)).await, RecordedCheck::Superseded);
    assert!(matches!(world.record(Seen::Missing, day(3)).await, RecordedCheck::Recorded { event: Some(_), .. }));
}

#[tokio::test]
async fn concurrent_looks_announce_once() {
    let world = World::new("looks").await;
    let look = || world.record(Seen::Found, day(0));
    let looks = tokio::join!(look(), look(), look(), look());
    let told = [looks.0, looks.1, looks.2, looks.3]
        .into_iter()
        .filter(|look| matches!(look, RecordedCheck::Recorded { event: Some(DomainEvent::Verified), .. }));
    assert_eq!(told.count(), 1);
}

#[tokio::test]
async fn operator_outranks_concurrent_look() {
    let world = World::new("word").await;
    world.record(Seen::Found, day(0)).await;
    let domain = kubuntu();
    let (said, _) = tokio::join!(
        world.store.verify_domain(&domain, operator(day(1)), &OsRandom),
        world.record(Seen::Missing, day(1))
    );
    said.unwrap();
    let stored = world.store.domain(&domain).await.unwrap();
    assert_eq!((stored.proof(), stored.verified), (Proof::Operator { since: day(1) }, Some(day(0))));
}

#[tokio::test]
async fn unchanged_look_writes_only_its_time() {
    let world = World::new("unchanged").await;
    let domain = kubuntu();
    world.record(Seen::Found, day(0)).await;
    let before = world.item().await;
    world.record(Seen::Unanswered(Unanswered::ServerFailure), day(1)).await;
    world.record(Seen::Found, day(2)).await;
    let after = world.item().await;
    let without_time = |item: &std::collections::HashMap<String, AttributeValue>| {
        let state = |name: &str| item[name].as_m().unwrap()["state"].clone();
        (item["verified"].clone(), state("proof"), state("mx"), state("spf"), state("dmarc"))
    };
    assert_eq!(without_time(&before), without_time(&after));
    assert_eq!(after["mx"].as_m().unwrap()["servers"], AttributeValue::N("2".into()));
    assert_eq!(after["spf"].as_m().unwrap()["checked_at"], AttributeValue::S(day(2).to_string()));
    let stored = world.store.domain(&domain).await.unwrap();
    assert_eq!(stored.mx.unwrap().state, Mx::Present { servers: 2 });
    assert_eq!(stored.dmarc.unwrap().checked_at, day(2));
}

#[tokio::test]
async fn old_mark_counts_as_operator_proof() {
    let world = World::new("old-mark").await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let put = world.client.put_item().table_name(&world.table).item("pk", text("DOMAIN#kubuntu.org"));
    put.item("sk", text("DOMAIN")).item("verified", text(&day(0).to_string())).send().await.unwrap();
    let RecordedCheck::Recorded { proof, event, .. } = world.record(Seen::Missing, day(9)).await else {
        panic!("not recorded")
    };
    assert_eq!((proof, event), (Proof::Operator { since: day(0) }, None));
    assert!(world.store.domain_verified(&kubuntu()).await.unwrap());
}

#[tokio::test]
async fn foreign_attributes_of_domain_stay() {
    let world = World::new("beside").await;
    let domain = kubuntu();
    world.store.domain_token(&domain, &OsRandom).await.unwrap();
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let update = world.client.update_item().table_name(&world.table).key("pk", text("DOMAIN#kubuntu.org"));
    let update = update.key("sk", text("DOMAIN")).update_expression("SET last_sync = :at");
    update.expression_attribute_values(":at", text("today")).send().await.unwrap();
    world.record(Seen::Found, day(0)).await;
    world.store.unverify_domain(&domain, operator(now()), &OsRandom).await.unwrap();
    assert_eq!(world.item().await["last_sync"], text("today"));
}
