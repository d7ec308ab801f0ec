//! Domains that are missing from the community file, and domains that an operator retires.

use membermail_core::alias::{Alias, Reason, Refusal, Status};
use membermail_core::audit::{Change, DomainChange};
use membermail_core::community::Rules;
use membermail_core::lifecycle::Action;
use membermail_core::random::OsRandom;
use membermail_core::retirement::Retirement;
use membermail_store::{Applied, GrantOutcome, Retired};

use crate::support::{World, community, kubuntu, minutes, now, operator, ubuntu};

fn retirement() -> Retirement {
    Retirement::new(now(), &Rules::default(), Some("olivia"))
}

impl World {
    async fn retire(&self) -> Retired {
        self.store.retire_domain(&ubuntu(), &retirement(), operator(now()), &OsRandom).await.unwrap()
    }

    async fn cancel(&self) -> Retired {
        self.store.cancel_retirement(&ubuntu(), operator(minutes(1)), &OsRandom).await.unwrap()
    }

    /// The domain changes in the outbox without verifications, oldest first.
    async fn domain_changes(&self) -> Vec<DomainChange> {
        let entries = self.store.undelivered_before(minutes(60), 100).await.unwrap();
        let changes = entries.into_iter().filter_map(|entry| match entry.change {
            Change::Domain { did, .. } if did != DomainChange::Verified => Some(did),
            _ => None,
        });
        changes.collect()
    }
}

#[tokio::test]
async fn missing_domain_is_announced_once() {
    let world = World::new().await;
    let compare =
        async |configured: &[_]| world.store.update_domain_list(configured, operator(now()), &OsRandom).await.unwrap();
    assert!(compare(&community()).await.is_empty());
    for _ in 0..2 {
        assert_eq!(compare(&[kubuntu()]).await, [ubuntu()]);
    }
    assert_eq!(world.domain_changes().await, [DomainChange::Unlisted]);
    // The domain is not synced, and its addresses stay.
    assert_eq!(world.store.domains_to_sync(&[kubuntu()]).await.unwrap(), [kubuntu()]);
    assert_eq!(world.store.domain(&ubuntu()).await.unwrap().retirement, None);
    // Listed again and missing again: another notice.
    assert!(compare(&community()).await.is_empty());
    compare(&[kubuntu()]).await;
    assert_eq!(world.domain_changes().await, [DomainChange::Unlisted, DomainChange::Unlisted]);
}

#[tokio::test]
async fn retiring_domain_is_synced_until_ended() {
    let world = World::new().await;
    assert_eq!(world.retire().await, Retired::Decided(retirement()));
    assert_eq!(world.retire().await, Retired::Before(retirement()));
    assert_eq!(world.domain_changes().await, [DomainChange::Retiring]);
    let to_sync = async || world.store.domains_to_sync(&[kubuntu()]).await.unwrap();
    assert_eq!(to_sync().await, [kubuntu(), ubuntu()]);
    // A retiring domain that is still configured is synced once.
    assert_eq!(world.store.domains_to_sync(&community()).await.unwrap(), community());
    assert!(world.store.update_domain_list(&[kubuntu()], operator(now()), &OsRandom).await.unwrap().is_empty());
    assert!(world.store.end_retirement(&ubuntu(), &retirement(), minutes(5)).await.unwrap());
    assert_eq!(to_sync().await, [kubuntu()]);
    // The decision stays in force.
    assert!(world.store.domain(&ubuntu()).await.unwrap().retirement.is_some());
}

#[tokio::test]
async fn retiring_domain_grants_no_address() {
    let world = World::new().await;
    let (alice, alias) = world.resident("alice").await;
    let bob = world.named("bob", "bob").await;
    world.retire().await;
    assert_eq!(world.grant(&bob, "bob@ubuntu.com").await, GrantOutcome::Refused(Refusal::DomainRetired));
    leave(&world, &alias).await;
    // A sign-in restores nothing.
    let grant = world.grant_at(&alice, "alice@ubuntu.com", minutes(3), minutes(3)).await;
    assert_eq!(grant, GrantOutcome::Refused(Refusal::DomainRetired));
    world.cancel().await;
    assert!(matches!(world.grant(&bob, "bob@ubuntu.com").await, GrantOutcome::Created { .. }));
}

#[tokio::test]
async fn late_step_follows_latest_decision() {
    let world = World::new().await;
    let (_, alias) = world.resident("alice").await;
    // The step has no effect without a decision, or after its cancellation.
    assert_eq!(leave(&world, &alias).await, Applied::Stale);
    world.retire().await;
    world.cancel().await;
    assert_eq!(leave(&world, &alias).await, Applied::Stale);
    world.retire().await;
    let Applied::Done { alias: leaving, .. } = leave(&world, &alias).await else { panic!("not leaving") };
    // A step that a sync planned before the decision.
    assert_eq!(world.apply(&leaving, Action::Restore, minutes(2)).await, Applied::Stale);
    world.cancel().await;
    let back = world.applied(&leaving, Action::Restore, minutes(2)).await;
    assert_eq!((back.status, back.reason), (Status::Active, Reason::Eligible));
}

#[tokio::test]
async fn cancel_without_retirement_changes_nothing() {
    let world = World::new().await;
    assert_eq!(world.cancel().await, Retired::NotRetiring);
    world.retire().await;
    let Retired::Decided(cancelled) = world.cancel().await else { panic!("not cancelled") };
    assert_eq!(cancelled.cancelled, Some(minutes(1)));
    assert_eq!(world.cancel().await, Retired::Before(cancelled.clone()));
    // A run that read the decision before its cancellation does not end it.
    assert!(!world.store.end_retirement(&ubuntu(), &retirement(), minutes(5)).await.unwrap());
    assert!(world.store.end_retirement(&ubuntu(), &cancelled, minutes(5)).await.unwrap());
    assert_eq!(world.store.domain(&ubuntu()).await.unwrap().retirement, None);
}

/// Applies a step of the retirement.
async fn leave(world: &World, alias: &Alias) -> Applied {
    let action = Action::Leave { reason: Reason::DomainRetired, until: retirement().until };
    world.apply(alias, action, minutes(2)).await
}
