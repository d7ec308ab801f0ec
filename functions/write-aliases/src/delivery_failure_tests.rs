//! Reports of failed deliveries, over an in-memory table.

use std::sync::{Arc, Mutex};

use aws_lambda_events::event::sqs::SqsEvent;
use jiff::{SignedDuration, Timestamp};
use membermail_core::address::{Address, DomainName};
use membermail_core::alias::{Alias, ExpectedVersion, GrantRequest, Reason};
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::{Clock, ManualClock, later};
use membermail_core::email::EmailAddress;
use membermail_core::lifecycle::{Action, Step};
use membermail_core::member::{Fingerprint, Identity, MemberId, ObservedName, PersonName, Subject};
use membermail_core::message::{AliasGrant, WriteAliases};
use membermail_core::random::OsRandom;
use membermail_runtime::testing::{CapturedLogs, FakeAws, Response, sqs_event};
use membermail_store::{Applied, FirstDestination, GrantOutcome, Member, NewSession, Sealer, SignIn, Store, Terms};
use serde_json::{Value, json};
use ulid::Ulid;

use super::*;
use crate::handle;

const MASTER: &str = "a master secret of these tests, long enough";
const FAILURE_QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:delivery-failure";
const WRITE_QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:write";

/// The function with a verified domain, and a member with an address that forwards.
struct World {
    context: Context,
    clock: ManualClock,
    alias: Alias,
    member: Member,
    sent: Arc<Mutex<Vec<Value>>>,
}

impl World {
    async fn new() -> Self {
        let clock = ManualClock::at("2026-11-24T10:00:00Z".parse().unwrap());
        let sent = Arc::<Mutex<Vec<Value>>>::default();
        let queue = Arc::clone(&sent);
        let aws = FakeAws::new(move |operation, body| match operation {
            "SendMessage" => {
                let message = body["MessageBody"].as_str().unwrap();
                queue.lock().unwrap().push(serde_json::from_str(message).unwrap());
                Response::Ok(json!({ "MessageId": "1" }))
            }
            "ChangeMessageVisibility" => Response::Ok(json!({})),
            "GetSecretValue" => Response::Ok(json!({ "SecretString": MASTER })),
            _ => Response::error("UnexpectedOperation"),
        });
        let community = membermail_communities::community("ubuntu").unwrap();
        let store = Store::in_memory();
        let domain: DomainName = "ubuntu.com".parse().unwrap();
        store.verify_domain(&domain, operator(clock.now()), &OsRandom).await.unwrap();
        let member = sign_in(&store, clock.now()).await;
        let alias = grant(&store, &member, clock.now()).await;
        let context = Context {
            domains: community.domain_names().cloned().collect(),
            rules: community.rules,
            store,
            worker: aws.worker("write", clock.clone()),
            failure_queue_arn: FAILURE_QUEUE.into(),
            collected_queue_arns: Vec::new(),
        };
        clock.advance(SignedDuration::from_hours(24));
        Self { context, clock, alias, member, sent }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn failure(&self, at: Timestamp) -> DeliveryFailure {
        DeliveryFailure::forwarded(self.alias.address.clone(), None, "5.2.2".parse().unwrap(), at)
    }

    /// A failure of the only destination of the address.
    async fn destination_failure(&self, at: Timestamp) -> DeliveryFailure {
        let destination = Some(self.destination().await);
        DeliveryFailure::forwarded(self.alias.address.clone(), destination, "5.2.2".parse().unwrap(), at)
    }

    /// The only destination of the address.
    async fn destination(&self) -> DestinationId {
        self.context.store.alias(&self.alias.address).await.unwrap().unwrap().destinations[0]
    }

    /// The message to `notify` about a failure of the only destination.
    async fn undeliverable(&self, reply: &str) -> Value {
        json!({
            "kind": "undeliverable", "address": "alice@ubuntu.com", "destination": self.destination().await,
            "reply": reply, "request_id": "message-1",
        })
    }

    /// The failures of the member's destinations.
    async fn failures_of_destinations(&self) -> Vec<Option<(u64, Timestamp)>> {
        let stored = self.context.store.destinations_of(self.member.id).await.unwrap();
        let failures = stored.into_iter().map(|stored| stored.destination.failures);
        failures.map(|failures| failures.map(|failures| (failures.count, failures.last))).collect()
    }

    /// Handles a message of this queue. Returns whether it was accepted.
    async fn receive(&self, queue: &str, message: &Value) -> bool {
        let mut event: SqsEvent = sqs_event(message).unwrap();
        event.records[0].event_source_arn = Some(queue.to_owned());
        handle(&self.context, event).await.batch_item_failures.is_empty()
    }

    async fn report(&self, failure: &DeliveryFailure) {
        assert!(self.receive(FAILURE_QUEUE, &json!(failure)).await);
    }

    /// The recorded failures and the first of them, if the address is failing.
    async fn recorded(&self) -> Option<(u64, Timestamp)> {
        let alias = self.context.store.alias(&self.alias.address).await.unwrap().unwrap().alias;
        let failing = self.context.store.failing_among([&alias], self.now()).await.unwrap();
        failing.get(&alias.address).map(|failing| (failing.count, failing.since))
    }

    fn drain_sent(&self) -> Vec<Value> {
        std::mem::take(&mut self.sent.lock().unwrap())
    }

    async fn apply(&self, action: Action) {
        let Alias { address, member, .. } = self.alias.clone();
        let version = self.context.store.alias(&address).await.unwrap().unwrap().alias.version;
        let step = Step { address, member, expected: ExpectedVersion::At(version), known_as: None, action };
        let terms = Terms { domains: &self.context.domains, rules: &self.context.rules, read_at: self.now() };
        let cause = operator(self.now());
        let applied = self.context.store.apply(&step, terms, cause, &OsRandom).await.unwrap();
        assert!(matches!(applied, Applied::Done { .. }), "{applied:?}");
    }
}

fn operator(now: Timestamp) -> Cause<'static> {
    Cause { actor: Actor::Operator, by: Some("olivia"), request_id: "request-1", now }
}

