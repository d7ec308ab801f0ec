//! Messages for dry runs: on time, late, twice, beside a run, and with failures.

use jiff::SignedDuration;
use membermail_core::dry_run::{DryRunFailure, MAX_WAIT};
use membermail_core::member::{self, MemberId};
use membermail_core::message::SyncTeam;
use membermail_core::random::OsRandom;
use membermail_store::{DryRun, DryRunPhase, RunStart};
use ulid::Ulid;

use super::table;
use super::world::{World, at};

impl World {
    /// Requests a dry run as the console does; returns its message.
    async fn request_dry_run(&self) -> SyncTeam {
        let now = self.now();
        let id = member::ulid(now, &OsRandom);
        let dry_run = DryRun::new(id, MemberId::new(now, &OsRandom), now);
        assert!(self.store.request_dry_run(&self.domain(), &dry_run, now).await.unwrap());
        SyncTeam::dry_run_of(&self.domain(), id, now, "request-1")
    }

    async fn dry_run(&self) -> (Ulid, DryRunPhase) {
        let now = self.now();
        let dry_run = self.store.dry_run(&self.domain(), now).await.unwrap().unwrap();
        (dry_run.id, dry_run.phase(now))
    }
}

#[tokio::test]
async fn dry_run_stores_its_plan() {
    let world = World::new("dry-run").await;
    let message = world.request_dry_run().await;
    assert!(world.handle(message.clone()).await);
    assert_eq!(world.dry_run().await, (message.dry_run.unwrap(), DryRunPhase::Done));
    let stored = world.store.dry_run(&world.domain(), world.now()).await.unwrap().unwrap();
    assert!(stored.is_complete && stored.counts.is_some() && stored.held_for.is_empty(), "{stored:?}");
    assert!(world.runs().await.is_empty(), "a dry run is no run");
    let request = world.store.sync_request(&world.domain()).await.unwrap();
    assert_eq!(request.synced(), None);
}

#[tokio::test]
async fn duplicate_dry_run_reads_no_team() {
    let world = World::new("dry-run-twice").await;
    let message = world.request_dry_run().await;
    for _ in 0..3 {
        assert!(world.handle(message.clone()).await);
    }
    assert_eq!(world.launchpad.lock().readings, 1);
    // A later request replaces it.
    let later = world.request_dry_run().await;
    assert!(world.handle(message).await);
    assert_eq!(world.dry_run().await, (later.dry_run.unwrap(), DryRunPhase::Waiting));
    assert_eq!(world.launchpad.lock().readings, 1);
}

#[tokio::test]
async fn late_dry_run_reads_no_team() {
    let world = World::new("dry-run-late").await;
    let message = world.request_dry_run().await;
    world.clock.advance(MAX_WAIT);
    assert!(world.handle(message).await);
    assert_eq!(world.dry_run().await.1, DryRunPhase::Lost);
    assert_eq!(world.launchpad.lock().readings, 0);
}

#[tokio::test]
async fn dry_run_leaves_lease_alone() {
    let world = World::new("dry-run-lease").await;
    let now = world.now();
    let until = now + SignedDuration::from_mins(16);
    let begun = world.store.begin_run(Ulid::from_parts(1, 1), &world.domain(), now, until, "r").await.unwrap();
    let RunStart::Started(run) = begun else { panic!("busy") };
    let message = world.request_dry_run().await;
    assert!(world.handle(message).await);
    assert_eq!(world.dry_run().await.1, DryRunPhase::Done);
    let in_progress = world.store.run_in_progress(&world.domain(), world.now()).await.unwrap();
    assert_eq!(in_progress, Some(run.id));
    assert_eq!(world.runs().await, [*run]);
}

#[tokio::test]
async fn failed_dry_run_is_not_retried() {
    let world = World::new("dry-run-failed").await;
    world.launchpad.lock().fails = true;
    let message = world.request_dry_run().await;
    assert!(world.handle(message).await, "the message failed");
    assert_eq!(world.dry_run().await.1, DryRunPhase::Failed(DryRunFailure::Source));
    let slot = world.store.acquire_slot(1, world.now(), world.now() + MAX_WAIT, &OsRandom).await.unwrap();
    assert!(slot.is_some(), "the slot is not free");
}

#[tokio::test]
async fn dry_run_waits_for_slot() {
    let world = World::new("dry-run-slot").await;
    let slot = world.store.acquire_slot(1, world.now(), table::minutes(16), &OsRandom).await.unwrap().unwrap();
    let message = world.request_dry_run().await;
    assert!(world.handle(message.clone()).await);
    assert_eq!(world.dry_run().await.1, DryRunPhase::Waiting);
    assert_eq!(world.launchpad.lock().readings, 0);
    let [(again, _)] = &world.sent_again()[..] else { panic!("{:?}", world.sent_again()) };
    assert_eq!(again, &message);
    world.store.release_slot(slot).await.unwrap();
    assert!(world.handle(again.clone()).await);
    assert_eq!(world.dry_run().await.1, DryRunPhase::Done);
    // A sync is due as before.
    assert!(world.handle(at(Some(0))).await);
    assert_eq!(world.runs().await.len(), 1);
}
