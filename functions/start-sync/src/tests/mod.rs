//! Which messages the schedule sends, against DynamoDB Local and a queue of the test's own.

mod many;
mod sqs;
#[expect(dead_code, reason = "the tests of the store need the rest")]
#[path = "../../../../shared/store/tests/store/support.rs"]
mod table;

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::clock::{Clock, ManualClock};
use membermail_runtime::metrics::Metrics;
use membermail_runtime::queue::Queue;
use serde_json::json;

use self::sqs::{Does, Sqs};
use crate::ask::{Asking, CLAIM, IN_FLIGHT, RETENTION};
use crate::{Context, Event, handle};

#[derive(Clone)]
struct Shared(Arc<ManualClock>);

impl Clock for Shared {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

struct World {
    context: Context,
    sqs: Sqs,
    clock: Arc<ManualClock>,
}

impl World {
    async fn new(name: &str, domains: usize) -> Self {
        let table = table::World::new(&format!("start-sync-{name}")).await;
        let sqs = Sqs::default();
        let clock = Arc::new(ManualClock::at(table::now()));
        let context = Context {
            domains: (0..domains).map(|number| format!("d{number}.example").parse().unwrap()).collect(),
            store: table.store,
            outbox: sqs.serve().await,
            period: SignedDuration::from_hours(1),
            metrics: Metrics::to(Shared(Arc::clone(&clock)), |_| {}),
            clock: Box::new(Shared(Arc::clone(&clock))),
        };
        Self { context, sqs, clock }
    }

    /// An event of the schedule.
    async fn event(&self, id: &str) -> bool {
        handle(&self.context, Event::default(), id).await.is_ok()
    }

    /// An event of the schedule that does not look back.
    async fn asks(&self, event: &str) {
        let known = self.context.store.sync_requests(self.context.domains.iter()).await.unwrap();
        let asking = Asking { context: &self.context, event, request_id: event };
        asking.ask(&self.context.domains, &known).await.unwrap();
    }

    fn hours(&self, hours: i64) {
        self.clock.advance(SignedDuration::from_hours(hours));
    }

    /// `sync-team` receives the last message of each domain.
    async fn receives_all(&self) {
        for message in self.sqs.messages() {
            self.context.store.receive_sync(&message.domain, message.requested_at).await.unwrap();
        }
    }
}

#[tokio::test]
async fn paused_queue_keeps_one_message_per_domain() {
    let world = World::new("paused", 12).await;
    for hour in 0..96 {
        world.asks(&format!("event-{hour}")).await;
        world.hours(1);
    }
    assert!(world.sqs.counts().values().all(|count| *count == 1), "{:?}", world.sqs.counts());
    assert_eq!(world.sqs.messages().len(), 12);
    world.receives_all().await;
    assert!(world.event("next").await);
    assert_eq!(world.sqs.messages().len(), 24);
}

#[tokio::test]
async fn event_delivered_twice_sends_once() {
    let world = World::new("twice", 3).await;
    let event = || serde_json::from_value::<Event>(json!({ "id": "one", "time": "2026-11-24T10:00:00Z" })).unwrap();
    handle(&world.context, event(), "request-1").await.unwrap();
    // Its messages are received before the second delivery.
    world.receives_all().await;
    handle(&world.context, event(), "request-2").await.unwrap();
    assert_eq!(world.sqs.messages().len(), 3);
}

#[tokio::test]
async fn concurrent_invocations_send_once() {
    let world = World::new("race", 25).await;
    let all = tokio::join!(world.event("one"), world.event("one"), world.event("two"));
    assert_eq!(all, (true, true, true));
    assert_eq!(world.sqs.messages().len(), 25);
}

#[rstest::rstest]
#[case::all(Does::RefusesAll, 0)]
#[case::first_of_batch(Does::RefusesFirst, 7)]
#[tokio::test]
async fn retry_sends_only_refused_messages(#[case] does: Does, #[case] taken: usize) {
    let world = World::new(&format!("refused-{taken}"), 8).await;
    world.sqs.does(does);
    assert!(!world.event("one").await);
    assert_eq!(world.sqs.messages().len(), taken);
    world.sqs.does(Does::Takes);
    assert!(world.event("one").await);
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

/// A number of the template: the first after this name in this resource.
fn of_template(resource: &str, name: &str) -> u64 {
    let template = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml")).unwrap();
    let (_, resource) = template.split_once(&format!("\n  {resource}:\n")).unwrap();
    let mut lines = resource.lines().take_while(|line| line.is_empty() || line.starts_with("    "));
    let value = lines.find_map(|line| line.trim().strip_prefix(&format!("{name}: "))).unwrap();
    value.parse().unwrap()
}

fn timeout() -> Duration {
    Duration::from_secs(of_template("StartSync", "Timeout"))
}

#[test]
fn claim_outlasts_function_within_period() {
    let (claim, shortest_period) = (CLAIM.unsigned_abs(), Duration::from_mins(5));
    assert!(timeout() < claim && claim < shortest_period);
    let kept = Duration::from_secs(of_template("SyncQueue", "MessageRetentionPeriod"));
    assert_eq!(RETENTION.unsigned_abs(), kept);
}

#[tokio::test]
async fn killed_invocation_sends_nothing_twice() {
    let world = World::new("killed", 1_000).await;
    world.sqs.does(Does::TakesWithoutAnswerAfter(20));
    let is_in_flight = async {
        while world.sqs.requests() < 20 + IN_FLIGHT {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        _ = world.event("one") => panic!("it was not killed"),
        () = is_in_flight => {}
    }
    world.sqs.does(Does::Takes);

    // Lambda runs the same event again.
    world.asks("one").await;
    let counts = world.sqs.counts();
    assert!(counts.values().all(|count| *count == 1), "an event sent twice");
    let in_flight = IN_FLIGHT * Queue::BATCH;
    assert!(counts.len() >= 1_000 - in_flight, "{} domains", counts.len());
    // The next event sends what may have been lost, and nothing else.
    world.hours(1);
    world.asks("two").await;
    let counts = world.sqs.counts();
    assert_eq!(counts.len(), 1_000);
    let again = counts.values().filter(|count| **count == 2).count();
    assert!(again <= in_flight && counts.values().all(|count| *count <= 2), "{again} again");
    let sent = world.sqs.messages().len();
    world.hours(1);
    world.asks("three").await;
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
    let (now, period) = ("2026-11-24T12:00:00Z".parse().unwrap(), SignedDuration::from_hours(1));
    assert_eq!(crate::look_back::is_overdue(last, now, period), overdue);
}
