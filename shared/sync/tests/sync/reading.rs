//! Reading pages: hidden rows, malformed entries, and totals that keep changing.

use membermail_runtime::batch::Retryable as _;
use membermail_store::RunState;
use membermail_sync::SyncError;

use crate::source::Fault;
use crate::support::{Queue, World, domain};

impl World {
    /// Ten members on pages of four rows.
    async fn paged(name: &str) -> Self {
        let world = Self::new(name, 10).await;
        world.source.lock().page_size = 4;
        world
    }

    async fn stored_hidden(&self) -> u64 {
        self.store().sync_state(&domain()).await.unwrap().hidden
    }

    fn pages(&self) -> u64 {
        self.source.lock().pages
    }
}

#[tokio::test]
async fn new_hidden_rows_need_second_reading() {
    let world = World::paged("hidden").await;
    world.source.lock().hidden = 3;
    let run = world.sync_and_deliver().await;
    assert_eq!((run.state, run.hidden, world.pages()), (RunState::Unchanged, Some(3), 8));
    assert_eq!(world.stored_hidden().await, 3);
    world.sync_and_deliver().await;
    assert_eq!(world.pages(), 4, "the number is known");
    world.source.lock().hidden = 0;
    world.sync_and_deliver().await;
    assert_eq!((world.pages(), world.stored_hidden().await), (6, 0));
}

#[tokio::test]
async fn page_of_hidden_rows_is_read() {
    let world = World::paged("hidden-page").await;
    world.source.lock().hidden = 7;
    let run = world.sync_and_deliver().await;
    assert_eq!((run.state, run.hidden, run.counts.unwrap().participants), (RunState::Unchanged, Some(7), 10));
}

#[tokio::test]
async fn malformed_entries_are_counted() {
    let world = World::paged("malformed").await;
    world.source.lock().malformed = 2;
    let run = world.sync_and_deliver().await;
    assert_eq!((run.state, run.malformed, run.hidden, world.pages()), (RunState::Unchanged, 2, Some(0), 3));
}

#[tokio::test]
async fn malformed_leaver_is_looked_up() {
    let world = World::paged("malformed-leaver").await;
    {
        // The entry of a member is malformed.
        let mut launchpad = world.source.lock();
        launchpad.malformed = 1;
        launchpad.shifted.insert("member03".into());
    }
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
    assert_eq!(world.looked_up(), ["member03"]);
}

#[tokio::test]
async fn unsettled_list_fails_run() {
    let world = World::paged("unsettled").await;
    world.source.lock().shrinks = true;
    world.source.lock().hidden = 20;
    let queue = Queue::default();
    let error = world.sync(&queue).await.unwrap_err();
    assert!(matches!(error, SyncError::Unsettled(_)) && error.is_retryable(), "{error}");
    assert!(queue.drain().is_empty());
    assert_eq!(world.latest_run().await.state, RunState::Failed, "an unsettled reading is not resumed");
}

#[tokio::test]
async fn failed_first_page_fails_run() {
    let world = World::paged("failed-page").await;
    world.source.lock().fault = Some((0, Fault::Fails));
    let error = world.sync(&Queue::default()).await.unwrap_err();
    assert!(matches!(error, SyncError::Source(_)) && error.is_retryable(), "{error}");
    assert_eq!(world.latest_run().await.state, RunState::Failed);
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
}
