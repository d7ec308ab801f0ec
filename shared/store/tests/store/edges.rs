//! Edge cases: missing items and tables, large items, late timestamps.

use jiff::Timestamp;
use membermail_core::alias::GrantRequest;
use membermail_core::audit::{Actor, Cause};
use membermail_core::eligibility::Outcome;
use membermail_core::member::MemberId;
use membermail_core::random::OsRandom;
use membermail_store::{Consumed, GrantOutcome, Record, Store};

use crate::support::{World, address, community, kubuntu, now, observation, observed, operator, ubuntu};

#[tokio::test]
async fn unknown_member_is_permanent_error() {
    let world = World::new().await;
    let mut unknown = world.member("alice", "alice@mail.example").await;
    unknown.id = MemberId::new(now(), &OsRandom);
    let seen = observation("nobody", now());
    let outcome = Some((&Outcome::NoTeam, now()));
    let record = Record { member: &unknown, observation: Some(&seen), outcome, claims_name_from: None, now: now() };
    let errors = [
        world.store.ban(unknown.id, operator(now()), &OsRandom).await.unwrap_err(),
        world.store.unban(unknown.id, operator(now()), &OsRandom).await.unwrap_err(),
        world.store.record(record, &OsRandom).await.unwrap_err(),
        world.store.record(Record { observation: None, ..record }, &OsRandom).await.unwrap_err(),
    ];
    for error in errors {
        assert!(!error.is_retryable(), "{error}");
    }
    assert!(world.store.member(unknown.id).await.unwrap().is_none());
    assert!(!world.dump().await.contains("NAME#nobody"));
}

#[tokio::test]
async fn missing_table_error_is_one_line() {
    let Some(world) = World::in_dynamodb().await else { return };
    let error =
        Store::new(world.client().clone(), "no-such-table").member(MemberId::new(now(), &OsRandom)).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("ResourceNotFoundException") && !text.contains("non-existent") && !text.contains("SdkBody"),
        "{text}"
    );
}

#[tokio::test]
async fn audit_log_spans_pages() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    // A page of DynamoDB has at most 1 MB.
    let request_id = "r".repeat(300_000);
    let cause = Cause { actor: Actor::Member, by: None, request_id: &request_id, now: now() };
    for number in 0..5 {
        let address = address(&format!("alice{number}@ubuntu.com"));
        let known_as = observed("alice", now());
        let request =
            GrantRequest { address: &address, existing: None, known_as: &known_as, renamed_from: None, limit: 5 };
        let grant = world.store.grant(&alice, request, &community(), cause, &OsRandom).await.unwrap();
        assert!(matches!(grant, GrantOutcome::Created { .. }));
    }
    // Five grants, and the domain's verification.
    assert_eq!(world.store.audit(Some(&ubuntu()), "2026-11").await.unwrap().len(), 6);
    assert!(world.store.audit(Some(&ubuntu()), "2026-12").await.unwrap().is_empty());
    assert_eq!(world.store.aliases_of(alice.id).await.unwrap().len(), 5);
}

#[tokio::test]
async fn last_timestamp_does_not_panic() {
    let world = World::new().await;
    let consumed = world.store.consume_sign_in("issuer", "n", "s", Timestamp::MAX, &OsRandom).await.unwrap();
    assert_eq!(consumed, Consumed::Fresh);
}

#[tokio::test]
async fn verified_domain_keeps_first_time() {
    let world = World::new().await;
    let domain = &kubuntu();
    assert!(!world.store.domain_verified(domain).await.unwrap());
    for _ in 0..2 {
        world.store.verify_domain(domain, operator(now()), &OsRandom).await.unwrap();
        assert!(world.store.domain_verified(domain).await.unwrap());
    }
    world.store.verify_domain(domain, operator(Timestamp::MAX), &OsRandom).await.unwrap();
    let items = world.dump().await;
    assert!(!items.contains("9999-"), "{items}");
    world.store.unverify_domain(domain, operator(now()), &OsRandom).await.unwrap();
    world.store.unverify_domain(domain, operator(now()), &OsRandom).await.unwrap();
    assert!(!world.store.domain_verified(domain).await.unwrap());
}