async fn sign_in(store: &Store, now: Timestamp) -> Member {
    let subject = Subject::parse("https://login.example.org/+id/alice").unwrap();
    let identity = Identity { issuer: "https://login.example.org/+openid".into(), subject };
    let address = EmailAddress::parse("alice@mail.example").unwrap();
    let session = NewSession { hash: "hash", expires: later(now, SignedDuration::from_hours(1)) };
    let sign_in = SignIn {
        identity: &identity,
        address: &address,
        language: None,
        destination: FirstDestination::Confirmed,
        session,
    };
    store.sign_in(&Sealer::new(MASTER.as_bytes()), sign_in, now, &OsRandom).await.unwrap()
}

async fn grant(store: &Store, member: &Member, now: Timestamp) -> Alias {
    let address = Address::try_from("alice@ubuntu.com".to_owned()).unwrap();
    let known_as = known_as(now);
    let request = GrantRequest { address: &address, existing: None, known_as: &known_as, renamed_from: None, limit: 3 };
    let domains = [address.domain.clone()];
    let granted = store.grant(member, request, &domains, operator(now), &OsRandom).await.unwrap();
    let GrantOutcome::Created { alias, .. } = granted else { panic!("{granted:?}") };
    alias
}

fn known_as(observed_at: Timestamp) -> ObservedName {
    ObservedName { name: PersonName::parse("alice").unwrap(), fingerprint: Fingerprint(7), observed_at }
}

#[tokio::test]
async fn first_failure_notifies_the_member() {
    let world = World::new().await;
    let at = world.now();
    world.report(&world.failure(at)).await;
    assert_eq!(world.recorded().await, Some((1, at)));
    assert_eq!(world.drain_sent(), [world.undeliverable("5.2.2").await]);
}

#[tokio::test]
async fn failure_is_recorded_at_its_destination() {
    let world = World::new().await;
    let first = world.now();
    let failure = world.destination_failure(first).await;
    world.report(&failure).await;
    world.report(&failure).await;
    assert_eq!(world.failures_of_destinations().await, [Some((1, first))]);
    assert_eq!((world.recorded().await, world.drain_sent().len()), (Some((1, first)), 1));
    world.clock.advance(SignedDuration::from_hours(1));
    world.report(&world.destination_failure(world.now()).await).await;
    assert_eq!(world.failures_of_destinations().await, [Some((2, world.now()))]);
}

