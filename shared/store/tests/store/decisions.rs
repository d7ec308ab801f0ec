//! Lost messages of released runs, and the guard's state between runs.

use membermail_core::audit::{Change, Comment, RunChange};
use membermail_core::member;
use membermail_core::random::OsRandom;
use membermail_core::rolling::Cursor;
use membermail_store::{Decided, GuardState, Run, RunState, SyncState};

use crate::support::{World, minutes, now, sync, ubuntu};

impl World {
    async fn load_run(&self, run: &Run) -> Run {
        self.store.run(&ubuntu(), run.id).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn lost_release_is_resent_once() {
    let world = World::new().await;
    let held = world.end_run(0, RunState::Held).await;
    assert_eq!(
        world.store.resend_release(&held, sync(minutes(1)), &OsRandom).await.unwrap(),
        None,
        "the run is not released"
    );
    let decided =
        world.store.decide_run(&ubuntu(), held.id, RunChange::Released, None, sync(minutes(1)), &OsRandom).await;
    assert_eq!(decided.unwrap(), Decided::Done);

    let released = world.load_run(&held).await;
    let resend =
        async |run: &Run, minute| world.store.resend_release(run, sync(minutes(minute)), &OsRandom).await.unwrap();
    let (one, other) = tokio::join!(resend(&released, 2), resend(&released, 2));
    let resent: Vec<_> = [one, other].into_iter().flatten().collect();
    let [first] = &resent[..] else { panic!("{resent:?}") };
    assert!(world.store.undelivered(first.notice.unwrap()).await.unwrap().is_some());

    let released = world.load_run(&held).await;
    assert_eq!((released.state, released.resent), (RunState::Released, Some(minutes(2))));
    let second = resend(&released, 3).await.unwrap();
    assert_eq!((second.run, second.notice), (held.id, None), "one notice");
    let entries = world.store.audit(Some(&ubuntu()), "2026-11").await.unwrap();
    let resent = entries.iter().filter(|entry| matches!(entry.change, Change::Run { did: RunChange::Resent, .. }));
    assert_eq!(resent.count(), 1);
}

#[tokio::test]
async fn runs_are_listed_newest_first() {
    let world = World::new().await;
    for minute in [0, 10, 20, 30] {
        world.end_run(minute, RunState::Unchanged).await;
    }
    let runs = world.store.runs_since(&ubuntu(), minutes(10)).await.unwrap();
    let started: Vec<_> = runs.iter().map(|run| run.started).collect();
    assert_eq!(started, [minutes(30), minutes(20), minutes(10)]);
}

#[tokio::test]
async fn sync_state_keeps_guard_state() {
    let world = World::new().await;
    let before = world.store.sync_state(&ubuntu()).await.unwrap();
    assert_eq!(before, SyncState::default());
    let cursor = Cursor::default();
    let state = world.store.save_sync_state(&ubuntu(), &before, None, 7, &cursor, None).await.unwrap();
    let guard = GuardState { announced: vec![member::ulid(now(), &OsRandom)], first_sync_is_open: true };
    world.store.save_guard_state(&ubuntu(), &guard).await.unwrap();
    let read = world.store.sync_state(&ubuntu()).await.unwrap();
    assert_eq!((&read.guard, read.hidden, state.hidden), (&guard, 7, 7));
    // The next sync keeps the guard's state.
    world.store.save_sync_state(&ubuntu(), &read, None, 8, &cursor, None).await.unwrap();
    let after = world.store.sync_state(&ubuntu()).await.unwrap();
    assert_eq!((after.guard, after.hidden), (guard, 8));
}

#[tokio::test]
async fn decision_keeps_its_comment() {
    let world = World::new().await;
    let held = world.end_run(0, RunState::Held).await;
    let comment = Comment::parse("the team was cleaned up").unwrap();
    let cause = sync(minutes(1));
    let decide = async |did| world.store.decide_run(&ubuntu(), held.id, did, Some(&comment), cause, &OsRandom).await;
    assert_eq!(decide(RunChange::Rejected).await.unwrap(), Decided::Done);
    let decided = world.load_run(&held).await;
    assert_eq!((decided.decided_as, decided.decided_at), (Some(cause.actor), Some(cause.now)));
    assert_eq!(decided.comment.as_ref(), Some(&comment));
    let entries = world.store.audit(Some(&ubuntu()), "2026-11").await.unwrap();
    assert_eq!(entries.last().and_then(|entry| entry.comment.as_ref()), Some(&comment));
    // The second decision changes nothing.
    assert_eq!(decide(RunChange::Released).await.unwrap(), Decided::NotHeld(RunState::Rejected));
    assert_eq!(world.load_run(&held).await, decided);
}

#[tokio::test]
async fn runs_are_read_by_page() {
    let world = World::new().await;
    for minute in [0, 10, 20, 30, 40] {
        world.end_run(minute, RunState::Unchanged).await;
    }
    let mut before = None;
    let mut started = Vec::new();
    loop {
        let (runs, has_more) = world.store.runs_before(&ubuntu(), before, 2).await.unwrap();
        started.extend(runs.iter().map(|run| run.started));
        before = runs.last().map(|run| run.id);
        if !has_more {
            break;
        }
    }
    assert_eq!(started, [40, 30, 20, 10, 0].map(minutes));
}
