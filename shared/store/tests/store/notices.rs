//! What makes notices reach people once, in a real DynamoDB: claims and counts.

use crate::support::{World, now};
use jiff::{SignedDuration, Timestamp};
use membermail_core::member::MemberId;
use membermail_core::message::Failure;
use membermail_core::notice::{Heard, NoticeId};
use membermail_core::random::OsRandom;
use membermail_store::{Claim, Ended, StoreError};

fn later(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

#[tokio::test]
async fn notice_is_claimed_once() {
    let world = World::new("claims-of-notices").await;
    let id = NoticeId::of_failure("1");
    let claim = || world.store.claim_notice(&id, now());
    let (a, b, c, d) = tokio::join!(claim(), claim(), claim(), claim());
    let mine = [a, b, c, d].into_iter().filter(|claim| *claim.as_ref().unwrap() == Claim::Mine).count();
    assert_eq!(mine, 1);
    // A sender that died is waited for no longer than a function can run.
    assert_eq!(world.store.claim_notice(&id, later(89)).await.unwrap(), Claim::Busy);
    assert_eq!(world.store.claim_notice(&id, later(91)).await.unwrap(), Claim::Mine);
    world.store.release_notice(&id).await.unwrap();
    assert_eq!(world.store.claim_notice(&id, later(92)).await.unwrap(), Claim::Mine);
    world.store.settle_notice(&Ended { id: id.clone(), is_sent: true }, later(93)).await.unwrap();
    assert_eq!(world.store.claim_notice(&id, later(10_000)).await.unwrap(), Claim::Sent);
    let refused = NoticeId::of_failure("2");
    world.store.settle_notice(&Ended { id: refused.clone(), is_sent: false }, now()).await.unwrap();
    assert_eq!(world.store.claim_notice(&refused, later(10_000)).await.unwrap(), Claim::Refused);
}

#[tokio::test]
async fn concurrent_reports_are_mailed_or_counted() {
    let world = World::new("failures").await;
    let failure = |id: usize, member| Failure {
        id: id.to_string(),
        member,
        step: "verify-member".into(),
        error: "the table".into(),
        cause: "the table: throttled".into(),
        request_id: "request-1".into(),
    };
    let alice = Some(MemberId::new(now(), &OsRandom));
    let interval = SignedDuration::from_hours(24);
    let hear = async |id, member, at| world.store.hear(&failure(id, member), true, at, &OsRandom).await.unwrap();
    assert_eq!(hear(0, alice, now()).await, Heard::Mail { counted: 0 });
    assert_eq!(hear(1, alice, now()).await, Heard::Busy);
    world.store.heard(&failure(0, alice), Some((0, interval)), now(), &OsRandom).await.unwrap();
    let heard = async |id| loop {
        match world.store.hear(&failure(id, alice), true, later(1), &OsRandom).await {
            Err(StoreError::Conflict) => {}
            done => return done.unwrap(),
        }
    };
    let all = tokio::join!(heard(1), heard(2), heard(3), heard(1));
    let all = [all.0, all.1, all.2, all.3];
    assert_eq!(all.iter().filter(|heard| **heard == Heard::Counted).count(), 3, "{all:?}");
    // Without a member it is another error.
    assert_eq!(hear(9, None, later(1)).await, Heard::Mail { counted: 0 });
    let tomorrow = now() + interval;
    assert_eq!(hear(4, alice, tomorrow).await, Heard::Mail { counted: 3 });
    // The mail did not go; the next report goes with the same count.
    world.store.heard(&failure(4, alice), None, tomorrow, &OsRandom).await.unwrap();
    assert_eq!(hear(5, alice, tomorrow).await, Heard::Mail { counted: 3 });
}
