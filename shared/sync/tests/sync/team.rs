//! The team of a domain that is missing, another one, or empty.

use jiff::Timestamp;
use membermail_core::member::Fingerprint;
use membermail_store::{RunState, TeamProblem};
use membermail_sync::SyncError;

use crate::source::TEAM;
use crate::support::{Queue, World, domain};

impl World {
    /// A run that fails and hands nothing on; the problem that it recorded comes back.
    async fn fails_whole(&self) -> (SyncError, Option<TeamProblem>) {
        let (before, queue) = (self.addresses().await, Queue::default());
        let error = self.sync(&queue).await.unwrap_err();
        assert!(queue.take().is_empty());
        assert_eq!(self.addresses().await, before);
        let [run] = &self.store().runs(&domain(), 1).await.unwrap()[..] else { panic!("no run") };
        assert_eq!(run.state, RunState::Failed);
        (error, self.store().domain(&domain()).await.unwrap().team_problem)
    }
}

#[tokio::test]
async fn first_sync_pins_the_team() {
    let world = World::without_sync("pins", 2).await;
    world.synced().await;
    assert_eq!(world.store().domain(&domain()).await.unwrap().team, Some(TEAM));
}

#[tokio::test]
async fn missing_team_removes_nothing() {
    let world = World::new("missing", 3).await;
    world.source.lock().team = None;
    (1..=3).for_each(|id| world.source.change(id, |profile| profile.in_team = false));
    let (error, problem) = world.fails_whole().await;
    assert!(matches!(error, SyncError::TeamMissing { .. }) && !error.is_retryable(), "{error}");
    assert_eq!(problem, Some(TeamProblem::Missing));
}

#[tokio::test]
async fn replaced_team_gives_nothing() {
    let world = World::new("replaced", 3).await;
    world.source.lock().team = Some(Fingerprint(43));
    world.signs_in(9, "joiner").await;
    let (error, problem) = world.fails_whole().await;
    assert!(matches!(error, SyncError::TeamReplaced { .. }) && !error.is_retryable(), "{error}");
    assert_eq!(problem, Some(TeamProblem::Replaced));

    world.source.lock().team = Some(TEAM);
    assert_eq!(world.counted().await.create, 1);
    assert_eq!(world.store().domain(&domain()).await.unwrap().team_problem, None);
}

#[tokio::test]
async fn pin_of_the_file_counts_first() {
    let mut world = World::new("file-pin", 3).await;
    let created = Timestamp::from_microsecond(43).unwrap();
    let ubuntu = world.community.domains.iter_mut().find(|ubuntu| ubuntu.domain == domain()).unwrap();
    ubuntu.team_created = Some(created);
    let (error, _) = world.fails_whole().await;
    assert!(matches!(error, SyncError::TeamReplaced { .. }), "{error}");
    world.source.lock().team = Some(Fingerprint(43));
    assert_eq!(world.synced().await.state, RunState::Unchanged);
}

#[tokio::test]
async fn empty_team_counts_as_a_fault() {
    let world = World::new("empty", 3).await;
    (1..=3).for_each(|id| world.source.change(id, |profile| profile.in_team = false));
    let (error, problem) = world.fails_whole().await;
    assert!(matches!(error, SyncError::EmptyTeam { aliases: 3, .. }) && error.is_retryable(), "{error}");
    assert_eq!(problem, None);
}

#[tokio::test]
async fn unknown_domain_begins_no_run() {
    let world = World::new("unknown-domain", 1).await;
    let other = "example.org".parse().unwrap();
    let error = world.engine().run(&other, "request-1", &Queue::default()).await.unwrap_err();
    assert!(matches!(error, SyncError::UnknownDomain(_)), "{error}");
    assert!(world.store().runs(&other, 1).await.unwrap().is_empty());
}