/// The member has replaced it.
#[tokio::test]
async fn other_destination_is_not_failing() {
    let world = World::new().await;
    let other = DestinationId::parse("01BX5ZZKBKACTAV9WEVGEMMVRZ");
    let address = world.alias.address.clone();
    world.report(&DeliveryFailure::forwarded(address, other, "5.2.2".parse().unwrap(), world.now())).await;
    assert_eq!(world.failures_of_destinations().await, [None]);
    assert_eq!((world.recorded().await, world.drain_sent().len()), (Some((1, world.now())), 0));
}

/// An older mail host names no destination.
#[tokio::test]
async fn only_destination_needs_no_name() {
    let world = World::new().await;
    world.report(&world.failure(world.now())).await;
    assert_eq!(world.failures_of_destinations().await, [Some((1, world.now()))]);
}

#[tokio::test]
async fn destination_fails_after_a_day() {
    let world = World::new().await;
    world.report(&world.failure(world.now())).await;
    assert_eq!(world.drain_sent().len(), 1);
    for (hours, expected) in [(23, 0), (1, 1), (1, 0)] {
        world.clock.advance(SignedDuration::from_hours(hours));
        world.report(&world.failure(world.now())).await;
        let sent = world.drain_sent();
        assert_eq!(sent.len(), expected, "at {}", world.now());
        assert!(sent.is_empty() || sent == [world.undeliverable("5.2.2").await], "{sent:?}");
    }
}

/// A message that looks like spam says nothing about a mailbox, unless it is our own test message.
#[rstest::rstest]
#[case::test_message(true, 1)]
#[case::other_message(false, 0)]
#[tokio::test]
async fn failed_test_notifies_at_once(#[case] is_test: bool, #[case] notices: usize) {
    let world = World::new().await;
    if is_test {
        let request = (Ulid::from_parts(1, 1), world.now());
        world.context.store.request_test(world.member.id, &world.alias.address, request).await.unwrap();
    }
    world.clock.advance(SignedDuration::from_mins(1));
    let failure = DeliveryFailure::forwarded(
        world.alias.address.clone(),
        Some(world.destination().await),
        "5.7.1".parse().unwrap(),
        world.now(),
    );
    world.report(&failure).await;
    let expected = vec![world.undeliverable("5.7.1").await; notices];
    assert_eq!(world.drain_sent(), expected);
}

/// The first attempt ended after it recorded the failure. `notify` sends the notice once.
#[tokio::test]
async fn lost_notice_is_requested_again() {
    let world = World::new().await;
    world.report(&world.failure(world.now())).await;
    world.clock.advance(SignedDuration::from_hours(24));
    world.drain_sent();
    let (store, at) = (&world.context.store, world.now());
    let id = (world.member.id, world.destination().await);
    let reply = "5.2.2".parse().unwrap();
    store.record_destination_failure(id, &world.alias.address, &reply, at, &OsRandom).await.unwrap();
    world.report(&world.failure(at)).await;
    assert_eq!(world.drain_sent(), [world.undeliverable("5.2.2").await]);
}

#[tokio::test]
async fn repeated_message_counts_once() {
    let world = World::new().await;
    let at = world.now();
    for _ in 0..3 {
        world.report(&world.failure(at)).await;
    }
    assert_eq!(world.recorded().await, Some((1, at)));
    assert_eq!(world.drain_sent(), [world.undeliverable("5.2.2").await]);
}

