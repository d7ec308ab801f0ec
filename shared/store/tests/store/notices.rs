//! Claims on notices, and counts of repeated failures.

use futures_util::future::join_all;
use jiff::SignedDuration;
use membermail_core::member::MemberId;
use membermail_core::message::Failure;
use membermail_core::notice::{NoticeId, ReportAction};
use membermail_core::random::OsRandom;
use membermail_store::{Claim, Ended, StoreError};

use crate::support::{World, now, seconds};

#[tokio::test]
async fn notice_is_claimed_once() {
    let world = World::new().await;
    let id = NoticeId::of_failure("1");
    let claim = async |at| world.store.claim_notice(&id, seconds(at)).await.unwrap();
    let claims = join_all((0..4).map(|_| claim(0))).await;
    assert_eq!(claims.into_iter().filter(|claim| *claim == Claim::Mine).count(), 1);
    // A claim expires after the longest time that a function can run.
    assert_eq!(claim(89).await, Claim::Busy);
    assert_eq!(claim(91).await, Claim::Mine);
    world.store.release_notice(&id).await.unwrap();
    assert_eq!(claim(92).await, Claim::Mine);
    world.store.settle_notice(&Ended { id: id.clone(), is_sent: true }, seconds(93)).await.unwrap();
    assert_eq!(claim(10_000).await, Claim::Sent);
    let refused = NoticeId::of_failure("2");
    world.store.settle_notice(&Ended { id: refused.clone(), is_sent: false }, now()).await.unwrap();
    assert_eq!(world.store.claim_notice(&refused, seconds(10_000)).await.unwrap(), Claim::Refused);
}

fn failure(id: usize, member: Option<MemberId>) -> Failure {
    Failure {
        id: id.to_string(),
        member,
        step: "verify-member".into(),
        error: "the table".into(),
        cause: "the table: throttled".into(),
        request_id: "request-1".into(),
    }
}

#[tokio::test]
async fn concurrent_failures_are_counted() {
    let world = World::new().await;
    let alice = Some(MemberId::new(now(), &OsRandom));
    let interval = SignedDuration::from_hours(24);
    let register =
        async |id, member, at| world.store.register_failure(&failure(id, member), true, at, &OsRandom).await.unwrap();
    assert_eq!(register(0, alice, now()).await, ReportAction::Mail { counted: 0 });
    assert_eq!(register(1, alice, now()).await, ReportAction::Busy);
    world.store.record_failure_mail(&failure(0, alice), Some((0, interval)), now(), &OsRandom).await.unwrap();
    let register_until_settled = async |id| loop {
        match world.store.register_failure(&failure(id, alice), true, seconds(1), &OsRandom).await {
            Err(StoreError::Conflict) => {}
            done => return done.unwrap(),
        }
    };
    let all = join_all([1, 2, 3, 1].map(register_until_settled)).await;
    assert_eq!(all.iter().filter(|action| **action == ReportAction::Counted).count(), 3, "{all:?}");
    // The same error without a member is counted apart.
    assert_eq!(register(9, None, seconds(1)).await, ReportAction::Mail { counted: 0 });
    let tomorrow = now() + interval;
    assert_eq!(register(4, alice, tomorrow).await, ReportAction::Mail { counted: 3 });
    // The mail failed: the next report has the same count.
    world.store.record_failure_mail(&failure(4, alice), None, tomorrow, &OsRandom).await.unwrap();
    assert_eq!(register(5, alice, tomorrow).await, ReportAction::Mail { counted: 3 });
}
