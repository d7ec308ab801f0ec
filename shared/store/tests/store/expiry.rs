//! Messages that come late: what they rest on no longer counts, in a real DynamoDB.

use jiff::Timestamp;
use membermail_core::alias::{Reason, Status};
use membermail_core::eligibility::Outcome;
use membermail_core::expiry::Expired;
use membermail_core::lifecycle::Action;
use membermail_core::random::OsRandom;
use membermail_store::{Applied, Asked, Grant, Member, Record, Recorded, StoreError};

use crate::support::{World, address, community, days, minutes, now, observation, observed, operator};

impl World {
    /// A grant for a name of that time, which arrives at another time.
    async fn grant_at(&self, member: &Member, text: &str, seen: Timestamp, arrives: Timestamp) -> Grant {
        let address = address(text);
        let known_as = observed(address.local_part.as_str(), seen);
        let asked = Asked { address: &address, existing: None, known_as: &known_as, renamed_from: None, limit: 3 };
        self.store.grant(&self.sealer, member, asked, &community(), operator(arrives), &OsRandom).await.unwrap()
    }

    async fn has_alias(&self, text: &str) -> bool {
        self.store.alias(&address(text)).await.unwrap().is_some()
    }
}

#[tokio::test]
async fn day_old_grant_has_no_effect() {
    let world = World::new("old-grant").await;
    let alice = world.named("alice", "alice").await;
    let late = world.grant_at(&alice, "alice@ubuntu.com", now(), minutes(24 * 60 + 1)).await;
    assert_eq!(late, Grant::Expired(Expired::TooOld));
    let ahead = world.grant_at(&alice, "alice@ubuntu.com", days(365), now()).await;
    assert_eq!(ahead, Grant::Expired(Expired::FromFuture));
    assert!(!world.has_alias("alice@ubuntu.com").await);
    let fresh = world.grant_at(&alice, "alice@ubuntu.com", now(), minutes(24 * 60)).await;
    assert!(matches!(fresh, Grant::Created { .. }), "{fresh:?}");
}

#[tokio::test]
async fn former_name_grants_nothing() {
    let world = World::new("former-name").await;
    let before = world.named("alice", "alice").await;
    world.observe(before.id, &observation("alina", minutes(2))).await;
    // The member was read before the new name was recorded, and after it.
    for member in [before.clone(), world.read(before.id).await] {
        let grant = world.grant_at(&member, "alice@ubuntu.com", minutes(1), minutes(3)).await;
        assert_eq!(grant, Grant::Expired(Expired::Renamed));
    }
    assert!(!world.has_alias("alice@ubuntu.com").await);
    let grant = world.grant_at(&before, "alina@ubuntu.com", minutes(2), minutes(3)).await;
    assert!(matches!(grant, Grant::Created { .. }), "{grant:?}");
}

#[tokio::test]
async fn removed_domain_grants_nothing() {
    let world = World::new("removed-domain").await;
    let (alice, alias) = world.resident("alice").await;
    let leave = Action::Leave { reason: Reason::NotInTeam, until: days(14) };
    world.applied(&alias, leave, now()).await;
    let (address, known_as) = (address("alice@ubuntu.com"), observed("alice", minutes(1)));
    let asked = Asked { address: &address, existing: None, known_as: &known_as, renamed_from: None, limit: 3 };
    let others = &community()[1..];
    let grant = world.store.grant(&world.sealer, &alice, asked, others, operator(minutes(1)), &OsRandom).await.unwrap();
    assert_eq!(grant, Grant::Expired(Expired::DomainRemoved));
}

#[tokio::test]
async fn grant_from_before_ban_has_no_effect() {
    let world = World::new("grant-before-ban").await;
    let alice = world.named("alice", "alice").await;
    world.store.ban(alice.id, operator(minutes(1)), &OsRandom).await.unwrap();
    assert_eq!(world.grant_at(&alice, "alice@ubuntu.com", now(), minutes(2)).await, Grant::Banned);
    world.store.unban(alice.id, operator(minutes(2)), &OsRandom).await.unwrap();
    let late = world.grant_at(&world.read(alice.id).await, "alice@ubuntu.com", now(), minutes(3)).await;
    assert_eq!(late, Grant::Expired(Expired::BanChanged));
    let fresh = world.grant_at(&world.read(alice.id).await, "alice@ubuntu.com", minutes(3), minutes(4)).await;
    assert!(matches!(fresh, Grant::Created { .. }), "{fresh:?}");
}

#[tokio::test]
async fn late_restore_does_not_undo_ban() {
    let world = World::new("restore-and-ban").await;
    let (alice, alias) = world.resident("alice").await;
    let leave = Action::Leave { reason: Reason::NotInTeam, until: days(14) };
    let leaving = world.applied(&alias, leave, now()).await;
    // The command broke off behind the ban itself.
    world.store.ban(alice.id, operator(minutes(2)), &OsRandom).await.unwrap();
    let expired = Applied::Expired(Expired::BanChanged);
    assert_eq!(world.apply(&leaving, Action::Restore, minutes(3)).await, expired);
    // Lifted again: what the restoration rests on is from before both.
    world.store.unban(alice.id, operator(minutes(4)), &OsRandom).await.unwrap();
    assert_eq!(world.apply(&leaving, Action::Restore, minutes(1)).await, Applied::Expired(Expired::BanChanged));
    let back = world.applied(&leaving, Action::Restore, minutes(5)).await;
    assert_eq!((back.status, back.reason), (Status::Active, Reason::Eligible));
}