#[tokio::test]
async fn member_is_notified_once_a_week() {
    let world = World::new().await;
    let first = world.now();
    let mut notices = Vec::new();
    for _ in 0..15 {
        world.report(&world.failure(world.now())).await;
        notices.push(world.drain_sent().len());
        world.clock.advance(SignedDuration::from_hours(24));
    }
    // The second: the destination has failed for a day.
    assert_eq!(notices, [1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    assert_eq!(world.recorded().await, Some((15, first)));
}

#[tokio::test]
async fn failure_ends_after_two_weeks() {
    let world = World::new().await;
    world.report(&world.failure(world.now())).await;
    world.clock.advance(SignedDuration::from_hours(14 * 24));
    assert!(world.recorded().await.is_some());
    world.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(world.recorded().await, None);
    // The next failure is the first of a new series.
    world.report(&world.failure(world.now())).await;
    assert_eq!(world.recorded().await, Some((1, world.now())));
}

#[tokio::test]
async fn failure_before_change_does_not_count() {
    let world = World::new().await;
    let before = world.now();
    world.report(&world.failure(before)).await;
    world.clock.advance(SignedDuration::from_hours(1));
    let until = later(world.now(), SignedDuration::from_hours(24 * 30));
    world.apply(Action::Leave { reason: Reason::NotInTeam, until }).await;
    assert_eq!(world.recorded().await, None);
    world.report(&world.failure(later(before, SignedDuration::from_mins(1)))).await;
    assert_eq!(world.recorded().await, None);
    world.report(&world.failure(world.now())).await;
    assert_eq!(world.recorded().await, Some((1, world.now())));
}

#[tokio::test]
async fn suspended_address_is_not_failing() {
    let world = World::new().await;
    world.report(&world.failure(world.now())).await;
    world.drain_sent();
    let until = later(world.now(), SignedDuration::from_hours(24));
    world.apply(Action::Leave { reason: Reason::NotInTeam, until }).await;
    world.clock.advance(SignedDuration::from_hours(24 * 40));
    world.apply(Action::Suspend { reason: Reason::NotInTeam }).await;
    world.report(&world.failure(world.now())).await;
    assert_eq!(world.recorded().await, None);
    assert_eq!(world.drain_sent(), [json!(null); 0]);
}

#[rstest::rstest]
#[case::from_future("alice@ubuntu.com", 6)]
#[case::older_than_two_weeks("alice@ubuntu.com", -14 * 24 * 60 - 1)]
#[case::unknown_address("carol@ubuntu.com", 0)]
#[case::foreign_domain("alice@elsewhere.example", 0)]
#[case::before_the_grant("alice@ubuntu.com", -24 * 60 - 1)]
#[tokio::test]
async fn implausible_report_is_dropped(#[case] address: &str, #[case] minutes: i64) {
    let world = World::new().await;
    let address = Address::try_from(address.to_owned()).unwrap();
    let at = later(world.now(), SignedDuration::from_mins(minutes));
    let logs = CapturedLogs::start();
    world.report(&DeliveryFailure::forwarded(address, None, "5.1.1".parse().unwrap(), at)).await;
    assert!(world.recorded().await.is_none() && world.drain_sent().is_empty());
    assert!(logs.text().contains("failed delivery") && !logs.text().contains('@'), "{}", logs.text());
}

#[tokio::test]
async fn bounced_notice_is_reported_to_operators() {
    let world = World::new().await;
    let notice = |member| DeliveryFailure::notice(member, "5.1.1".parse().unwrap(), world.now());
    world.report(&notice(world.member.id)).await;
    let sent = world.drain_sent();
    assert_eq!((sent.len(), &sent[0]["step"], &sent[0]["error"]), (1, &json!("notify"), &json!("5.1.1")));
    assert_eq!((&sent[0]["kind"], &sent[0]["member"]), (&json!("failed"), &json!(world.member.id)));
    assert_eq!(world.recorded().await, None);
    world.report(&notice(MemberId::new(world.now(), &OsRandom))).await;
    assert!(world.drain_sent().is_empty());
}

/// The mail host can send to its own queue only, and must not grant an address.
#[tokio::test]
async fn queue_decides_how_messages_are_read() {
    let world = World::new().await;
    let grant = WriteAliases::Grant(AliasGrant {
        member: world.member.id,
        known_as: ObservedName { name: PersonName::parse("mallory").unwrap(), ..known_as(world.now()) },
        domain: "ubuntu.com".parse().unwrap(),
        request_id: "request-1".into(),
    });
    assert!(!world.receive(FAILURE_QUEUE, &json!(grant)).await);
    let mallory = Address::try_from("mallory@ubuntu.com".to_owned()).unwrap();
    assert!(world.context.store.alias(&mallory).await.unwrap().is_none());
    assert!(!world.receive(WRITE_QUEUE, &json!(world.failure(world.now()))).await);
    assert_eq!(world.recorded().await, None);
    assert!(world.receive(WRITE_QUEUE, &json!(grant)).await);
    assert!(world.context.store.alias(&mallory).await.unwrap().is_some());
}
