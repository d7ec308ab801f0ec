//! The messages that the schedule sends, with a fake queue.

mod many;
mod sqs;
#[expect(dead_code, reason = "the tests of the store need the rest")]
#[path = "../../../../shared/store/tests/store/support.rs"]
mod table;

use std::time::Duration;

use jiff::SignedDuration;
use membermail_core::address::DomainName;
use membermail_core::clock::{Clock, ManualClock};
use membermail_runtime::metrics::Metrics;
use membermail_runtime::queue::Queue;
use membermail_runtime::testing::template_number;
use membermail_store::SyncRequest;
use serde_json::json;

use self::sqs::{Behavior, Sqs};
use crate::send::{CONCURRENT_BATCHES, Sender};
use crate::{Context, Event, handle};

struct World {
    context: Context,
    sqs: Sqs,
    clock: ManualClock,
}

impl World {
    async fn new(name: &str, domains: usize) -> Self {
        Self::with(table::World::with_table(&format!("start-sync-{name}")).await, domains)
    }

    fn with(table: table::World, domains: usize) -> Self {
        let sqs = Sqs::default();
        let clock = ManualClock::at(table::now());
        let context = Context {
            domains: (0..domains).map(|number| format!("d{number}.example").parse().unwrap()).collect(),
            store: table.store,
            sync_queue: sqs.queue(),
            period: SignedDuration::from_hours(1),
            metrics: Metrics::to_sink("test", clock.clone(), |_| {}),
            clock: Box::new(clock.clone()),
        };
        Self { context, sqs, clock }
    }

    /// Handles an event of the schedule; returns whether it succeeded.
    async fn handle(&self, id: &str) -> bool {
        handle(&self.context, Event::default(), id).await.is_ok()
    }

    /// Sends the messages of an event without counting overdue domains.
    async fn send(&self, event: &str) {
        let known = self.context.store.sync_requests(self.context.domains.iter()).await.unwrap();
        let sender = Sender { context: &self.context, event, request_id: event };
        sender.send_missing(&self.context.domains, &known).await.unwrap();
    }

    fn advance_hours(&self, hours: i64) {
        self.clock.advance(SignedDuration::from_hours(hours));
    }

    /// Marks all messages as received by `sync-team`.
    async fn receive_all(&self) {
        for message in self.sqs.messages() {
            self.context.store.receive_sync(&message.domain, message.requested_at).await.unwrap();
        }
    }
}

#[tokio::test]
async fn paused_queue_keeps_one_message() {
    let world = World::new("paused", 12).await;
    for hour in 0..96 {
        world.send(&format!("event-{hour}")).await;
        world.advance_hours(1);
    }
    assert!(world.sqs.counts().values().all(|count| *count == 1), "{:?}", world.sqs.counts());
    assert_eq!(world.sqs.messages().len(), 12);
    world.receive_all().await;
    assert!(world.handle("next").await);
    assert_eq!(world.sqs.messages().len(), 24);
}

#[tokio::test]
async fn event_delivered_twice_sends_once() {
    let world = World::new("twice", 3).await;
    let event: Event = serde_json::from_value(json!({ "id": "one", "time": "2026-11-24T10:00:00Z" })).unwrap();
    handle(&world.context, event.clone(), "request-1").await.unwrap();
    // sync-team receives the messages before the second delivery.
    world.receive_all().await;
    handle(&world.context, event, "request-2").await.unwrap();
    assert_eq!(world.sqs.messages().len(), 3);
}

#[tokio::test]
async fn concurrent_invocations_send_once() {
    let world = World::new("race", 25).await;
    let all = tokio::join!(world.handle("one"), world.handle("one"), world.handle("two"));
    assert_eq!(all, (true, true, true));
    assert_eq!(world.sqs.messages().len(), 25);
}

