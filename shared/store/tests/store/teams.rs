//! The team of a domain: pinned once; while it is unavailable, the domain gives no addresses.

use membermail_core::alias::Refusal;
use membermail_core::eligibility::TeamPin;
use membermail_core::member::Fingerprint;
use membermail_core::random::OsRandom;
use membermail_store::{GrantOutcome, TeamProblem};

use crate::support::{World, community, ubuntu};

#[tokio::test]
async fn team_is_pinned_once() {
    let world = World::new().await;
    let domain = &ubuntu();
    let (one, two) =
        tokio::join!(world.store.pin_team(domain, Fingerprint(7)), world.store.pin_team(domain, Fingerprint(8)));
    let pinned = one.unwrap();
    assert_eq!(two.unwrap(), pinned, "both calls return the same pin");
    assert_eq!(world.store.pin_team(domain, Fingerprint(9)).await.unwrap(), pinned);
    assert_eq!(world.store.domain(domain).await.unwrap().team, Some(pinned));
}

#[tokio::test]
async fn team_problem_is_announced_once() {
    let world = World::new().await;
    let domain = &ubuntu();
    let record = async |problem| world.store.record_team(domain, problem, &OsRandom).await.unwrap();
    assert!(!record(None).await);
    assert!(record(Some(TeamProblem::Missing)).await && !record(Some(TeamProblem::Missing)).await);
    assert!(record(Some(TeamProblem::Replaced)).await);
    assert_eq!(world.store.domain(domain).await.unwrap().team_problem, Some(TeamProblem::Replaced));
    assert!(record(None).await && !record(None).await);
}

#[tokio::test]
async fn pins_of_many_domains_are_read() {
    let world = World::new().await;
    let domains = community();
    world.store.pin_team(&domains[0], Fingerprint(7)).await.unwrap();
    world.store.record_team(&domains[0], Some(TeamProblem::Missing), &OsRandom).await.unwrap();
    let pins = world.store.team_pins(domains.iter()).await.unwrap();
    let pin = TeamPin { fingerprint: Some(Fingerprint(7)), has_problem: true };
    assert_eq!(pins.into_iter().collect::<Vec<_>>(), [(domains[0].clone(), pin)]);
}

#[tokio::test]
async fn unavailable_team_refuses_grants() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    let domain = &ubuntu();
    world.store.record_team(domain, Some(TeamProblem::Replaced), &OsRandom).await.unwrap();
    assert_eq!(world.grant(&alice, "alice@ubuntu.com").await, GrantOutcome::Refused(Refusal::TeamUnavailable));
    world.store.record_team(domain, None, &OsRandom).await.unwrap();
    assert!(matches!(world.grant(&alice, "alice@ubuntu.com").await, GrantOutcome::Created { .. }));
}
