//! Observations of members: the newest one wins, and a name belongs to the member who was last observed with it.

use jiff::SignedDuration;
use membermail_core::eligibility::{CheckState, Outcome};
use membermail_core::member::{Fingerprint, MemberId};
use membermail_core::random::OsRandom;
use membermail_store::{Record, Recorded};

use crate::support::{World, minutes, name, now, observation};

impl World {
    async fn find_id_by_name(&self, text: &str) -> Option<MemberId> {
        self.store.member_by_name(&name(text)).await.unwrap().map(|member| member.id)
    }

    /// The owner in the name's item.
    async fn name_owner(&self, text: &str) -> Option<MemberId> {
        let found = self.store.members_by_names(&[name(text)]).await.unwrap();
        found.first().map(|(_, owner)| *owner)
    }
}

#[tokio::test]
async fn newer_observation_replaces_older() {
    let world = World::new().await;
    let alice = world.named("alice", "alice").await.id;
    assert_eq!(world.observe(alice, &observation("alina", minutes(2))).await, Recorded::Recorded);
    assert_eq!(world.observe(alice, &observation("alma", minutes(1))).await, Recorded::Stale);
    assert_eq!(world.observe(alice, &observation("alma", minutes(2))).await, Recorded::Stale);
    assert_eq!(world.read(alice).await.observation, Some(observation("alina", minutes(2))));
    assert_eq!((world.find_id_by_name("alina").await, world.name_owner("alma").await), (Some(alice), None));
    assert_eq!(world.find_id_by_name("alice").await, None, "the former name finds no member");
}

#[tokio::test]
async fn observations_compare_by_microsecond() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await.id;
    // Compared as text, the two would sort the other way round.
    let whole = now();
    let later = now() + SignedDuration::from_micros(500_000);
    assert_eq!(world.observe(alice, &observation("alice", whole)).await, Recorded::Recorded);
    assert_eq!(world.observe(alice, &observation("alina", later)).await, Recorded::Recorded);
    assert_eq!(world.observe(alice, &observation("alice", whole)).await, Recorded::Stale);
}

#[tokio::test]
async fn held_name_needs_former_holder() {
    let world = World::new().await;
    let alice = world.named("alice", "alice").await.id;
    let eve = world.member("eve", "eve@mail.example").await.id;
    let seen = observation("alice", minutes(1));
    assert_eq!(world.observe(eve, &seen).await, Recorded::NameHeld(alice));
    assert_eq!(world.read(eve).await.observation, None, "the observation is not recorded");
    let other = world.member("other", "other@mail.example").await.id;
    assert_eq!(world.claim_name(eve, &seen, Some(other)).await, Recorded::NameHeld(alice));
    assert_eq!(world.claim_name(eve, &seen, Some(alice)).await, Recorded::Recorded);
    assert_eq!(world.find_id_by_name("alice").await, Some(eve));
}

#[tokio::test]
async fn unchanged_name_writes_no_claim() {
    let world = World::new().await;
    let alice = world.named("alice", "alice").await.id;
    let eve = world.member("eve", "eve@mail.example").await.id;
    world.claim_name(eve, &observation("alice", minutes(1)), Some(alice)).await;
    // A claim would conflict with eve's.
    assert_eq!(world.observe(alice, &observation("alice", minutes(2))).await, Recorded::Recorded);
    assert_eq!(world.name_owner("alice").await, Some(eve));
}

#[tokio::test]
async fn new_fingerprint_claims_name_again() {
    let world = World::new().await;
    let alice = world.named("alice", "alice").await.id;
    let eve = world.member("eve", "eve@mail.example").await.id;
    world.claim_name(eve, &observation("alice", minutes(1)), Some(alice)).await;
    let mut moved = observation("alice", minutes(2));
    moved.person.fingerprint = Fingerprint(8);
    assert_eq!(world.observe(alice, &moved).await, Recorded::NameHeld(eve));
}

#[tokio::test]
async fn concurrent_claims_leave_one_owner() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await.id;
    let eve = world.member("eve", "eve@mail.example").await.id;
    let seen = observation("alice", now());
    let (one, two) = tokio::join!(world.observe(alice, &seen), world.observe(eve, &seen));
    let mut both = [(one, eve), (two, alice)];
    both.sort_by_key(|(recorded, _)| *recorded != Recorded::Recorded);
    assert_eq!(both.map(|(recorded, _)| recorded), [Recorded::Recorded, Recorded::NameHeld(both[1].1)]);
}

#[tokio::test]
async fn outcome_is_recorded_with_observation() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    let seen = observation("alice", minutes(1));
    let outcome = Some((&Outcome::NoTeam, alice.check.requested_at));
    let record = Record { member: &alice, observation: Some(&seen), outcome, claims_name_from: None, now: minutes(2) };
    assert_eq!(world.store.record(record, &OsRandom).await.unwrap(), Recorded::Recorded);
    let read = world.read(alice.id).await;
    assert_eq!((read.check.state, read.check.outcome), (CheckState::Done, Some(Outcome::NoTeam)));
    assert_eq!((read.check.checked_at, read.observation), (Some(minutes(2)), Some(seen.clone())));

    let older = observation("alina", now());
    let record = Record { observation: Some(&older), outcome: Some((&Outcome::Unknown, now())), ..record };
    assert_eq!(world.store.record(record, &OsRandom).await.unwrap(), Recorded::Stale);
    assert_eq!(world.read(alice.id).await.check.outcome, Some(Outcome::NoTeam));
}

#[tokio::test]
async fn many_names_find_their_members() {
    let world = World::new().await;
    let mut expected = Vec::new();
    for number in 0..3 {
        let text = format!("member{number}");
        expected.push((name(&text), world.named(&text, &text).await.id));
    }
    // More names than fit in one request.
    let names: Vec<_> = (0..250).map(|number| name(&format!("member{number}"))).collect();
    let mut found = world.store.members_by_names(&names).await.unwrap();
    found.sort();
    assert_eq!(found, expected);
}
