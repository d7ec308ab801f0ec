//! Missing, replaced and empty teams.

use jiff::Timestamp;
use membermail_core::member::Fingerprint;
use membermail_runtime::batch::Retryable as _;
use membermail_store::{RunState, TeamProblem};
use membermail_sync::SyncError;

use crate::source::TEAM;
use crate::support::{Queue, World, domain};

impl World {
    /// A run that fails without sending steps; returns the error and the recorded problem.
    pub(crate) async fn sync_fails(&self) -> (SyncError, Option<TeamProblem>) {
        let before = self.addresses().await;
        let queue = Queue::default();
        let error = self.sync(&queue).await.unwrap_err();
        assert!(queue.drain().is_empty());
        assert_eq!(self.addresses().await, before);
        assert_eq!(self.latest_run().await.state, RunState::Failed);
        (error, self.store().domain(&domain()).await.unwrap().team_problem)
    }
}

#[tokio::test]
async fn first_sync_pins_team() {
    let world = World::without_sync("pins", 2).await;
    world.sync_and_deliver().await;
    assert_eq!(world.store().domain(&domain()).await.unwrap().team, Some(TEAM));
}

#[tokio::test]
async fn missing_team_removes_nothing() {
    let world = World::new("missing", 3).await;
    world.source.lock().team = None;
    world.leave_team_all(1..=3);
    let (error, problem) = world.sync_fails().await;
    assert!(matches!(error, SyncError::TeamMissing { .. }) && !error.is_retryable(), "{error}");
    assert_eq!(problem, Some(TeamProblem::Missing));
}

#[tokio::test]
async fn replaced_team_gives_nothing() {
    let world = World::new("replaced", 3).await;
    world.source.lock().team = Some(Fingerprint(43));
    world.add_member(9, "joiner").await;
    let (error, problem) = world.sync_fails().await;
    assert!(matches!(error, SyncError::TeamReplaced { .. }) && !error.is_retryable(), "{error}");
    assert_eq!(problem, Some(TeamProblem::Replaced));

    world.source.lock().team = Some(TEAM);
    assert_eq!(world.sync_counts().await.create, 1);
    assert_eq!(world.store().domain(&domain()).await.unwrap().team_problem, None);
}

#[tokio::test]
async fn pin_in_file_has_priority() {
    let mut world = World::new("file-pin", 3).await;
    let created = Timestamp::from_microsecond(43).unwrap();
    let ubuntu = world.community.domains.iter_mut().find(|ubuntu| ubuntu.domain == domain()).unwrap();
    ubuntu.team_created = Some(created);
    let (error, _) = world.sync_fails().await;
    assert!(matches!(error, SyncError::TeamReplaced { .. }), "{error}");
    world.source.lock().team = Some(Fingerprint(43));
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
}

#[tokio::test]
async fn empty_team_fails_run() {
    let world = World::new("empty", 3).await;
    world.leave_team_all(1..=3);
    let (error, problem) = world.sync_fails().await;
    assert!(matches!(error, SyncError::EmptyTeam { aliases: 3, .. }) && error.is_retryable(), "{error}");
    assert_eq!(problem, None);
}

#[tokio::test]
async fn unknown_domain_starts_no_run() {
    let world = World::new("unknown-domain", 1).await;
    let other = "example.org".parse().unwrap();
    let error = world.engine().run(&other, "request-1", &Queue::default()).await.unwrap_err();
    assert!(matches!(error, SyncError::UnknownDomain(_)), "{error}");
    assert!(world.store().runs(&other, 1).await.unwrap().is_empty());
}
