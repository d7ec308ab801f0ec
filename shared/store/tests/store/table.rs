//! Grants, sign-ins and sessions under repeats and races.

use futures_util::future::join_all;
use membermail_core::alias::{Reason, Refusal, Status};
use membermail_core::audit::{Actor, Cause, Change};
use membermail_core::eligibility::CheckState;
use membermail_core::random::OsRandom;
use membermail_store::{Consumed, GrantOutcome, Session};

use crate::support::{World, kubuntu, minutes, now, operator, ubuntu};

const CAUSE: Cause<'static> =
    Cause { actor: Actor::Member, by: None, request_id: "request-1", now: jiff::Timestamp::UNIX_EPOCH };

impl World {
    async fn audit_count(&self) -> usize {
        let entries = self.store.audit(Some(&ubuntu()), "2026-11").await.unwrap();
        entries.iter().filter(|entry| matches!(entry.change, Change::Alias { .. })).count()
    }
}

#[tokio::test]
async fn concurrent_grants_create_one_alias() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    let grants = join_all((0..4).map(|_| world.grant(&alice, "alice@ubuntu.com"))).await;
    assert_eq!(grants.iter().filter(|grant| matches!(grant, GrantOutcome::Created { .. })).count(), 1, "{grants:?}");
    assert_eq!(world.grant(&alice, "alice@ubuntu.com").await, GrantOutcome::Unchanged);
    assert_eq!(world.audit_count().await, 1);
    assert_eq!(world.store.aliases_of(alice.id).await.unwrap().len(), 1);
    assert_eq!(world.destination("alice@ubuntu.com").await.as_deref(), Some("alice@mail.example"));
}

#[tokio::test]
async fn assigned_address_is_refused() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    let eve = world.member("eve", "eve@mail.example").await;
    world.grant(&alice, "alice@ubuntu.com").await;
    assert_eq!(world.grant(&eve, "alice@ubuntu.com").await, GrantOutcome::Refused(Refusal::Taken));
    assert_eq!(world.audit_count().await, 1);
}

#[tokio::test]
async fn grant_needs_verified_domain_unbanned() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    let refused = GrantOutcome::Refused(Refusal::DomainNotVerified);
    assert_eq!(world.grant(&alice, "alice@kubuntu.org").await, refused);
    world.store.refuse(alice.id, &kubuntu(), &Refusal::DomainNotVerified, now()).await.unwrap();
    assert_eq!(world.store.refusals_of(alice.id).await.unwrap().len(), 1);

    world.store.verify_domain(&kubuntu(), operator(now()), &OsRandom).await.unwrap();
    assert!(matches!(world.grant(&alice, "alice@kubuntu.org").await, GrantOutcome::Created { .. }));
    assert!(world.store.refusals_of(alice.id).await.unwrap().is_empty());

    assert!(world.store.ban(alice.id, CAUSE, &OsRandom).await.unwrap());
    assert!(!world.store.ban(alice.id, CAUSE, &OsRandom).await.unwrap());
    assert_eq!(world.grant(&alice, "alice@ubuntu.com").await, GrantOutcome::Banned);
    assert!(world.store.unban(alice.id, CAUSE, &OsRandom).await.unwrap());
    assert!(matches!(world.grant(&alice, "alice@ubuntu.com").await, GrantOutcome::Created { .. }));
}

#[tokio::test]
async fn loop_is_suspended_until_address_changes() {
    let world = World::new().await;
    let member = world.member("loop", "loop@ubuntu.com").await;
    let GrantOutcome::Created { alias, .. } = world.grant(&member, "loop@ubuntu.com").await else {
        panic!("not created")
    };
    assert_eq!((alias.status, alias.reason), (Status::Suspended, Reason::Loop));
    assert_eq!(world.grant(&member, "loop@ubuntu.com").await, GrantOutcome::Unchanged);

    let member = world.member("loop", "loop@mail.example").await;
    let GrantOutcome::Changed { alias, .. } = world.grant(&member, "loop@ubuntu.com").await else {
        panic!("not changed")
    };
    assert_eq!((alias.status, alias.version), (Status::Active, 2));
    let entries = world.store.audit(Some(&ubuntu()), "2026-11").await.unwrap();
    let restored =
        entries.iter().filter(|entry| matches!(entry.change, Change::Alias { before: Some(Status::Suspended), .. }));
    assert_eq!(restored.count(), 1);
}

#[tokio::test]
async fn concurrent_sign_ins_create_one_member() {
    let world = World::new().await;
    let (one, two) = tokio::join!(world.member("alice", "a@mail.example"), world.member("alice", "a@mail.example"));
    assert_eq!(one.id, two.id);
    assert_eq!(two.check.state, CheckState::Pending);
}

#[tokio::test]
async fn nonce_and_state_are_used_once() {
    let world = World::new().await;
    let consume =
        async |nonce, state| world.store.consume_sign_in("issuer", nonce, state, now(), &OsRandom).await.unwrap();
    let (one, two) = tokio::join!(consume("n1", "s1"), consume("n1", "s1"));
    let both = [one, two];
    assert!(both.contains(&Consumed::Fresh) && both.contains(&Consumed::AlreadyUsed), "{both:?}");
    assert_eq!(consume("n1", "s2").await, Consumed::AlreadyUsed);
    assert_eq!(consume("n2", "s1").await, Consumed::AlreadyUsed);
    // A refused pair consumes neither the nonce nor the state.
    assert_eq!(consume("n2", "s2").await, Consumed::Fresh);
}

#[tokio::test]
async fn session_expires_or_is_ended() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    let session = Session { member: alice.id, created: now(), last_seen: now(), epoch: alice.session_epoch };
    assert_eq!(world.store.session("alice", now()).await.unwrap(), Some(session));
    assert_eq!(world.store.session("alice", minutes(60)).await.unwrap(), None);
    let later = minutes(6);
    world.store.touch_session("alice", later).await.unwrap();
    assert_eq!(world.store.session("alice", later).await.unwrap().unwrap().last_seen, later);
    world.store.end_session("alice").await.unwrap();
    world.store.touch_session("alice", later).await.unwrap();
    assert_eq!(world.store.session("alice", now()).await.unwrap(), None);

    world.store.ban(alice.id, CAUSE, &OsRandom).await.unwrap();
    let banned = world.read(alice.id).await;
    assert!(banned.is_banned() && banned.session_epoch > alice.session_epoch);
}

#[tokio::test]
async fn table_reveals_no_destination() {
    let world = World::new().await;
    let alice = world.member("alice", "alice.private@mail.example").await;
    world.grant(&alice, "alice@ubuntu.com").await;
    let dump = world.dump().await;
    assert!(dump.contains("alice@ubuntu.com"), "the dump contains non-personal data");
    assert!(!dump.contains("alice.private") && !dump.contains("mail.example"), "{dump}");
}
