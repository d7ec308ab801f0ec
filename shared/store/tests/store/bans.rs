//! A ban and what it means for aliases, and the audit log over months, in a real DynamoDB.

use crate::support::{World, address, community};
use jiff::Timestamp;
use membermail_core::alias::{Reason, Status};
use membermail_core::audit::{Actor, Cause, Change};
use membermail_core::member::MemberId;
use membermail_core::random::OsRandom;

fn at(text: &str) -> Cause<'static> {
    let now = text.parse().unwrap();
    Cause { actor: Actor::Operator, by: Some("kim"), request_id: "request-1", now }
}

impl World {
    async fn state(&self, text: &str) -> (Status, Reason, u64) {
        let alias = self.store.alias(&address(text)).await.unwrap().unwrap().alias;
        (alias.status, alias.reason, alias.version)
    }

    async fn entries(&self, from: &str, to: &str, member: MemberId) -> Vec<(Timestamp, bool)> {
        let parts = [Some(community()[0].clone()), None];
        let mut entries = Vec::new();
        let wanted = |entry: &membermail_core::audit::Entry| entry.member() == Some(member);
        let each = |entry: membermail_core::audit::Entry| {
            entries.push((entry.at, matches!(entry.change, Change::Member { .. })));
        };
        self.store.each_entry(&parts, from.parse().unwrap(), to.parse().unwrap(), wanted, each).await.unwrap();
        entries
    }
}

#[tokio::test]
async fn ban_suspends_own_aliases_once() {
    let world = World::new("bans").await;
    let alice = world.resident("alice").await.0;
    world.resident("bob").await;
    let (store, cause) = (&world.store, at("2026-11-24T11:00:00Z"));

    // A late message of a ban that was lifted does no harm.
    assert!(store.suspend_banned(&alice, cause, &OsRandom).await.unwrap().is_empty());
    assert_eq!(world.state("alice@ubuntu.com").await, (Status::Active, Reason::Eligible, 1));

    assert!(store.ban(alice.id, cause, &OsRandom).await.unwrap());
    let changed = store.suspend_banned(&alice, cause, &OsRandom).await.unwrap();
    assert_eq!(changed.len(), 1);
    assert!(store.undelivered(changed[0].1).await.unwrap().is_some(), "the member is to be told");
    assert!(store.suspend_banned(&alice, cause, &OsRandom).await.unwrap().is_empty());
    assert_eq!(world.state("alice@ubuntu.com").await, (Status::Suspended, Reason::Banned, 2));
    assert_eq!(world.state("bob@ubuntu.com").await, (Status::Active, Reason::Eligible, 1));

    assert!(store.lift_ban(&alice, cause, &OsRandom).await.unwrap().is_empty(), "it is still there");
    assert!(store.unban(alice.id, cause, &OsRandom).await.unwrap());
    assert_eq!(store.lift_ban(&alice, cause, &OsRandom).await.unwrap().len(), 1);
    assert!(store.lift_ban(&alice, cause, &OsRandom).await.unwrap().is_empty());
    assert_eq!(world.state("alice@ubuntu.com").await, (Status::Suspended, Reason::BanLifted, 3));
}

#[tokio::test]
async fn concurrent_suspensions_leave_one_change() {
    let world = World::new("two-operators").await;
    let alice = world.resident("alice").await.0;
    let (store, cause) = (&world.store, at("2026-11-24T11:00:00Z"));
    store.ban(alice.id, cause, &OsRandom).await.unwrap();
    let suspend = || store.suspend_banned(&alice, cause, &OsRandom);
    let (one, two, three) = tokio::join!(suspend(), suspend(), suspend());
    assert_eq!([one, two, three].map(|changed| changed.unwrap().len()).iter().sum::<usize>(), 1);
    assert_eq!(world.state("alice@ubuntu.com").await, (Status::Suspended, Reason::Banned, 2));
}

#[tokio::test]
async fn audit_log_spans_months_in_order() {
    let world = World::new("months").await;
    let alice = world.resident("alice").await.0;
    let store = &world.store;
    for (cause, ban) in [
        (at("2026-12-31T23:59:59.999999Z"), true),
        (at("2027-01-01T00:00:00Z"), false),
        (at("2027-03-01T12:00:00.000500Z"), true),
    ] {
        if ban {
            store.ban(alice.id, cause, &OsRandom).await.unwrap();
        } else {
            store.unban(alice.id, cause, &OsRandom).await.unwrap();
        }
    }
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
