//! Checks: single-flight per member, by an in-flight lease.

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use membermail_core::eligibility::{CheckState, Outcome};
use membermail_core::member::MemberId;
use membermail_core::random::OsRandom;
use membermail_store::CheckStart;

use crate::support::{World, now, seconds};

const LEASE: SignedDuration = SignedDuration::from_secs(150);
const PAUSE: SignedDuration = SignedDuration::from_secs(10);

fn at(millis: i64) -> Timestamp {
    now() + SignedDuration::from_millis(millis)
}

impl World {
    async fn begin_check(&self, member: MemberId, requested_at: Timestamp, at: Timestamp) -> CheckStart {
        self.store.begin_check(member, requested_at, at, LEASE, PAUSE).await.unwrap()
    }

    async fn check_state(&self, member: MemberId) -> CheckState {
        self.read(member).await.check.state
    }
}

fn is_busy_until(begun: &CheckStart, end: Timestamp) -> bool {
    matches!(begun, CheckStart::Busy { until } if *until == end)
}

#[tokio::test]
async fn concurrent_checks_start_once() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await.id;
    let all = join_all((0..3).map(|_| world.begin_check(alice, now(), seconds(1)))).await;
    assert_eq!(all.iter().filter(|begun| matches!(begun, CheckStart::Started(_))).count(), 1, "{all:?}");
    assert_eq!(all.iter().filter(|begun| is_busy_until(begun, seconds(151))).count(), 2, "{all:?}");
}

#[tokio::test]
async fn check_lease_expires() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await.id;
    assert!(matches!(world.begin_check(alice, now(), seconds(1)).await, CheckStart::Started(_)));
    assert!(is_busy_until(&world.begin_check(alice, now(), seconds(150)).await, seconds(151)));
    assert!(matches!(world.begin_check(alice, now(), seconds(151)).await, CheckStart::Started(_)));
}

#[tokio::test]
async fn ended_check_releases_lease() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await.id;
    assert!(matches!(world.begin_check(alice, now(), seconds(1)).await, CheckStart::Started(_)));
    world.store.record_delay(alice).await.unwrap();
    world.store.end_check(alice).await.unwrap();
    assert_eq!(world.check_state(alice).await, CheckState::Delayed);
    let CheckStart::Started(member) = world.begin_check(alice, now(), seconds(2)).await else { panic!("not started") };
    assert_eq!((member.id, member.check.state), (alice, CheckState::Pending));
}

#[tokio::test]
async fn older_request_is_stale() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await.id;
    world.store.request_check(alice, seconds(5)).await.unwrap();
    assert!(matches!(world.begin_check(alice, now(), seconds(6)).await, CheckStart::Stale));
    assert!(matches!(world.begin_check(alice, seconds(5), seconds(6)).await, CheckStart::Started(_)));
}

#[tokio::test]
async fn second_delivery_is_already_done() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await.id;
    world.begin_check(alice, now(), seconds(1)).await;
    world.record_outcome(alice, &Outcome::NoTeam, seconds(2)).await;
    let begun = world.begin_check(alice, now(), seconds(60)).await;
    let CheckStart::AlreadyDone(member) = begun else { panic!("{begun:?}") };
    assert_eq!(member.check.outcome, Some(Outcome::NoTeam));
    assert_eq!(world.check_state(alice).await, CheckState::Done);
    // A later request does not restart the first one.
    world.store.request_check(alice, seconds(30)).await.unwrap();
    assert!(matches!(world.begin_check(alice, now(), seconds(60)).await, CheckStart::AlreadyDone(_)));
}

#[tokio::test]
async fn pause_separates_consecutive_checks() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await.id;
    world.begin_check(alice, now(), seconds(1)).await;
    world.record_outcome(alice, &Outcome::NoTeam, seconds(2)).await;
    world.store.request_check(alice, seconds(3)).await.unwrap();
    assert!(is_busy_until(&world.begin_check(alice, seconds(3), seconds(4)).await, seconds(12)));
    assert!(matches!(world.begin_check(alice, seconds(3), seconds(12)).await, CheckStart::Started(_)));
}

/// Compared as text, `10:00:02.5Z` sorts before `10:00:02Z`.
#[rstest::rstest]
#[case::fraction_against_whole(at(2_500), seconds(12), false)]
#[case::whole_against_fraction(seconds(2), at(12_500), true)]
#[case::a_microsecond_early(at(2_001), seconds(12), false)]
#[tokio::test]
async fn pause_compares_times_numerically(#[case] checked_at: Timestamp, #[case] at: Timestamp, #[case] starts: bool) {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await.id;
    world.record_outcome(alice, &Outcome::NoTeam, checked_at).await;
    world.store.request_check(alice, seconds(3)).await.unwrap();
    let begun = world.begin_check(alice, seconds(3), at).await;
    assert_eq!(matches!(begun, CheckStart::Started(_)), starts, "{begun:?}");
}

#[tokio::test]
async fn unknown_member_has_no_check() {
    let world = World::new().await;
    let unknown = MemberId::new(now(), &OsRandom);
    assert!(matches!(world.begin_check(unknown, now(), now()).await, CheckStart::NoMember));
    assert!(world.store.member(unknown).await.unwrap().is_none(), "a check creates no member");
}

#[tokio::test]
async fn delay_keeps_outcome() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await.id;
    world.record_outcome(alice, &Outcome::NoTeam, now()).await;
    world.store.record_delay(alice).await.unwrap();
    world.store.record_given_up(alice).await.unwrap();
    assert_eq!(world.check_state(alice).await, CheckState::Done);
    // A new sign-in requests another check and keeps the outcome; from then on a delay is recorded.
    let again = world.member("alice", "alice@mail.example").await;
    assert_eq!((again.check.state, again.check.outcome), (CheckState::Pending, Some(Outcome::NoTeam)));
    world.store.record_delay(alice).await.unwrap();
    assert_eq!(world.check_state(alice).await, CheckState::Delayed);
}

#[tokio::test]
async fn given_up_check_can_be_retried() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await.id;
    world.store.record_given_up(alice).await.unwrap();
    assert_eq!(world.check_state(alice).await, CheckState::GivenUp);
    // An operator redrives the message.
    world.store.record_delay(alice).await.unwrap();
    assert_eq!(world.check_state(alice).await, CheckState::Delayed);
    world.store.record_given_up(alice).await.unwrap();
    assert_eq!(world.check_state(alice).await, CheckState::GivenUp);
    assert_eq!(world.member("alice", "alice@mail.example").await.check.state, CheckState::Pending);
}
