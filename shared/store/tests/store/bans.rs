//! Bans and their effect on aliases, and the audit log across months.

use futures_util::future::join_all;
use jiff::Timestamp;
use membermail_core::alias::{Reason, Status};
use membermail_core::audit::{Cause, Change, Entry};
use membermail_core::member::MemberId;
use membermail_core::random::OsRandom;
use membermail_store::{Erasure, StoreError};

use crate::support::{World, days, minutes, operator, ubuntu};

fn at(text: &str) -> Cause<'static> {
    operator(text.parse().unwrap())
}

impl World {
    async fn alias_state(&self, text: &str) -> (Status, Reason, u64) {
        let alias = self.alias(text).await;
        (alias.status, alias.reason, alias.version)
    }

    async fn entries(&self, from: &str, to: &str, member: MemberId) -> Vec<(Timestamp, bool)> {
        let parts = [Some(ubuntu()), None];
        let mut entries = Vec::new();
        let from = from.parse().unwrap();
        let to = to.parse().unwrap();
        self.store
            .each_entry(&parts, from, to, |entry| entry.member() == Some(member), |entry| entries.push(entry))
            .await
            .unwrap();
        entries.into_iter().map(|entry| (entry.at, matches!(entry.change, Change::Member { .. }))).collect()
    }
}

#[tokio::test]
async fn ban_suspends_own_aliases_once() {
    let world = World::new().await;
    let alice = world.resident("alice").await.0;
    world.resident("bob").await;
    let store = &world.store;
    let cause = operator(minutes(60));

    // A late message of a lifted ban changes nothing.
    assert!(store.suspend_banned(&alice, cause, &OsRandom).await.unwrap().is_empty());
    assert_eq!(world.alias_state("alice@ubuntu.com").await, (Status::Active, Reason::Eligible, 1));

    assert!(store.ban(alice.id, cause, &OsRandom).await.unwrap());
    let changed = store.suspend_banned(&alice, cause, &OsRandom).await.unwrap();
    assert_eq!(changed.len(), 1);
    assert!(store.undelivered(changed[0].1).await.unwrap().is_some(), "the member gets a notice");
    assert!(store.suspend_banned(&alice, cause, &OsRandom).await.unwrap().is_empty());
    assert_eq!(world.alias_state("alice@ubuntu.com").await, (Status::Suspended, Reason::Banned, 2));
    assert_eq!(world.alias_state("bob@ubuntu.com").await, (Status::Active, Reason::Eligible, 1));

    assert!(store.lift_ban(&alice, cause, &OsRandom).await.unwrap().is_empty(), "the ban is still in force");
    assert!(store.unban(alice.id, cause, &OsRandom).await.unwrap());
    assert_eq!(store.lift_ban(&alice, cause, &OsRandom).await.unwrap().len(), 1);
    assert!(store.lift_ban(&alice, cause, &OsRandom).await.unwrap().is_empty());
    assert_eq!(world.alias_state("alice@ubuntu.com").await, (Status::Suspended, Reason::BanLifted, 3));
}

#[tokio::test]
async fn concurrent_suspensions_leave_one_change() {
    let world = World::new().await;
    let alice = world.resident("alice").await.0;
    let store = &world.store;
    let cause = operator(minutes(60));
    store.ban(alice.id, cause, &OsRandom).await.unwrap();
    let suspensions = join_all((0..3).map(|_| store.suspend_banned(&alice, cause, &OsRandom))).await;
    assert_eq!(suspensions.into_iter().flat_map(Result::unwrap).count(), 1);
    assert_eq!(world.alias_state("alice@ubuntu.com").await, (Status::Suspended, Reason::Banned, 2));
}

#[tokio::test]
async fn audit_log_spans_months_in_order() {
    let world = World::new().await;
    let alice = world.resident("alice").await.0;
    let store = &world.store;
    store.ban(alice.id, at("2026-12-31T23:59:59.999999Z"), &OsRandom).await.unwrap();
    store.unban(alice.id, at("2027-01-01T00:00:00Z"), &OsRandom).await.unwrap();
    store.ban(alice.id, at("2027-03-01T12:00:00.000500Z"), &OsRandom).await.unwrap();
    let entries = world.entries("2026-11-01T00:00:00Z", "2027-12-01T00:00:00Z", alice.id).await;
    assert_eq!(entries.iter().map(|(_, member)| *member).collect::<Vec<_>>(), [false, true, true, true]);
    assert!(entries.is_sorted());
    let count = async |from: &str, to: &str| world.entries(from, to, alice.id).await.len();
    assert_eq!(count("2026-12-31T23:59:59.999999Z", "2027-01-01T00:00:00Z").await, 1);
    assert_eq!(count("2027-01-01T00:00:00Z", "2027-03-01T12:00:00.000500Z").await, 1);
    assert_eq!(count("2027-01-01T00:00:00Z", "2027-03-01T12:00:00.000501Z").await, 2);
    assert_eq!(count("2027-02-01T00:00:00Z", "2027-02-28T00:00:00Z").await, 0);
    assert!(world.entries("2026-11-01T00:00:00Z", "2027-12-01T00:00:00Z", other()).await.is_empty());
}

