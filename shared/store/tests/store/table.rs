//! The table under repeats, races and refusals, in a real DynamoDB.

use crate::support::{World, community, now, operator};
use jiff::SignedDuration;
use membermail_core::alias::{Reason, Refusal, Status};
use membermail_core::audit::{Actor, Cause, Change};
use membermail_core::random::OsRandom;
use membermail_store::{CheckState, Grant, Session, UsedUp};

const CAUSE: Cause<'static> =
    Cause { actor: Actor::Member, by: None, request_id: "request-1", now: jiff::Timestamp::UNIX_EPOCH };

impl World {
    async fn audit_count(&self) -> usize {
        let entries = self.store.audit(Some(&community()[0]), "2026-11").await.unwrap();
        entries.iter().filter(|entry| matches!(entry.change, Change::Alias { .. })).count()
    }
}

#[tokio::test]
async fn concurrent_grants_create_one_alias() {
    let world = World::new("deliveries").await;
    let alice = world.member("alice", "alice@mail.example").await;
    let grants = tokio::join!(
        world.grant(&alice, "alice@ubuntu.com"),
        world.grant(&alice, "alice@ubuntu.com"),
        world.grant(&alice, "alice@ubuntu.com"),
        world.grant(&alice, "alice@ubuntu.com"),
    );
    let grants = [grants.0, grants.1, grants.2, grants.3];
    assert_eq!(grants.iter().filter(|grant| matches!(grant, Grant::Created { .. })).count(), 1, "{grants:?}");
    assert_eq!(world.grant(&alice, "alice@ubuntu.com").await, Grant::Unchanged);
    assert_eq!(world.audit_count().await, 1);
    let aliases = world.store.aliases_of(alice.id).await.unwrap();
    assert_eq!(aliases.len(), 1);
    assert_eq!(aliases[0].destination(&world.sealer, &alice.salt).unwrap().unwrap().expose(), "alice@mail.example");
}

#[tokio::test]
async fn address_of_another_member_is_refused() {
    let world = World::new("taken").await;
    let alice = world.member("alice", "alice@mail.example").await;
    let eve = world.member("eve", "eve@mail.example").await;
    world.grant(&alice, "alice@ubuntu.com").await;
    assert_eq!(world.grant(&eve, "alice@ubuntu.com").await, Grant::Refused(Refusal::Taken));
    assert_eq!(world.audit_count().await, 1);
}

#[tokio::test]
async fn grant_needs_verified_domain_and_welcome() {
    let world = World::new("verified").await;
    let alice = world.member("alice", "alice@mail.example").await;
    let refused = Grant::Refused(Refusal::DomainNotVerified);
    assert_eq!(world.grant(&alice, "alice@kubuntu.org").await, refused);
    world.store.refuse(alice.id, &community()[1], &Refusal::DomainNotVerified, now()).await.unwrap();
    assert_eq!(world.store.refusals_of(alice.id).await.unwrap().len(), 1);

    world.store.verify_domain(&community()[1], operator(now()), &OsRandom).await.unwrap();
    assert!(matches!(world.grant(&alice, "alice@kubuntu.org").await, Grant::Created { .. }));
    assert!(world.store.refusals_of(alice.id).await.unwrap().is_empty());

    let ban = || world.store.ban(alice.id, CAUSE, &OsRandom);
    assert!(ban().await.unwrap() && !ban().await.unwrap());
    assert_eq!(world.grant(&alice, "alice@ubuntu.com").await, Grant::Banned);
    assert!(world.store.unban(alice.id, CAUSE, &OsRandom).await.unwrap());
    assert!(matches!(world.grant(&alice, "alice@ubuntu.com").await, Grant::Created { .. }));
}

#[tokio::test]
async fn loop_is_suspended_until_address_changes() {
    let world = World::new("loop").await;
    let member = world.member("loop", "loop@ubuntu.com").await;
    let Grant::Created { alias, .. } = world.grant(&member, "loop@ubuntu.com").await else { panic!("not created") };
    assert_eq!((alias.status, alias.reason), (Status::Suspended, Reason::Loop));
    assert_eq!(world.grant(&member, "loop@ubuntu.com").await, Grant::Unchanged);

    let member = world.member("loop", "loop@mail.example").await;
    let Grant::Changed { alias, .. } = world.grant(&member, "loop@ubuntu.com").await else { panic!("not changed") };
    assert_eq!((alias.status, alias.version), (Status::Active, 2));
    let entries = world.store.audit(Some(&community()[0]), "2026-11").await.unwrap();
    assert_eq!(
        entries
            .iter()
            .filter(|entry| matches!(entry.change, Change::Alias { before: Some(Status::Suspended), .. }))
            .count(),
        1
    );
}

#[tokio::test]
async fn concurrent_first_sign_ins_make_one_member() {
    let world = World::new("members").await;
    let (one, two) = tokio::join!(world.member("alice", "a@mail.example"), world.member("alice", "a@mail.example"));
    assert_eq!(one.id, two.id);
    assert_eq!(two.check.state, CheckState::Pending);
}

#[tokio::test]
async fn nonce_and_state_are_used_once() {
    let world = World::new("replay").await;
    let use_up = |nonce, state| world.store.use_up("issuer", nonce, state, now(), &OsRandom);
    let (one, two) = tokio::join!(use_up("n1", "s1"), use_up("n1", "s1"));
    let both = [one.unwrap(), two.unwrap()];
    assert!(both.contains(&UsedUp::Fresh) && both.contains(&UsedUp::AlreadyUsed), "{both:?}");
    assert_eq!(use_up("n1", "s2").await.unwrap(), UsedUp::AlreadyUsed);
    assert_eq!(use_up("n2", "s1").await.unwrap(), UsedUp::AlreadyUsed);
    // A refused pair uses up neither of its halves.
    assert_eq!(use_up("n2", "s2").await.unwrap(), UsedUp::Fresh);
}

#[tokio::test]
async fn session_ends_by_time_and_by_hand() {
    let world = World::new("sessions").await;
    let alice = world.member("alice", "alice@mail.example").await;
    let session = Session { member: alice.id, created: now(), last_seen: now(), epoch: alice.session_epoch };
    assert_eq!(world.store.session("alice", now()).await.unwrap(), Some(session));
    assert_eq!(world.store.session("alice", now() + SignedDuration::from_hours(1)).await.unwrap(), None);
    let later = now() + SignedDuration::from_mins(6);
    world.store.touch_session("alice", later).await.unwrap();
    assert_eq!(world.store.session("alice", later).await.unwrap().unwrap().last_seen, later);
    world.store.end_session("alice").await.unwrap();
    world.store.touch_session("alice", later).await.unwrap();
    assert_eq!(world.store.session("alice", now()).await.unwrap(), None);

    world.store.ban(alice.id, CAUSE, &OsRandom).await.unwrap();
    let banned = world.store.member(alice.id).await.unwrap().unwrap();
    assert!(banned.is_banned() && banned.session_epoch > alice.session_epoch);
}

#[tokio::test]
async fn table_reveals_no_destination() {
    let world = World::new("sealed").await;
    let alice = world.member("alice", "alice.private@mail.example").await;
    world.grant(&alice, "alice@ubuntu.com").await;
    let dump = world.dump().await;
    assert!(dump.contains("alice@ubuntu.com"), "the dump shows what is not personal");
    assert!(!dump.contains("alice.private") && !dump.contains("mail.example"), "{dump}");
}
