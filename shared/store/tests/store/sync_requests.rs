//! Messages of the schedule: one waits for a domain at a time, and an event sends each once.

use jiff::Timestamp;
use membermail_core::address::DomainName;

use crate::support::{World, community, minutes};

/// After this many minutes a claim that is not confirmed ends.
const CLAIM: i64 = 2;
/// After this many minutes the queue deletes a message.
const KEPT: i64 = 4 * 24 * 60;

fn domain() -> DomainName {
    community()[0].clone()
}

impl World {
    async fn claims(&self, event: &str, at: i64) -> bool {
        self.store.claim_sync(&domain(), event, minutes(at), minutes(at + CLAIM)).await.unwrap()
    }

    async fn confirms(&self, event: &str, at: i64) -> bool {
        self.store.confirm_sync(&domain(), event, minutes(at + KEPT)).await.unwrap()
    }

    /// Claims, sends and confirms.
    async fn sends(&self, event: &str, at: i64) -> bool {
        self.claims(event, at).await && self.confirms(event, at).await
    }

    async fn receives(&self, requested_at: Option<i64>) -> bool {
        self.store.receive_sync(&domain(), requested_at.map(minutes)).await.unwrap()
    }

    async fn waiting_since(&self, at: i64) -> Option<Timestamp> {
        self.store.sync_request(&domain()).await.unwrap().waiting_since(minutes(at))
    }
}

#[tokio::test]
async fn waiting_message_blocks_next_event() {
    let world = World::new("request-waits").await;
    assert!(world.sends("one", 0).await);
    // Four days of paused queues.
    for hour in 1..96 {
        assert!(!world.claims(&format!("hour-{hour}"), hour * 60).await, "after {hour} hours");
    }
    assert_eq!(world.waiting_since(95 * 60).await, Some(minutes(0)));
    // By then the queue has deleted it.
    assert!(world.sends("two", KEPT).await);
}

#[tokio::test]
async fn event_sends_once_when_run_again() {
    let world = World::new("request-again").await;
    assert!(world.sends("one", 0).await);
    assert!(!world.claims("one", 0).await);
    assert!(world.receives(Some(0)).await);
    assert!(!world.claims("one", 1).await, "also after its message was received");
    assert!(!world.claims("one", KEPT).await);
    assert!(world.claims("two", 60).await);
}

#[tokio::test]
async fn concurrent_invocations_leave_one_claim() {
    let world = World::new("request-race").await;
    let (one, two) = tokio::join!(world.claims("one", 0), world.claims("one", 0));
    assert!(one != two, "{one} {two}");
    let (three, four) = tokio::join!(world.claims("two", CLAIM), world.claims("three", CLAIM));
    assert!(three != four, "{three} {four}");
}

#[tokio::test]
async fn abandoned_claim_ends_with_its_lease() {
    let world = World::new("request-dead").await;
    assert!(world.claims("one", 0).await);
    assert!(!world.claims("two", 1).await);
    assert!(world.claims("two", CLAIM).await);
    // The first was only slow, and the claim is no longer its own.
    assert!(!world.confirms("one", CLAIM).await);
    assert!(world.confirms("two", CLAIM).await);
}

#[tokio::test]
async fn early_receipt_survives_late_confirmation() {
    let world = World::new("request-early").await;
    assert!(world.claims("one", 0).await);
    assert!(world.receives(Some(0)).await);
    assert!(!world.confirms("one", 0).await);
    assert_eq!(world.waiting_since(1).await, None);
    assert!(world.claims("two", 1).await);
}

#[tokio::test]
async fn refused_message_is_sent_by_retry() {
    let world = World::new("request-refused").await;
    assert!(world.claims("one", 0).await);
    assert!(world.store.release_sync_claim(&domain(), "one").await.unwrap());
    assert!(world.sends("one", 1).await);
    assert!(!world.store.release_sync_claim(&domain(), "one").await.unwrap(), "it is confirmed");
}

#[rstest::rstest]
#[case::itself(Some(60), true)]
#[case::older(Some(59), false)]
#[case::without_time(None, true)]
#[tokio::test]
async fn receipt_clears_its_own_request(#[case] requested_at: Option<i64>, #[case] clears: bool) {
    let world = World::new(&format!("request-receipt-{}", requested_at.unwrap_or(0))).await;
    assert!(!world.receives(requested_at).await, "nothing was asked for");
    assert!(world.sends("one", 60).await);
    assert_eq!(world.receives(requested_at).await, clears);
    assert_eq!(world.waiting_since(61).await.is_none(), clears);
}

#[tokio::test]
async fn latest_finished_run_is_noted() {
    let world = World::new("request-synced").await;
    for (started, is_newer) in [(10, true), (5, false), (20, true)] {
        assert_eq!(world.store.note_synced(&domain(), minutes(started)).await.unwrap(), is_newer);
    }
    let request = world.store.sync_request(&domain()).await.unwrap();
    assert_eq!(request.synced(), Some(minutes(20)));
    assert!(request.is_synced_after(minutes(19)) && !request.is_synced_after(minutes(20)));
    assert!(world.sends("one", 30).await, "a domain without a request has none that waits");
    let requests = world.store.sync_requests(community().iter()).await.unwrap();
    assert_eq!(requests.keys().collect::<Vec<_>>(), [&domain()]);
    assert_eq!(requests[&domain()].synced(), Some(minutes(20)));
    assert!(!requests[&domain()].is_free_for("one", minutes(KEPT + 31)));
    assert!(!requests[&domain()].is_free_for("two", minutes(31)));
    assert!(requests[&domain()].is_free_for("two", minutes(KEPT + 31)));
}
