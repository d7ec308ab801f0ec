//! Runs of a domain that an operator retires.

use jiff::SignedDuration;
use membermail_core::alias::{Alias, ExpectedVersion, Reason, Status};
use membermail_core::audit::{Actor, RunChange};
use membermail_core::lifecycle::{Action, Step};
use membermail_core::random::OsRandom;
use membermail_core::retirement::Retirement;
use membermail_store::{Retired, RunState};
use membermail_sync::{SyncError, SyncOutcome};

use crate::support::{Queue, World, domain};

const LEAVING: (Status, Reason) = (Status::Leaving, Reason::DomainRetired);
const SUSPENDED: (Status, Reason) = (Status::Suspended, Reason::DomainRetired);
const ACTIVE: (Status, Reason) = (Status::Active, Reason::Eligible);

impl World {
    /// Removes the domain from the community file.
    fn unlist(&mut self) {
        self.community.domains.retain(|entry| entry.domain != domain());
    }

    async fn retire(&self) -> Retirement {
        let cause = self.cause(Actor::Operator);
        let retirement = Retirement::new(cause.now, &self.community.rules, cause.by);
        let decided = self.store().retire_domain(&domain(), &retirement, cause, &OsRandom).await.unwrap();
        assert_eq!(decided, Retired::Decided(retirement.clone()));
        retirement
    }

    async fn cancel_retirement(&self) {
        let cause = self.cause(Actor::Operator);
        let decided = self.store().cancel_retirement(&domain(), cause, &OsRandom).await.unwrap();
        assert!(matches!(decided, Retired::Decided(_)), "{decided:?}");
    }

    async fn retirement(&self) -> Option<Retirement> {
        self.store().domain(&domain()).await.unwrap().retirement
    }

    /// Ends each erasure, as `write-aliases` does.
    async fn end_erasures(&self) {
        let mut aliases = Vec::new();
        self.store().each_alias(&domain(), |alias| aliases.push(alias)).await.unwrap();
        for alias in aliases {
            self.end_erasure(alias).await;
        }
    }

    pub(crate) async fn end_erasure(&self, alias: Alias) {
        let Alias { address, member, version, .. } = alias;
        let expected = ExpectedVersion::At(version);
        let step = Step { address, member, expected, known_as: None, action: Action::Retire };
        self.store().end_erasure(&step).await.unwrap();
    }

    async fn states(&self) -> Vec<(Status, Reason)> {
        self.addresses().await.into_iter().map(|(_, status, reason, _)| (status, reason)).collect()
    }
}

#[tokio::test]
async fn unlisted_domain_keeps_addresses() {
    let mut world = World::new("unlisted", 3).await;
    world.unlist();
    let failed = world.sync(&Queue::default()).await;
    assert!(matches!(failed, Err(SyncError::UnknownDomain(_))), "{failed:?}");
    assert_eq!(world.states().await, [ACTIVE; 3]);
}

#[tokio::test]
async fn retirement_has_grace_periods() {
    let mut world = World::new("retire", 12).await;
    world.unlist();
    let retirement = world.retire().await;
    // An operator decided, so the guard does not hold the run and no team is read.
    let run = world.sync_and_deliver().await;
    assert_eq!((run.state, run.counts.unwrap().leave), (RunState::Applied, 12));
    assert_eq!(world.source.lock().pages, 0);
    assert!(world.source.lock().looked_up.is_empty());
    assert_eq!(world.states().await, [LEAVING; 12]);
    assert!(world.alias("member01").await.until.unwrap() >= retirement.until);
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);

    world.clock.advance(SignedDuration::from_hours(24 * 14));
    assert_eq!(world.sync_counts().await.suspend, 12);
    assert_eq!(world.states().await, [SUSPENDED; 12]);

    world.clock.advance(SignedDuration::from_hours(24 * 180));
    assert_eq!(world.sync_counts().await.retire, 12);
    // The retirement goes on while personal data is left to erase.
    assert_eq!(world.sync_and_deliver().await.state, RunState::Applied);
    assert!(world.retirement().await.unwrap().ended.is_none());
    world.end_erasures().await;
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
    assert!(world.retirement().await.unwrap().ended.is_some());
    assert!(world.store().domains_to_sync(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn configured_domain_is_retired_too() {
    let world = World::new("retire-listed", 6).await;
    world.retire().await;
    world.add_member(7, "member07").await;
    assert_eq!(world.sync_counts().await.leave, 6);
    assert_eq!(world.states().await, [LEAVING; 6]);
}

#[tokio::test]
async fn cancelled_retirement_restores_all() {
    let world = World::new("retire-cancel", 12).await;
    world.retire().await;
    world.sync_and_deliver().await;
    world.clock.advance(SignedDuration::from_hours(24 * 15));
    world.sync_and_deliver().await;
    assert_eq!(world.states().await, [SUSPENDED; 12]);
    world.cancel_retirement().await;
    assert_eq!(world.sync_counts().await.restore, 12);
    assert_eq!(world.states().await, [ACTIVE; 12]);
    // The decision ends once nothing is left to restore; then the team counts again.
    assert!(world.retirement().await.is_some());
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
    assert_eq!(world.retirement().await, None);
    assert_eq!((world.sync_and_deliver().await.state, world.source.lock().pages), (RunState::Unchanged, 1));
}

#[tokio::test]
async fn held_run_ends_with_retirement() {
    let world = World::with_leavers("retire-held").await;
    let run = world.run(&Queue::default()).await;
    assert_eq!(run.state, RunState::Held);
    world.decide(&run, RunChange::Released).await;
    world.retire().await;
    let released = world.engine().release(&domain(), run.id, &Queue::default()).await.unwrap();
    assert_eq!(released, SyncOutcome::NotReleased);
}

#[tokio::test]
async fn second_run_waits_for_lease() {
    let world = World::new("retire-lease", 3).await;
    world.retire().await;
    let queue = Queue { stops_after: Some(0), ..Queue::default() };
    let died = tokio::time::timeout(std::time::Duration::from_secs(2), world.sync(&queue)).await;
    assert!(died.is_err());
    assert!(matches!(world.sync(&Queue::default()).await.unwrap(), SyncOutcome::Busy { .. }));
    world.clock.advance(crate::support::LEASE);
    assert_eq!(world.sync_counts().await.leave, 3);
}