#[tokio::test]
async fn late_ban_step_leaves_welcome_member() {
    let world = World::new("late-ban-step").await;
    let (alice, alias) = world.resident("alice").await;
    world.store.ban(alice.id, operator(minutes(1)), &OsRandom).await.unwrap();
    world.store.unban(alice.id, operator(minutes(2)), &OsRandom).await.unwrap();
    let ban = Action::Suspend { reason: Reason::Banned };
    assert_eq!(world.apply(&alias, ban.clone(), minutes(3)).await, Applied::Expired(Expired::BanChanged));
    world.store.ban(alice.id, operator(minutes(4)), &OsRandom).await.unwrap();
    assert_eq!(world.applied(&alias, ban, minutes(5)).await.reason, Reason::Banned);
}

#[tokio::test]
async fn later_ban_decision_counts() {
    let world = World::new("crossing").await;
    let alice = world.named("alice", "alice").await.id;
    let ban = async |at: Timestamp| world.store.ban(alice, operator(at), &OsRandom).await;
    let unban = async |at: Timestamp| world.store.unban(alice, operator(at), &OsRandom).await;
    assert!(ban(minutes(2)).await.unwrap());
    // It was decided before the ban and is written after it.
    assert!(matches!(unban(minutes(1)).await, Err(StoreError::Superseded)));
    assert!(world.read(alice).await.is_banned());
    assert!(unban(minutes(3)).await.unwrap());
    assert!(matches!(ban(minutes(2)).await, Err(StoreError::Superseded)));
    assert!(!world.read(alice).await.is_banned() && world.store.banned_members().await.unwrap().is_empty());
}

#[tokio::test]
async fn ban_of_wrong_clock_can_be_lifted() {
    let world = World::new("wrong-clock-ban").await;
    let alice = world.named("alice", "alice").await.id;
    world.store.ban(alice, operator(days(365)), &OsRandom).await.unwrap();
    assert!(world.store.unban(alice, operator(minutes(1)), &OsRandom).await.unwrap());
}

#[tokio::test]
async fn crossing_commands_leave_one_state() {
    let world = World::new("crossing-aliases").await;
    let alice = world.resident("alice").await.0;
    let (store, text) = (&world.store, address("alice@ubuntu.com"));
    store.ban(alice.id, operator(minutes(1)), &OsRandom).await.unwrap();
    store.unban(alice.id, operator(minutes(2)), &OsRandom).await.unwrap();
    // The first operator's command comes to the aliases last.
    store.lift_ban(&alice, operator(minutes(2)), &OsRandom).await.unwrap();
    assert!(store.suspend_banned(&alice, operator(minutes(3)), &OsRandom).await.unwrap().is_empty());
    assert_eq!(store.alias(&text).await.unwrap().unwrap().alias.status, Status::Active);
    store.ban(alice.id, operator(minutes(4)), &OsRandom).await.unwrap();
    assert!(store.lift_ban(&alice, operator(minutes(5)), &OsRandom).await.unwrap().is_empty());
    assert_eq!(store.suspend_banned(&alice, operator(minutes(5)), &OsRandom).await.unwrap().len(), 1);
}

#[tokio::test]
async fn ban_of_linked_member_bans_survivor() {
    let world = World::new("ban-linked").await;
    let (one, two) = (world.named("one", "one").await, world.named("two", "two").await);
    world.store.link(&one, &two, operator(now()), &OsRandom).await.unwrap();
    // The operator meant the second sign-in, whose first check linked it meanwhile.
    assert!(world.store.ban(two.id, operator(minutes(1)), &OsRandom).await.unwrap());
    assert!(world.read(one.id).await.is_banned() && !world.read(two.id).await.is_banned());
    assert!(world.store.unban(one.id, operator(minutes(2)), &OsRandom).await.unwrap());
    assert!(world.store.banned_members().await.unwrap().is_empty());
}

#[tokio::test]
async fn banned_member_has_no_eligible_outcome() {
    let world = World::new("ban-in-check").await;
    let alice = world.member("alice", "alice@mail.example").await;
    world.store.ban(alice.id, operator(minutes(1)), &OsRandom).await.unwrap();
    let (seen, requested_at) = (observation("alice", now()), alice.check.requested_at);
    let outcome = Outcome::Eligible { domains: community() };
    let (observation, outcome) = (Some(&seen), Some((&outcome, requested_at)));
    let record = Record { member: &alice, observation, outcome, takes_name_from: None, now: minutes(2) };
    assert_eq!(world.store.record(record, &OsRandom).await.unwrap(), Recorded::Stale);
    assert_eq!(world.read(alice.id).await.check.outcome, None);
    let record = Record { observation: None, outcome: Some((&Outcome::Banned, requested_at)), ..record };
    assert_eq!(world.store.record(record, &OsRandom).await.unwrap(), Recorded::Recorded);
}

#[tokio::test]
async fn name_of_wrong_clock_is_replaced() {
    let world = World::new("wrong-clock-name").await;
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
    let world = World::new("expired-grants").await;
    let (alice, bob) = (world.named("alice", "alice").await.id, world.named("bob", "bob").await.id);
    let domain = &community()[0];
    for member in [alice, bob, alice] {
        world.store.note_expired_grant(domain, member).await.unwrap();
    }
    assert_eq!(world.store.expired_grants(domain, 9).await.unwrap().len(), 2);
    assert_eq!(world.store.expired_grants(domain, 1).await.unwrap().len(), 1);
    assert!(world.store.expired_grants(domain, 0).await.unwrap().is_empty());
    world.store.forget_expired_grants(domain, &[alice]).await.unwrap();
    assert_eq!(world.store.expired_grants(domain, 9).await.unwrap(), [bob]);
}
