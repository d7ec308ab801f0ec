//! Checks: single-flight per member, by an in-flight lease.

use jiff::{SignedDuration, Timestamp};
use membermail_core::eligibility::Outcome;
use membermail_core::member::MemberId;
use membermail_core::random::OsRandom;
use membermail_store::{CheckBegun, CheckState};

use crate::support::{World, now};

const LEASE: SignedDuration = SignedDuration::from_secs(150);
const PAUSE: SignedDuration = SignedDuration::from_secs(10);

fn at(millis: i64) -> Timestamp {
    now() + SignedDuration::from_millis(millis)
}

fn seconds(seconds: i64) -> Timestamp {
    at(seconds * 1_000)
}

impl World {
    async fn begin_check(&self, member: MemberId, requested_at: Timestamp, at: Timestamp) -> CheckBegun {
        self.store.begin_check(member, requested_at, at, LEASE, PAUSE).await.unwrap()
    }

    async fn check_state(&self, member: MemberId) -> CheckState {
        self.read(member).await.check.state
    }
}

fn is_busy_until(begun: &CheckBegun, end: Timestamp) -> bool {
    matches!(begun, CheckBegun::Busy { until } if *until == end)
}

#[tokio::test]
async fn concurrent_checks_start_once() {
    let world = World::new("single-flight").await;
    let alice = world.member("alice", "alice@mail.example").await.id;
    let begin = || world.begin_check(alice, now(), seconds(1));
    let (one, two, three) = tokio::join!(begin(), begin(), begin());
    let all = [one, two, three];
    assert_eq!(all.iter().filter(|begun| matches!(begun, CheckBegun::Started(_))).count(), 1, "{all:?}");
    assert_eq!(all.iter().filter(|begun| is_busy_until(begun, seconds(151))).count(), 2, "{all:?}");
}

#[tokio::test]
async fn lease_of_check_expires() {
    let world = World::new("check-lease").await;
    let alice = world.member("alice", "alice@mail.example").await.id;
    assert!(matches!(world.begin_check(alice, now(), seconds(1)).await, CheckBegun::Started(_)));
    assert!(is_busy_until(&world.begin_check(alice, now(), seconds(150)).await, seconds(151)));
    assert!(matches!(world.begin_check(alice, now(), seconds(151)).await, CheckBegun::Started(_)));
}

#[tokio::test]
async fn ended_check_frees_the_lease() {
    let world = World::new("end-check").await;
    let alice = world.member("alice", "alice@mail.example").await.id;
    assert!(matches!(world.begin_check(alice, now(), seconds(1)).await, CheckBegun::Started(_)));
    world.store.record_delay(alice).await.unwrap();
    world.store.end_check(alice).await.unwrap();
    assert_eq!(world.check_state(alice).await, CheckState::Delayed);
    let CheckBegun::Started(member) = world.begin_check(alice, now(), seconds(2)).await else { panic!("not started") };
    assert_eq!((member.id, member.check.state), (alice, CheckState::Pending));
}

#[tokio::test]
async fn older_request_is_stale() {
    let world = World::new("stale-check").await;
    let alice = world.member("alice", "alice@mail.example").await.id;
    world.store.request_check(alice, seconds(5)).await.unwrap();
    assert!(matches!(world.begin_check(alice, now(), seconds(6)).await, CheckBegun::Stale));
    assert!(matches!(world.begin_check(alice, seconds(5), seconds(6)).await, CheckBegun::Started(_)));
}

#[tokio::test]
async fn second_delivery_is_already_done() {
    let world = World::new("done-check").await;
    let alice = world.member("alice", "alice@mail.example").await.id;
    world.begin_check(alice, now(), seconds(1)).await;
    world.conclude(alice, &Outcome::NoTeam, seconds(2)).await;
    let begun = world.begin_check(alice, now(), seconds(60)).await;
    let CheckBegun::AlreadyDone(member) = begun else { panic!("{begun:?}") };
    assert_eq!(member.check.outcome, Some(Outcome::NoTeam));
    assert_eq!(world.check_state(alice).await, CheckState::Done);
    // A later request does not make the first delivery start anew.
    world.store.request_check(alice, seconds(30)).await.unwrap();
    assert!(matches!(world.begin_check(alice, now(), seconds(60)).await, CheckBegun::AlreadyDone(_)));
}

