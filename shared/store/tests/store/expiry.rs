//! Late messages: grants and steps whose observation or decision is outdated.

use jiff::Timestamp;
use membermail_core::alias::{GrantRequest, Reason, Status};
use membermail_core::eligibility::Outcome;
use membermail_core::expiry::Expired;
use membermail_core::lifecycle::Action;
use membermail_core::random::OsRandom;
use membermail_store::{Applied, GrantOutcome, Record, Recorded, StoreError};

use crate::support::{World, address, community, days, minutes, now, observation, observed, operator, ubuntu};

#[tokio::test]
async fn day_old_grant_expires() {
    let world = World::new().await;
    let alice = world.named("alice", "alice").await;
    let late = world.grant_at(&alice, "alice@ubuntu.com", now(), minutes(24 * 60 + 1)).await;
    assert_eq!(late, GrantOutcome::Expired(Expired::TooOld));
    let ahead = world.grant_at(&alice, "alice@ubuntu.com", days(365), now()).await;
    assert_eq!(ahead, GrantOutcome::Expired(Expired::FromFuture));
    assert_eq!(world.find_alias("alice@ubuntu.com").await, None);
    let fresh = world.grant_at(&alice, "alice@ubuntu.com", now(), minutes(24 * 60)).await;
    assert!(matches!(fresh, GrantOutcome::Created { .. }), "{fresh:?}");
}

#[tokio::test]
async fn former_name_grants_nothing() {
    let world = World::new().await;
    let before = world.named("alice", "alice").await;
    world.observe(before.id, &observation("alina", minutes(2))).await;
    // With the member as read before the rename, and after it.
    for member in [before.clone(), world.read(before.id).await] {
        let grant = world.grant_at(&member, "alice@ubuntu.com", minutes(1), minutes(3)).await;
        assert_eq!(grant, GrantOutcome::Expired(Expired::Renamed));
    }
    assert_eq!(world.find_alias("alice@ubuntu.com").await, None);
    let grant = world.grant_at(&before, "alina@ubuntu.com", minutes(2), minutes(3)).await;
    assert!(matches!(grant, GrantOutcome::Created { .. }), "{grant:?}");
}

#[tokio::test]
async fn removed_domain_grants_nothing() {
    let world = World::new().await;
    let (alice, alias) = world.resident("alice").await;
    let leave = Action::Leave { reason: Reason::NotInTeam, until: days(14) };
    world.applied(&alias, leave, now()).await;
    let request = GrantRequest {
        address: &alias.address,
        existing: None,
        known_as: &observed("alice", minutes(1)),
        renamed_from: None,
        limit: 3,
    };
    let others = &community()[1..];
    let grant = world.store.grant(&alice, request, others, operator(minutes(1)), &OsRandom).await.unwrap();
    assert_eq!(grant, GrantOutcome::Expired(Expired::DomainRemoved));
}

#[tokio::test]
async fn grant_before_ban_expires() {
    let world = World::new().await;
    let alice = world.named("alice", "alice").await;
    world.store.ban(alice.id, operator(minutes(1)), &OsRandom).await.unwrap();
    assert_eq!(world.grant_at(&alice, "alice@ubuntu.com", now(), minutes(2)).await, GrantOutcome::Banned);
    world.store.unban(alice.id, operator(minutes(2)), &OsRandom).await.unwrap();
    let late = world.grant_at(&world.read(alice.id).await, "alice@ubuntu.com", now(), minutes(3)).await;
    assert_eq!(late, GrantOutcome::Expired(Expired::BanChanged));
    let fresh = world.grant_at(&world.read(alice.id).await, "alice@ubuntu.com", minutes(3), minutes(4)).await;
    assert!(matches!(fresh, GrantOutcome::Created { .. }), "{fresh:?}");
}

#[tokio::test]
async fn late_restore_keeps_ban() {
    let world = World::new().await;
    let (alice, alias) = world.resident("alice").await;
    let leave = Action::Leave { reason: Reason::NotInTeam, until: days(14) };
    let leaving = world.applied(&alias, leave, now()).await;
    // The ban command was aborted before it suspended the aliases.
    world.store.ban(alice.id, operator(minutes(2)), &OsRandom).await.unwrap();
    let expired = Applied::Expired(Expired::BanChanged);
    assert_eq!(world.apply(&leaving, Action::Restore, minutes(3)).await, expired);
    // After the ban is lifted: the restoration's reading is older than both decisions.
    world.store.unban(alice.id, operator(minutes(4)), &OsRandom).await.unwrap();
    assert_eq!(world.apply(&leaving, Action::Restore, minutes(1)).await, Applied::Expired(Expired::BanChanged));
    let back = world.applied(&leaving, Action::Restore, minutes(5)).await;
    assert_eq!((back.status, back.reason), (Status::Active, Reason::Eligible));
}

#[tokio::test]
async fn late_ban_step_expires_after_unban() {
    let world = World::new().await;
    let (alice, alias) = world.resident("alice").await;
    world.store.ban(alice.id, operator(minutes(1)), &OsRandom).await.unwrap();
    world.store.unban(alice.id, operator(minutes(2)), &OsRandom).await.unwrap();
    let ban = Action::Suspend { reason: Reason::Banned };
    assert_eq!(world.apply(&alias, ban.clone(), minutes(3)).await, Applied::Expired(Expired::BanChanged));
    world.store.ban(alice.id, operator(minutes(4)), &OsRandom).await.unwrap();
    assert_eq!(world.applied(&alias, ban, minutes(5)).await.reason, Reason::Banned);
}