#[rstest::rstest]
#[case::all(Behavior::RefuseAll, 0)]
#[case::first_of_batch(Behavior::RefuseFirst, 7)]
#[tokio::test]
async fn retry_sends_only_refused_messages(#[case] behavior: Behavior, #[case] accepted: usize) {
    let world = World::new(&format!("refused-{accepted}"), 8).await;
    world.sqs.set_behavior(behavior);
    assert!(!world.handle("one").await);
    assert_eq!(world.sqs.messages().len(), accepted);
    world.sqs.set_behavior(Behavior::AcceptAll);
    assert!(world.handle("one").await);
    assert_eq!(world.sqs.messages().len(), 8);
    assert_eq!(world.sqs.counts().len(), 8);
}

#[tokio::test]
async fn named_domains_alone_are_sent() {
    let world = World::new("named", 3).await;
    let domain: DomainName = "d1.example".parse().unwrap();
    let event = Event { domains: vec![domain.clone()], ..Event::default() };
    handle(&world.context, event, "request-1").await.unwrap();
    let messages = world.sqs.messages();
    assert_eq!(messages.iter().map(|message| &message.domain).collect::<Vec<_>>(), [&domain]);
    assert_eq!(messages[0].requested_at, Some(world.clock.now()));
}

fn timeout() -> Duration {
    Duration::from_secs(template_number("StartSync", "Timeout").unwrap().into())
}

#[test]
fn claim_outlasts_function_within_period() {
    let claim = SyncRequest::CLAIM_TTL.unsigned_abs();
    let shortest_period = Duration::from_mins(5);
    assert!(timeout() < claim && claim < shortest_period);
    let kept = Duration::from_secs(template_number("SyncQueue", "MessageRetentionPeriod").unwrap().into());
    assert_eq!(SyncRequest::RETENTION.unsigned_abs(), kept);
}

#[tokio::test]
async fn killed_invocation_sends_nothing_twice() {
    // In memory: with a slow table the SDK resends a request without a response before all batches are in flight.
    let world = World::with(table::World::in_memory().await, 1_000);
    world.sqs.set_behavior(Behavior::StopAnsweringAfter(20));
    let is_in_flight = async {
        while world.sqs.requests() < 20 + CONCURRENT_BATCHES {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        _ = world.handle("one") => panic!("the invocation ended"),
        () = is_in_flight => {}
    }
    world.sqs.set_behavior(Behavior::AcceptAll);

    // Lambda retries the same event.
    world.send("one").await;
    let counts = world.sqs.counts();
    assert!(counts.values().all(|count| *count == 1), "a message was sent twice");
    let in_flight = CONCURRENT_BATCHES * Queue::BATCH;
    assert!(counts.len() >= 1_000 - in_flight, "{} domains", counts.len());
    // The next event sends only the messages that may have been lost.
    world.advance_hours(1);
    world.send("two").await;
    let counts = world.sqs.counts();
    assert_eq!(counts.len(), 1_000);
    let again = counts.values().filter(|count| **count == 2).count();
    assert!(again <= in_flight && counts.values().all(|count| *count <= 2), "{again} again");
    let sent = world.sqs.messages().len();
    world.advance_hours(1);
    world.send("three").await;
    assert_eq!(world.sqs.messages().len(), sent);
}

#[rstest::rstest]
#[case::just_now("11:59:00", false)]
#[case::one_period("11:00:00", false)]
#[case::two_periods("10:00:02", false)]
#[case::late_schedule("09:59:30", false)]
#[case::third_period_is_due("09:00:02", true)]
#[case::long_ago("00:00:00", true)]
fn domain_is_overdue_after_two_periods(#[case] last: &str, #[case] overdue: bool) {
    let last = format!("2026-11-24T{last}Z").parse().unwrap();
    let now = "2026-11-24T12:00:00Z".parse().unwrap();
    assert_eq!(membermail_core::schedule::is_overdue(last, now, SignedDuration::from_hours(1)), overdue);
}