#[tokio::test]
async fn pause_separates_checks_in_a_row() {
    let world = World::new("pause-check").await;
    let alice = world.member("alice", "alice@mail.example").await.id;
    world.begin_check(alice, now(), seconds(1)).await;
    world.conclude(alice, &Outcome::NoTeam, seconds(2)).await;
    world.store.request_check(alice, seconds(3)).await.unwrap();
    assert!(is_busy_until(&world.begin_check(alice, seconds(3), seconds(4)).await, seconds(12)));
    assert!(matches!(world.begin_check(alice, seconds(3), seconds(12)).await, CheckBegun::Started(_)));
}

/// As texts, `10:00:02Z` sorts behind `10:00:02.5Z`, and `10:00:02.5Z` before `10:00:02Z`.
#[rstest::rstest]
#[case::fraction_against_whole("fraction", at(2_500), seconds(12), false)]
#[case::whole_against_fraction("whole", seconds(2), at(12_500), true)]
#[case::a_microsecond_early("early", at(2_001), seconds(12), false)]
#[tokio::test]
async fn pause_compares_time_and_not_text(
    #[case] name: &str,
    #[case] checked_at: Timestamp,
    #[case] at: Timestamp,
    #[case] starts: bool,
) {
    let world = World::new(&format!("pause-{name}")).await;
    let alice = world.member("alice", "alice@mail.example").await.id;
    world.conclude(alice, &Outcome::NoTeam, checked_at).await;
    world.store.request_check(alice, seconds(3)).await.unwrap();
    let begun = world.begin_check(alice, seconds(3), at).await;
    assert_eq!(matches!(begun, CheckBegun::Started(_)), starts, "{begun:?}");
}

#[tokio::test]
async fn unknown_member_has_no_check() {
    let world = World::new("no-check").await;
    let nobody = MemberId::new(now(), &OsRandom);
    assert!(matches!(world.begin_check(nobody, now(), now()).await, CheckBegun::NoMember));
    assert!(world.store.member(nobody).await.unwrap().is_none(), "a check makes no member");
}

#[tokio::test]
async fn delay_does_not_undo_outcome() {
    let world = World::new("delay").await;
    let alice = world.member("alice", "alice@mail.example").await.id;
    world.conclude(alice, &Outcome::NoTeam, now()).await;
    world.store.record_delay(alice).await.unwrap();
    world.store.record_given_up(alice).await.unwrap();
    assert_eq!(world.check_state(alice).await, CheckState::Done);
    // A new sign-in asks again and keeps the outcome; then a delay counts.
    let again = world.member("alice", "alice@mail.example").await;
    assert_eq!((again.check.state, again.check.outcome), (CheckState::Pending, Some(Outcome::NoTeam)));
    world.store.record_delay(alice).await.unwrap();
    assert_eq!(world.check_state(alice).await, CheckState::Delayed);
}

#[tokio::test]
async fn check_given_up_can_be_retried() {
    let world = World::new("given-up").await;
    let alice = world.member("alice", "alice@mail.example").await.id;
    world.store.record_given_up(alice).await.unwrap();
    assert_eq!(world.check_state(alice).await, CheckState::GivenUp);
    // An operator sends the message back.
    world.store.record_delay(alice).await.unwrap();
    assert_eq!(world.check_state(alice).await, CheckState::Delayed);
    world.store.record_given_up(alice).await.unwrap();
    assert_eq!(world.check_state(alice).await, CheckState::GivenUp);
    assert_eq!(world.member("alice", "alice@mail.example").await.check.state, CheckState::Pending);
}