#[tokio::test]
async fn ban_keeps_reason_until_lifted() {
    let world = World::new().await;
    let alice = world.resident("alice").await.0;
    let reason = "spam".parse().unwrap();
    let store = &world.store;
    let ban = store.ban_and_suspend(&alice, Some(&reason), operator(minutes(60)), &OsRandom).await.unwrap();
    assert!(ban.is_new && ban.changed.len() == 1, "{ban:?}");
    assert_eq!(world.read(alice.id).await.ban_reason.as_ref(), Some(&reason));
    assert!(
        !format!("{:?}", store.audit(None, "2026-11").await.unwrap()).contains("spam"),
        "the log outlives an erasure"
    );

    let other = "another".parse().unwrap();
    let again = store.ban_and_suspend(&alice, Some(&other), operator(minutes(61)), &OsRandom).await.unwrap();
    assert!(!again.is_new && again.changed.is_empty(), "{again:?}");
    assert_eq!(world.read(alice.id).await.ban_reason, Some(reason), "the first decision counts");

    let lifted = store.unban_and_lift(&alice, operator(minutes(62)), &OsRandom).await.unwrap();
    assert!(lifted.is_new && lifted.changed.len() == 1, "{lifted:?}");
    assert_eq!(world.read(alice.id).await.ban_reason, None);
    assert!(!store.unban_and_lift(&alice, operator(minutes(63)), &OsRandom).await.unwrap().is_new);

    let history = store.history_of(alice.id, 10).await.unwrap();
    let is_of_member = |entry: &Entry| matches!(entry.change, Change::Member { .. });
    assert_eq!(history.iter().map(is_of_member).collect::<Vec<_>>(), [false, true, false, true, false]);
}

#[tokio::test]
async fn interrupted_ban_is_completed() {
    let world = World::new().await;
    let alice = world.resident("alice").await.0;
    world.store.ban(alice.id, operator(minutes(60)), &OsRandom).await.unwrap();
    let again = world.store.ban_and_suspend(&alice, None, operator(minutes(61)), &OsRandom).await.unwrap();
    assert!(!again.is_new && again.changed.len() == 1, "{again:?}");
}

#[tokio::test]
async fn ban_fails_after_link() {
    let world = World::new().await;
    let alice = world.resident("alice").await.0;
    let alex = world.resident("alex").await.0;
    world.link_ids(alice.id, alex.id).await;
    // The link came after the decision: it was about one member, and about both addresses now.
    for read in [&alice, &alex] {
        let failed = world.store.ban_and_suspend(read, None, operator(minutes(60)), &OsRandom).await;
        assert!(matches!(failed, Err(StoreError::Superseded)), "{failed:?}");
    }
    assert!(!world.read(alice.id).await.is_banned());
    assert_eq!(world.alias_state("alice@ubuntu.com").await, (Status::Active, Reason::Eligible, 1));
}

#[tokio::test]
async fn erasure_removes_ban_reason() {
    let world = World::new().await;
    let (alice, alias) = world.resident("alice").await;
    world.retired(&alias).await;
    let reason = "spam".parse().unwrap();
    world.store.ban_with_reason(alice.id, Some(&reason), operator(days(195)), &OsRandom).await.unwrap();
    assert_eq!(world.store.erase(alice.id, operator(days(200)), &OsRandom).await.unwrap(), Erasure::Done);
    let erased = world.read(alice.id).await;
    assert!(erased.is_banned() && erased.ban_reason.is_none(), "{erased:?}");
    assert!(!world.dump().await.contains("spam"));
}

fn other() -> MemberId {
    MemberId::parse("01KATW4Y00ZZZZZZZZZZZZZZZZ").unwrap()
}
