//! Sync requests of the schedule: one waiting message per domain, sent once per event.

use jiff::Timestamp;

use crate::support::{World, community, minutes, ubuntu};

/// Minutes until an unconfirmed claim expires.
const CLAIM_LEASE: i64 = 2;
/// Minutes until the queue deletes a message.
const RETENTION: i64 = 4 * 24 * 60;

impl World {
    async fn claim(&self, event: &str, at: i64) -> bool {
        self.store.claim_sync(&ubuntu(), event, minutes(at), minutes(at + CLAIM_LEASE)).await.unwrap()
    }

    async fn confirm(&self, event: &str, at: i64) -> bool {
        self.store.confirm_sync(&ubuntu(), event, minutes(at + RETENTION)).await.unwrap()
    }

    /// Claims and confirms, as a function that sends the message.
    async fn send(&self, event: &str, at: i64) -> bool {
        self.claim(event, at).await && self.confirm(event, at).await
    }

    async fn receive(&self, requested_at: Option<i64>) -> bool {
        self.store.receive_sync(&ubuntu(), requested_at.map(minutes)).await.unwrap()
    }

    async fn waiting_since(&self, at: i64) -> Option<Timestamp> {
        self.store.sync_request(&ubuntu()).await.unwrap().waiting_since(minutes(at))
    }
}

#[tokio::test]
async fn waiting_message_blocks_next_event() {
    let world = World::new().await;
    assert!(world.send("one", 0).await);
    // The queue is paused for four days.
    for hour in 1..96 {
        assert!(!world.claim(&format!("hour-{hour}"), hour * 60).await, "after {hour} hours");
    }
    assert_eq!(world.waiting_since(95 * 60).await, Some(minutes(0)));
    // The queue has deleted the message.
    assert!(world.send("two", RETENTION).await);
}

#[tokio::test]
async fn repeated_event_sends_once() {
    let world = World::new().await;
    assert!(world.send("one", 0).await);
    assert!(!world.claim("one", 0).await);
    assert!(world.receive(Some(0)).await);
    assert!(!world.claim("one", 1).await, "also after its message was received");
    assert!(!world.claim("one", RETENTION).await);
    assert!(world.claim("two", 60).await);
}

#[tokio::test]
async fn concurrent_invocations_get_one_claim() {
    let world = World::new().await;
    let (one, two) = tokio::join!(world.claim("one", 0), world.claim("one", 0));
    assert!(one != two, "{one} {two}");
    let (three, four) = tokio::join!(world.claim("two", CLAIM_LEASE), world.claim("three", CLAIM_LEASE));
    assert!(three != four, "{three} {four}");
}

#[tokio::test]
async fn abandoned_claim_expires() {
    let world = World::new().await;
    assert!(world.claim("one", 0).await);
    assert!(!world.claim("two", 1).await);
    assert!(world.claim("two", CLAIM_LEASE).await);
    // The first claimant was only slow and has lost its claim.
    assert!(!world.confirm("one", CLAIM_LEASE).await);
    assert!(world.confirm("two", CLAIM_LEASE).await);
}

#[tokio::test]
async fn early_receipt_survives_late_confirmation() {
    let world = World::new().await;
    assert!(world.claim("one", 0).await);
    assert!(world.receive(Some(0)).await);
    assert!(!world.confirm("one", 0).await);
    assert_eq!(world.waiting_since(1).await, None);
    assert!(world.claim("two", 1).await);
}

#[tokio::test]
async fn refused_message_is_sent_by_retry() {
    let world = World::new().await;
    assert!(world.claim("one", 0).await);
    assert!(world.store.release_sync_claim(&ubuntu(), "one").await.unwrap());
    assert!(world.send("one", 1).await);
    assert!(!world.store.release_sync_claim(&ubuntu(), "one").await.unwrap(), "the claim is confirmed");
}

#[rstest::rstest]
#[case::itself(Some(60), true)]
#[case::older(Some(59), false)]
#[case::without_time(None, true)]
#[tokio::test]
async fn receipt_clears_its_own_request(#[case] requested_at: Option<i64>, #[case] clears: bool) {
    let world = World::new().await;
    assert!(!world.receive(requested_at).await, "nothing was requested");
    assert!(world.send("one", 60).await);
    assert_eq!(world.receive(requested_at).await, clears);
    assert_eq!(world.waiting_since(61).await.is_none(), clears);
}

#[tokio::test]
async fn latest_finished_run_is_noted() {
    let world = World::new().await;
    for (started, is_newer) in [(10, true), (5, false), (20, true)] {
        assert_eq!(world.store.note_synced(&ubuntu(), minutes(started)).await.unwrap(), is_newer);
    }
    let request = world.store.sync_request(&ubuntu()).await.unwrap();
    assert_eq!(request.synced(), Some(minutes(20)));
    assert!(request.is_synced_after(minutes(19)) && !request.is_synced_after(minutes(20)));
    assert!(world.send("one", 30).await, "a finished run does not block a request");
    let requests = world.store.sync_requests(community().iter()).await.unwrap();
    assert_eq!(requests.keys().collect::<Vec<_>>(), [&ubuntu()]);
    let request = &requests[&ubuntu()];
    assert_eq!(request.synced(), Some(minutes(20)));
    assert!(!request.is_free_for("one", minutes(RETENTION + 31)));
    assert!(!request.is_free_for("two", minutes(31)));
    assert!(request.is_free_for("two", minutes(RETENTION + 31)));
}
