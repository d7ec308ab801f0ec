//! The table where something is missing, large, late or done by two at once, in a real DynamoDB.

mod support;

use jiff::Timestamp;
use membermail_core::audit::{Actor, Cause};
use membermail_core::eligibility::Outcome;
use membermail_core::member::{LaunchpadId, LaunchpadName, MemberId};
use membermail_core::random::OsRandom;
use membermail_store::{Asked, Grant, Recorded, Store, UsedUp};
use support::{World, address, community, now, operator};

#[tokio::test]
async fn a_member_who_is_not_there_is_not_asked_for_again() {
    let world = World::new("nobody").await;
    let nobody = MemberId::new(now(), &OsRandom);
    let name = LaunchpadName::parse("nobody").unwrap();
    let cause = Cause { actor: Actor::Operator, by: Some("root"), request_id: "request-1", now: now() };
    let errors = [
        world.store.ban(nobody, cause, &OsRandom).await.unwrap_err(),
        world.store.unban(nobody, cause, &OsRandom).await.unwrap_err(),
        world.store.record_outcome(nobody, &Outcome::NoTeam, None, now()).await.unwrap_err(),
        world.store.record_outcome(nobody, &Outcome::NoTeam, Some((LaunchpadId(1), &name)), now()).await.unwrap_err(),
    ];
    for error in errors {
        assert!(!error.is_retryable(), "{error}");
    }
    // Nothing was made of it, and nobody's person is taken.
    assert!(world.store.member(nobody).await.unwrap().is_none());
    let alice = world.member("alice", "alice@mail.example").await;
    let person = Some((LaunchpadId(1), &name));
    let recorded = world.store.record_outcome(alice.id, &Outcome::NoTeam, person, now()).await.unwrap();
    assert_eq!(recorded, Recorded::Recorded);
}

#[tokio::test]
async fn a_table_that_is_not_there_is_said_in_one_line() {
    let world = World::new("no-table").await;
    let error = Store::new(world.client, "no-such-table").member(MemberId::new(now(), &OsRandom)).await.unwrap_err();
    assert!(!error.is_retryable());
    let text = error.to_string();
    assert!(text.contains("non-existent table") && !text.contains("SdkBody"), "{text}");
}

#[tokio::test]
async fn two_members_who_claim_a_person_at_once_leave_one_owner() {
    let world = World::new("claims").await;
    let alice = world.member("alice", "alice@mail.example").await;
    let eve = world.member("eve", "eve@mail.example").await;
    let name = LaunchpadName::parse("alice").unwrap();
    let record = async |id| {
        // As the queue does: again while it may help.
        loop {
            match world.store.record_outcome(id, &Outcome::NoTeam, Some((LaunchpadId(7), &name)), now()).await {
                Err(error) if error.is_retryable() => {}
                done => return done.unwrap(),
            }
        }
    };
    let (one, two) = tokio::join!(record(alice.id), record(eve.id));
    assert_eq!([one, two].iter().filter(|recorded| **recorded == Recorded::Recorded).count(), 1);
}

#[tokio::test]
async fn an_audit_log_of_many_pages_is_read_whole() {
    let world = World::new("pages").await;
    let mut alice = world.member("alice", "alice@mail.example").await;
    alice.launchpad_id = Some(LaunchpadId(7));
    // DynamoDB answers with 1 MB a page at most.
    let request_id = "r".repeat(300_000);
    let cause = Cause { actor: Actor::Member, by: None, request_id: &request_id, now: now() };
    for number in 0..5 {
        let address = address(&format!("alice{number}@ubuntu.com"));
        let asked = Asked { address: &address, eligible_at: now(), renamed_from: None };
        let grant = world.store.grant(&world.sealer, &alice, asked, &community(), cause, &OsRandom).await.unwrap();
        assert!(matches!(grant, Grant::Created { .. }));
    }
    // Five, and that the domain was verified.
    assert_eq!(world.store.audit(Some(&community()[0]), "2026-11").await.unwrap().len(), 6);
    assert!(world.store.audit(Some(&community()[0]), "2026-12").await.unwrap().is_empty());
    assert_eq!(world.store.aliases_of(alice.id).await.unwrap().len(), 5);
}

#[tokio::test]
async fn the_end_of_time_is_no_panic() {
    let world = World::new("late").await;
    assert_eq!(world.store.use_up("issuer", "n", "s", Timestamp::MAX, &OsRandom).await.unwrap(), UsedUp::Fresh);
}

#[tokio::test]
async fn a_verified_domain_keeps_its_first_time() {
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
