//! Domains that are missing from the community file, and domains that an operator retires.

use membermail_core::alias::{Reason, Refusal, Status};
use membermail_core::audit::{Actor, Cause, Change, DomainChange};
use membermail_core::community::Rules;
use membermail_core::lifecycle::{Action, Step};
use membermail_core::random::OsRandom;
use membermail_core::retirement::Retirement;
use membermail_store::{Applied, Asked, Grant, Retired, Terms};

use crate::support::{World, address, community, minutes, now, observed, operator};

fn check() -> Cause<'static> {
    Cause { actor: Actor::DomainCheck, by: None, request_id: "request-3", now: now() }
}

fn retirement() -> Retirement {
    Retirement::new(now(), &Rules::default(), Some("olivia"))
}

impl World {
    async fn retires(&self) -> Retired {
        self.store.retire_domain(&community()[0], &retirement(), operator(now()), &OsRandom).await.unwrap()
    }

    async fn cancels(&self) -> Retired {
        self.store.cancel_retirement(&community()[0], operator(minutes(1)), &OsRandom).await.unwrap()
    }

    /// What the outbox says of domains, oldest first, without the first verification.
    async fn domain_news(&self) -> Vec<DomainChange> {
        let entries = self.store.undelivered_before(minutes(60), 100).await.unwrap();
        let news = entries.into_iter().filter_map(|entry| match entry.change {
            Change::Domain { did, .. } if did != DomainChange::Verified => Some(did),
            _ => None,
        });
        news.collect()
    }
}

#[tokio::test]
async fn missing_domain_is_noted_once() {
    let world = World::new("unlisted").await;
    let [ubuntu, kubuntu] = [community()[0].clone(), community()[1].clone()];
    let compare = async |configured: &[_]| world.store.compare_with_list(configured, check(), &OsRandom).await.unwrap();
    assert!(compare(&community()).await.is_empty());
    for _ in 0..2 {
        assert_eq!(compare(std::slice::from_ref(&kubuntu)).await, std::slice::from_ref(&ubuntu));
    }
    assert_eq!(world.domain_news().await, [DomainChange::Unlisted]);
    // Nothing follows for its addresses: it is not synced, and not forgotten.
    assert_eq!(
        world.store.domains_to_sync(std::slice::from_ref(&kubuntu)).await.unwrap(),
        std::slice::from_ref(&kubuntu)
    );
    assert_eq!(world.store.domain(&ubuntu).await.unwrap().retirement, None);
    // Back in the file, and missing again: another notice.
    assert!(compare(&community()).await.is_empty());
    compare(std::slice::from_ref(&kubuntu)).await;
    assert_eq!(world.domain_news().await, [DomainChange::Unlisted, DomainChange::Unlisted]);
}

#[tokio::test]
async fn retiring_domain_is_synced_until_ended() {
    let world = World::new("retiring").await;
    let [ubuntu, kubuntu] = [community()[0].clone(), community()[1].clone()];
    assert_eq!(world.retires().await, Retired::Decided(retirement()));
    assert_eq!(world.retires().await, Retired::Before(retirement()));
    assert_eq!(world.domain_news().await, [DomainChange::Retiring]);
    let to_sync = async || world.store.domains_to_sync(std::slice::from_ref(&kubuntu)).await.unwrap();
    assert_eq!(to_sync().await, [kubuntu.clone(), ubuntu.clone()]);
    // In the file still, it is synced once.
    assert_eq!(world.store.domains_to_sync(&community()).await.unwrap(), community());
    assert!(
        world.store.compare_with_list(std::slice::from_ref(&kubuntu), check(), &OsRandom).await.unwrap().is_empty()
    );
    assert!(world.store.end_retirement(&ubuntu, &retirement(), minutes(5)).await.unwrap());
    assert_eq!(to_sync().await, std::slice::from_ref(&kubuntu));
    // The decision still counts.
    assert!(world.store.domain(&ubuntu).await.unwrap().retirement.is_some());
}

#[tokio::test]
async fn retiring_domain_grants_no_address() {
    let world = World::new("retiring-grant").await;
    let (alice, _) = world.resident("alice").await;
    let bob = world.named("bob", "bob").await;
    world.retires().await;
    assert_eq!(world.grant(&bob, "bob@ubuntu.com").await, Grant::Refused(Refusal::DomainRetired));
    let step = leave(&world).await;
    apply(&world, &step).await;
    // A sign-in brings nothing back.
    let (alice_at, known_as) = (address("alice@ubuntu.com"), observed("alice", minutes(3)));
    let asked = Asked { address: &alice_at, existing: None, known_as: &known_as, renamed_from: None, limit: 3 };
    let (ours, cause) = (community(), operator(minutes(3)));
    let grant = world.store.grant(&world.sealer, &alice, asked, &ours, cause, &OsRandom).await.unwrap();
    assert_eq!(grant, Grant::Refused(Refusal::DomainRetired));
    world.cancels().await;
    assert!(matches!(world.grant(&bob, "bob@ubuntu.com").await, Grant::Created { .. }));
}

#[tokio::test]
async fn late_step_follows_latest_decision() {
    let world = World::new("retiring-late").await;
    world.resident("alice").await;
    let left = leave(&world).await;
    // Without a decision, and after it was cancelled, nothing ends because of it.
    assert_eq!(apply(&world, &left).await, Applied::Stale);
    world.retires().await;
    world.cancels().await;
    assert_eq!(apply(&world, &left).await, Applied::Stale);
    world.retires().await;
    assert!(matches!(apply(&world, &left).await, Applied::Done { .. }));
    // A sync from before the decision found the member eligible.
    let restore = Step { action: Action::Restore, version: left.version + 1, ..left };
    assert_eq!(apply(&world, &restore).await, Applied::Stale);
    world.cancels().await;
    let Applied::Done { alias, .. } = apply(&world, &restore).await else { panic!("not restored") };
    assert_eq!((alias.status, alias.reason), (Status::Active, Reason::Eligible));
}

#[tokio::test]
async fn cancel_without_retirement_changes_nothing() {
    let world = World::new("retiring-none").await;
    assert_eq!(world.cancels().await, Retired::NotRetiring);
    world.retires().await;
    let Retired::Decided(cancelled) = world.cancels().await else { panic!("not cancelled") };
    assert_eq!(cancelled.cancelled, Some(minutes(1)));
    assert_eq!(world.cancels().await, Retired::Before(cancelled.clone()));
    // A run that read the decision before it was cancelled does not end it.
    assert!(!world.store.end_retirement(&community()[0], &retirement(), minutes(5)).await.unwrap());
    assert!(world.store.end_retirement(&community()[0], &cancelled, minutes(5)).await.unwrap());
    assert_eq!(world.store.domain(&community()[0]).await.unwrap().retirement, None);
}

async fn leave(world: &World) -> Step {
    let alias = world.store.alias(&address("alice@ubuntu.com")).await.unwrap().unwrap().alias;
    let action = Action::Leave { reason: Reason::DomainRetired, until: retirement().until };
    Step { address: alias.address, member: alias.member, version: alias.version, known_as: None, action }
}

async fn apply(world: &World, step: &Step) -> Applied {
    let cause = Cause { actor: Actor::Sync, by: Some("run"), request_id: "request-4", now: minutes(2) };
    let (domains, rules) = (community(), Rules::default());
    let terms = Terms { domains: &domains, rules: &rules, read_at: minutes(2) };
    world.store.apply(&world.sealer, step, terms, cause, &OsRandom).await.unwrap()
}