#[tokio::test]
async fn later_ban_decision_wins() {
    let world = World::new().await;
    let alice = world.named("alice", "alice").await.id;
    let ban = async |minute| world.store.ban(alice, operator(minutes(minute)), &OsRandom).await;
    let unban = async |minute| world.store.unban(alice, operator(minutes(minute)), &OsRandom).await;
    assert!(ban(2).await.unwrap());
    // Decided before the ban, written after it.
    assert!(matches!(unban(1).await, Err(StoreError::Superseded)));
    assert!(world.read(alice).await.is_banned());
    assert!(unban(3).await.unwrap());
    assert!(matches!(ban(2).await, Err(StoreError::Superseded)));
    assert!(!world.read(alice).await.is_banned() && world.store.banned_members().await.unwrap().is_empty());
}

#[tokio::test]
async fn ban_with_wrong_clock_is_lifted() {
    let world = World::new().await;
    let alice = world.named("alice", "alice").await.id;
    world.store.ban(alice, operator(days(365)), &OsRandom).await.unwrap();
    assert!(world.store.unban(alice, operator(minutes(1)), &OsRandom).await.unwrap());
}

#[tokio::test]
async fn crossed_ban_commands_converge() {
    let world = World::new().await;
    let alice = world.resident("alice").await.0;
    let store = &world.store;
    store.ban(alice.id, operator(minutes(1)), &OsRandom).await.unwrap();
    store.unban(alice.id, operator(minutes(2)), &OsRandom).await.unwrap();
    // The first operator's command changes the aliases last.
    store.lift_ban(&alice, operator(minutes(2)), &OsRandom).await.unwrap();
    assert!(store.suspend_banned(&alice, operator(minutes(3)), &OsRandom).await.unwrap().is_empty());
    assert_eq!(world.alias("alice@ubuntu.com").await.status, Status::Active);
    store.ban(alice.id, operator(minutes(4)), &OsRandom).await.unwrap();
    assert!(store.lift_ban(&alice, operator(minutes(5)), &OsRandom).await.unwrap().is_empty());
    assert_eq!(store.suspend_banned(&alice, operator(minutes(5)), &OsRandom).await.unwrap().len(), 1);
}

#[tokio::test]
async fn ban_of_linked_member_hits_survivor() {
    let world = World::new().await;
    let one = world.named("one", "one").await;
    let two = world.named("two", "two").await;
    world.store.link(&one, &two, operator(now()), &OsRandom).await.unwrap();
    // The operator bans the second sign-in, which its first check has linked meanwhile.
    assert!(world.store.ban(two.id, operator(minutes(1)), &OsRandom).await.unwrap());
    assert!(world.read(one.id).await.is_banned() && !world.read(two.id).await.is_banned());
    assert!(world.store.unban(one.id, operator(minutes(2)), &OsRandom).await.unwrap());
    assert!(world.store.banned_members().await.unwrap().is_empty());
}

#[tokio::test]
async fn ban_during_check_drops_outcome() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    world.store.ban(alice.id, operator(minutes(1)), &OsRandom).await.unwrap();
    let seen = observation("alice", now());
    let requested_at = alice.check.requested_at;
    let eligible = Outcome::Eligible { domains: community() };
    let record = Record {
        member: &alice,
        observation: Some(&seen),
        outcome: Some((&eligible, requested_at)),
        claims_name_from: None,
        now: minutes(2),
    };
    assert_eq!(world.store.record(record, &OsRandom).await.unwrap(), Recorded::Stale);
    assert_eq!(world.read(alice.id).await.check.outcome, None);
    let record = Record { observation: None, outcome: Some((&Outcome::Banned, requested_at)), ..record };
    assert_eq!(world.store.record(record, &OsRandom).await.unwrap(), Recorded::Recorded);
}

#[tokio::test]
async fn name_with_wrong_clock_is_replaced() {
    let world = World::new().await;
    let (alice, _) = world.resident("alice").await;
    let ahead = observation("alma", days(365));
    assert_eq!(world.observe(alice.id, &ahead).await, Recorded::Recorded);
    assert_eq!(world.observe(alice.id, &observation("alina", minutes(1))).await, Recorded::Recorded);
    let observe = async |name: &str, seen: Timestamp, at: Timestamp| {
        world.store.observe_alias(&address("alice@ubuntu.com"), alice.id, &observed(name, seen), at).await.unwrap()
    };
    assert!(!observe("alma", days(365), minutes(1)).await);
    assert!(observe("alma", days(365), days(365)).await);
    assert!(observe("alina", minutes(1), minutes(2)).await);
}

#[tokio::test]
async fn expired_grants_are_kept_for_sync() {
    let world = World::new().await;
    let alice = world.named("alice", "alice").await.id;
    let bob = world.named("bob", "bob").await.id;
    let domain = &ubuntu();
    for member in [alice, bob, alice] {
        world.store.note_expired_grant(domain, member).await.unwrap();
    }
    assert_eq!(world.store.expired_grants(domain, 9).await.unwrap().len(), 2);
    assert_eq!(world.store.expired_grants(domain, 1).await.unwrap().len(), 1);
    assert!(world.store.expired_grants(domain, 0).await.unwrap().is_empty());
    world.store.forget_expired_grants(domain, &[alice]).await.unwrap();
    assert_eq!(world.store.expired_grants(domain, 9).await.unwrap(), [bob]);
}
