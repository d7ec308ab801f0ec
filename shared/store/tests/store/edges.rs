//! The table where something is missing, large, late or done by two at once, in a real DynamoDB.

use crate::support::{World, address, community, now, observation, observed, operator};
use jiff::Timestamp;
use membermail_core::audit::{Actor, Cause};
use membermail_core::eligibility::Outcome;
use membermail_core::member::MemberId;
use membermail_core::random::OsRandom;
use membermail_store::{Asked, Grant, Record, Store, UsedUp};

#[tokio::test]
async fn unknown_member_is_a_permanent_error() {
    let world = World::new("unknown-member").await;
    let mut nobody = world.member("alice", "alice@mail.example").await;
    nobody.id = MemberId::new(now(), &OsRandom);
    let seen = observation("nobody", now());
    let outcome = Some((&Outcome::NoTeam, now()));
    let record = Record { member: &nobody, observation: Some(&seen), outcome, takes_name_from: None, now: now() };
    let errors = [
        world.store.ban(nobody.id, operator(now()), &OsRandom).await.unwrap_err(),
        world.store.unban(nobody.id, operator(now()), &OsRandom).await.unwrap_err(),
        world.store.record(record, &OsRandom).await.unwrap_err(),
        world.store.record(Record { observation: None, ..record }, &OsRandom).await.unwrap_err(),
    ];
    for error in errors {
        assert!(!error.is_retryable(), "{error}");
    }
    assert!(world.store.member(nobody.id).await.unwrap().is_none());
    assert!(!world.dump().await.contains("NAME#nobody"));
}

#[tokio::test]
async fn missing_table_is_told_in_one_line() {
    let world = World::new("no-table").await;
    let error = Store::new(world.client, "no-such-table").member(MemberId::new(now(), &OsRandom)).await.unwrap_err();
    assert!(!error.is_retryable());
    let text = error.to_string();
    assert!(text.contains("non-existent table") && !text.contains("SdkBody"), "{text}");
}

#[tokio::test]
async fn audit_log_of_many_pages_is_whole() {
    let world = World::new("pages").await;
    let alice = world.member("alice", "alice@mail.example").await;
    // DynamoDB answers with 1 MB a page at most.
    let request_id = "r".repeat(300_000);
    let cause = Cause { actor: Actor::Member, by: None, request_id: &request_id, now: now() };
    for number in 0..5 {
        let address = address(&format!("alice{number}@ubuntu.com"));
        let known_as = observed("alice", now());
        let asked = Asked { address: &address, existing: None, known_as: &known_as, renamed_from: None, limit: 5 };
        let grant = world.store.grant(&world.sealer, &alice, asked, &community(), cause, &OsRandom).await.unwrap();
        assert!(matches!(grant, Grant::Created { .. }));
    }
    // Five, and that the domain was verified.
    assert_eq!(world.store.audit(Some(&community()[0]), "2026-11").await.unwrap().len(), 6);
    assert!(world.store.audit(Some(&community()[0]), "2026-12").await.unwrap().is_empty());
    assert_eq!(world.store.aliases_of(alice.id).await.unwrap().len(), 5);
}

#[tokio::test]
async fn last_timestamp_does_not_panic() {
    let world = World::new("late").await;
    assert_eq!(world.store.use_up("issuer", "n", "s", Timestamp::MAX, &OsRandom).await.unwrap(), UsedUp::Fresh);
}

#[tokio::test]
async fn verified_domain_keeps_its_first_time() {
    let world = World::new("domains").await;
    let domain = &community()[1];
    assert!(!world.store.domain_verified(domain).await.unwrap());
    for _ in 0..2 {
        world.store.verify_domain(domain, operator(now()), &OsRandom).await.unwrap();
        assert!(world.store.domain_verified(domain).await.unwrap());
    }
    world.store.verify_domain(domain, operator(Timestamp::MAX), &OsRandom).await.unwrap();
    let items = format!("{:?}", world.client.scan().table_name(&world.table).send().await.unwrap());
    assert!(!items.contains("9999-"), "{items}");
    world.store.unverify_domain(domain, operator(now()), &OsRandom).await.unwrap();
    world.store.unverify_domain(domain, operator(now()), &OsRandom).await.unwrap();
    assert!(!world.store.domain_verified(domain).await.unwrap());
}
