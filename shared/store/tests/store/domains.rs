//! The proof of a domain, and the gate that depends on it.

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::join_all;
use jiff::Timestamp;
use membermail_core::alias::{Refusal, Status};
use membermail_core::audit::{Change, DomainChange};
use membermail_core::community::Rules;
use membermail_core::domain_mail::{Dmarc, Mx, Spf};
use membermail_core::domain_proof::{DomainEvent, Proof, Seen, Unanswered};
use membermail_core::random::OsRandom;
use membermail_store::{DomainCheck, GrantOutcome, RecordedCheck};

use crate::support::{Item, World, days, kubuntu, now, operator, text, ubuntu};

impl World {
    async fn record(&self, record: Seen, asked_at: Timestamp) -> RecordedCheck {
        let check =
            DomainCheck { record, mx: Mx::Present { servers: 2 }, spf: Spf::Present, dmarc: Dmarc::None, asked_at };
        let grace = Rules::default().domain_grace();
        self.store.record_domain_check(&kubuntu(), &check, grace, operator(now()), &OsRandom).await.unwrap()
    }

    async fn domain_item(&self) -> Item {
        self.item("DOMAIN#kubuntu.org", "DOMAIN").await.unwrap()
    }
}

#[tokio::test]
async fn token_is_created_once() {
    let world = World::new().await;
    let domain = kubuntu();
    let tokens = join_all((0..3).map(|_| world.store.ensure_domain_token(&domain, &OsRandom))).await;
    let tokens: Vec<_> = tokens.into_iter().map(Result::unwrap).collect();
    let token = &tokens[0];
    assert!(tokens.iter().all(|one| one == token), "{tokens:?}");
    // No change of the domain changes its token.
    world.record(Seen::Found, days(0)).await;
    world.store.unverify_domain(&domain, operator(now()), &OsRandom).await.unwrap();
    world.store.verify_domain(&domain, operator(days(1)), &OsRandom).await.unwrap();
    assert_eq!(world.store.ensure_domain_token(&domain, &OsRandom).await.unwrap(), *token);
    assert_ne!(world.store.ensure_domain_token(&ubuntu(), &OsRandom).await.unwrap(), *token);
}

#[tokio::test]
async fn lapsed_domain_only_keeps_addresses() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    let bob = world.member("bob", "bob@mail.example").await;
    let refused = GrantOutcome::Refused(Refusal::DomainNotVerified);
    assert_eq!(world.grant(&alice, "alice@kubuntu.org").await, refused);
    world.record(Seen::Found, days(0)).await;
    assert!(matches!(world.grant(&alice, "alice@kubuntu.org").await, GrantOutcome::Created { .. }));

    world.record(Seen::Missing, days(1)).await;
    // Within the grace period the domain still gives addresses.
    assert!(matches!(world.grant(&bob, "bob@kubuntu.org").await, GrantOutcome::Created { .. }));
    let lapsed = world.record(Seen::Missing, days(8)).await;
    let proof = Proof::Lapsed { gone_since: days(1) };
    let RecordedCheck::Recorded { proof: found, event: Some(DomainEvent::Lapsed), entry: Some(entry) } = lapsed else {
        panic!("{lapsed:?}")
    };
    assert_eq!(found, proof);
    // The same transaction writes the outbox entry and the audit entry.
    let waiting = world.store.undelivered(entry).await.unwrap().unwrap();
    assert!(matches!(waiting.change, Change::Domain { did: DomainChange::Lapsed, .. }));
    let entries = world.store.audit(Some(&kubuntu()), "2026-12").await.unwrap();
    assert!(entries.contains(&waiting), "{entries:?}");
    assert_eq!(world.grant(&bob, "bobby@kubuntu.org").await, refused);
    assert_eq!(world.grant(&alice, "alice@kubuntu.org").await, GrantOutcome::Unchanged);
    assert_eq!(world.alias("alice@kubuntu.org").await.status, Status::Active);

    world.record(Seen::Found, days(9)).await;
    assert!(matches!(world.grant(&bob, "bobby@kubuntu.org").await, GrantOutcome::Created { .. }));
}

#[tokio::test]
async fn late_check_is_superseded() {
    let world = World::new().await;
    world.record(Seen::Found, days(2)).await;
    assert_eq!(world.record(Seen::Missing, days(1)).await, RecordedCheck::Superseded);
    assert!(matches!(world.record(Seen::Missing, days(3)).await, RecordedCheck::Recorded { event: Some(_), .. }));
}

#[tokio::test]
async fn concurrent_checks_announce_once() {
    let world = World::new().await;
    let checks = join_all((0..4).map(|_| world.record(Seen::Found, days(0)))).await;
    let announced = checks.iter().filter(|check| matches!(check, RecordedCheck::Recorded { event: Some(_), .. }));
    assert_eq!(announced.count(), 1);
}

#[tokio::test]
async fn operator_overrides_concurrent_check() {
    let world = World::new().await;
    world.record(Seen::Found, days(0)).await;
    let domain = kubuntu();
    let (verified, _) = tokio::join!(
        world.store.verify_domain(&domain, operator(days(1)), &OsRandom),
        world.record(Seen::Missing, days(1))
    );
    verified.unwrap();
    let stored = world.store.domain(&domain).await.unwrap();
    assert_eq!((stored.proof(), stored.verified), (Proof::Operator { since: days(1) }, Some(days(0))));
}

#[tokio::test]
async fn unchanged_check_writes_only_time() {
    let world = World::new().await;
    let domain = kubuntu();
    world.record(Seen::Found, days(0)).await;
    let before = world.domain_item().await;
    world.record(Seen::Unanswered(Unanswered::ServerFailure), days(1)).await;
    world.record(Seen::Found, days(2)).await;
    let after = world.domain_item().await;
    assert_eq!(before["verified"], after["verified"]);
    for name in ["proof", "mx", "spf", "dmarc"] {
        let states = [&before, &after].map(|item| &item[name].as_m().unwrap()["state"]);
        assert_eq!(states[0], states[1], "{name}");
    }
    assert_eq!(after["mx"].as_m().unwrap()["servers"], AttributeValue::N("2".into()));
    assert_eq!(after["spf"].as_m().unwrap()["checked_at"], AttributeValue::S(days(2).to_string()));
    let stored = world.store.domain(&domain).await.unwrap();
    assert_eq!(stored.mx.unwrap().state, Mx::Present { servers: 2 });
    assert_eq!(stored.dmarc.unwrap().checked_at, days(2));
}

#[tokio::test]
async fn check_keeps_other_attributes() {
    let world = World::new().await;
    let domain = kubuntu();
    world.store.ensure_domain_token(&domain, &OsRandom).await.unwrap();
    world
        .change_item("DOMAIN#kubuntu.org", "DOMAIN", |item| drop(item.insert("last_sync".into(), text("today"))))
        .await;
    world.record(Seen::Found, days(0)).await;
    world.store.unverify_domain(&domain, operator(now()), &OsRandom).await.unwrap();
    assert_eq!(world.domain_item().await["last_sync"], text("today"));
}
