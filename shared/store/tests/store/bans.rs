//! Bans and their effect on aliases, and the audit log across months.

use futures_util::future::join_all;
use jiff::Timestamp;
use membermail_core::alias::{Reason, Status};
use membermail_core::audit::{Cause, Change};
use membermail_core::member::MemberId;
use membermail_core::random::OsRandom;

use crate::support::{World, minutes, operator, ubuntu};

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

fn other() -> MemberId {
    MemberId::parse("01KATW4Y00ZZZZZZZZZZZZZZZZ").unwrap()
}
