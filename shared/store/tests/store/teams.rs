//! The team of a domain: pinned once, and no addresses while it cannot be checked.

use membermail_core::alias::Refusal;
use membermail_core::eligibility::TeamPin;
use membermail_core::member::Fingerprint;
use membermail_core::random::OsRandom;
use membermail_store::{Grant, TeamProblem};

use crate::support::{World, community};

#[tokio::test]
async fn team_is_pinned_once() {
    let world = World::new("pin").await;
    let domain = &community()[0];
    let (one, two) =
        tokio::join!(world.store.pin_team(domain, Fingerprint(7)), world.store.pin_team(domain, Fingerprint(8)));
    let pinned = one.unwrap();
    assert_eq!(two.unwrap(), pinned, "both learn the pin that counts");
    assert_eq!(world.store.pin_team(domain, Fingerprint(9)).await.unwrap(), pinned);
    assert_eq!(world.store.domain(domain).await.unwrap().team, Some(pinned));
}

#[tokio::test]
async fn team_problem_is_news_once() {
    let world = World::new("problem").await;
    let domain = &community()[0];
    let record = async |problem| world.store.record_team(domain, problem, &OsRandom).await.unwrap();
    assert!(!record(None).await);
    assert!(record(Some(TeamProblem::Missing)).await && !record(Some(TeamProblem::Missing)).await);
    assert!(record(Some(TeamProblem::Replaced)).await);
    assert_eq!(world.store.domain(domain).await.unwrap().team_problem, Some(TeamProblem::Replaced));
    assert!(record(None).await && !record(None).await);
}

#[tokio::test]
async fn pins_are_read_for_many_domains() {
    let world = World::new("pins").await;
    let domains = community();
    world.store.pin_team(&domains[0], Fingerprint(7)).await.unwrap();
    world.store.record_team(&domains[0], Some(TeamProblem::Missing), &OsRandom).await.unwrap();
    let pins = world.store.team_pins(domains.iter()).await.unwrap();
    let pin = TeamPin { fingerprint: Some(Fingerprint(7)), has_problem: true };
    assert_eq!(pins.into_iter().collect::<Vec<_>>(), [(domains[0].clone(), pin)]);
}

#[tokio::test]
async fn grant_is_refused_while_team_unavailable() {
    let world = World::new("unavailable").await;
    let alice = world.member("alice", "alice@mail.example").await;
    let domain = &community()[0];
    world.store.record_team(domain, Some(TeamProblem::Replaced), &OsRandom).await.unwrap();
    assert_eq!(world.grant(&alice, "alice@ubuntu.com").await, Grant::Refused(Refusal::TeamUnavailable));
    world.store.record_team(domain, None, &OsRandom).await.unwrap();
    assert!(matches!(world.grant(&alice, "alice@ubuntu.com").await, Grant::Created { .. }));
}
