//! The function with a table of its own, an empty team at Launchpad, and queues at a server of the test's own.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws_lambda_events::event::sqs::SqsEvent;
use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::clock::{Clock, ManualClock};
use membermail_core::eligibility::{Group, Person};
use membermail_core::member::{Fingerprint, Identity, TeamName};
use membermail_core::message::SyncTeam;
use membermail_core::random::OsRandom;
use membermail_membership::{Error, PageCursor, RosterPage, Source};
use membermail_runtime::batch::Reports;
use membermail_runtime::metrics::Metrics;
use membermail_runtime::queue::Queue;
use membermail_store::{Run, Store};
use membermail_sync::Limits;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::table;
use crate::turn::Turns;
use crate::{Context, handle};

/// A message for ubuntu.com that the schedule sent so many minutes after the start; of an operator without.
pub(super) fn at(minutes: Option<i64>) -> SyncTeam {
    let domain = "ubuntu.com".parse().unwrap();
    SyncTeam {
        domain,
        release: None,
        full: false,
        requested_at: minutes.map(table::minutes),
        request_id: "request-1".into(),
    }
}

#[derive(Default)]
struct Asked {
    readings: u32,
    in_flight: u32,
    most_in_flight: u32,
    fails: bool,
    answers_after: Duration,
}

/// A Launchpad with a team that has no people.
#[derive(Clone, Default)]
pub(super) struct Launchpad(Arc<Mutex<Asked>>);

impl Launchpad {
    pub(super) fn fails(&self, fails: bool) {
        self.0.lock().unwrap().fails = fails;
    }

    pub(super) fn answers_after(&self, pause: Duration) {
        self.0.lock().unwrap().answers_after = pause;
    }

    pub(super) fn most_in_flight(&self) -> u32 {
        self.0.lock().unwrap().most_in_flight
    }

    async fn request(&self) -> Result<(), Error> {
        let (pause, fails) = {
            let mut asked = self.0.lock().unwrap();
            asked.in_flight += 1;
            asked.most_in_flight = asked.most_in_flight.max(asked.in_flight);
            (asked.answers_after, asked.fails)
        };
        tokio::time::sleep(pause).await;
        self.0.lock().unwrap().in_flight -= 1;
        if fails { Err(Error::TimedOut) } else { Ok(()) }
    }
}

#[async_trait]
impl Source for Launchpad {
    async fn person(&self, _: &Identity) -> Result<Option<Person>, Error> {
        self.request().await.map(|()| None)
    }

    async fn groups(&self, _: &Person) -> Result<BTreeSet<Group>, Error> {
        self.request().await.map(|()| BTreeSet::new())
    }

    async fn group(&self, name: &TeamName) -> Result<Option<Group>, Error> {
        self.request().await?;
        Ok(Some(Group { name: name.clone(), fingerprint: Fingerprint(42) }))
    }

    async fn roster_page(&self, _: &TeamName, _: PageCursor) -> Result<RosterPage, Error> {
        self.request().await?;
        self.0.lock().unwrap().readings += 1;
        Ok(RosterPage::default())
    }
}

#[derive(Clone)]
struct Shared(Arc<ManualClock>);

impl Clock for Shared {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

/// Operations and bodies, in order.
type Calls = Arc<Mutex<Vec<(String, Value)>>>;

pub(super) struct World {
    pub(super) context: Context,
    pub(super) store: Store,
    pub(super) clock: Arc<ManualClock>,
    pub(super) launchpad: Launchpad,
    calls: Calls,
}

impl World {
    pub(super) async fn new(name: &str) -> Self {
        let table = table::World::new(&format!("sync-team-{name}")).await;
        let clock = Arc::new(ManualClock::at(table::now()));
        let (launchpad, calls) = (Launchpad::default(), Calls::default());
        let client = queues(&calls).await;
        let queue = |name: &str| Queue::new(client.clone(), format!("http://queue.example/{name}"));
        let mut community = membermail_communities::community("ubuntu").unwrap();
        community.domains.iter_mut().for_each(|domain| domain.team_created = None);
        let context = Context {
            community,
            source: Box::new(launchpad.clone()),
            store: table.store.clone(),
            inbox: queue("sync"),
            outbox: queue("write"),
            reports: Reports { queue: queue("notify"), tries: 6 },
            metrics: Metrics::to(Shared(Arc::clone(&clock)), |_| {}),
            lease: SignedDuration::from_mins(16),
            limits: Limits { pace: Duration::ZERO, ..Limits::default() },
            turns: Turns { slots: 1, wait: Duration::ZERO, pause: Duration::from_millis(20) },
            clock: Box::new(Shared(Arc::clone(&clock))),
            random: Box::new(OsRandom),
        };
        Self { context, store: table.store, clock, launchpad, calls }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn domain(&self) -> DomainName {
        at(None).domain
    }

    /// Delivers a message a second later; whether it counts as handled.
    pub(super) async fn handle(&self, message: SyncTeam) -> bool {
        self.clock.advance(SignedDuration::from_secs(1));
        let record = json!({
            "messageId": "message-1", "receiptHandle": "receipt", "messageAttributes": {},
            "body": serde_json::to_string(&message).unwrap(), "attributes": { "ApproximateReceiveCount": "1" },
        });
        let mut event = SqsEvent::default();
        event.records = vec![serde_json::from_value(record).unwrap()];
        handle(&self.context, event).await.batch_item_failures.is_empty()
    }

    /// How often a team was read.
    pub(super) fn readings(&self) -> u32 {
        self.launchpad.0.lock().unwrap().readings
    }

    /// The messages that the function sent to its own queue, with their delays.
    pub(super) fn sent_again(&self) -> Vec<(SyncTeam, i64)> {
        let calls = self.calls.lock().unwrap();
        let sent = calls.iter().filter(|(operation, body)| {
            operation == "SendMessage" && body["QueueUrl"].as_str().is_some_and(|url| url.ends_with("/sync"))
        });
        let message = |body: &Value| serde_json::from_str(body["MessageBody"].as_str().unwrap()).unwrap();
        sent.map(|(_, body)| (message(body), body["DelaySeconds"].as_i64().unwrap_or_default())).collect()
    }

    pub(super) async fn runs(&self) -> Vec<Run> {
        self.store.runs(&self.domain(), 10).await.unwrap()
    }
}

async fn queues(calls: &Calls) -> aws_sdk_sqs::Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(answer).with_state(Arc::clone(calls));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let config = aws_config::defaults(aws_config::BehaviorVersion::v2026_01_12())
        .region(aws_config::Region::new("us-east-1"))
        .credentials_provider(aws_sdk_sqs::config::Credentials::new("test", "test", None, None, "a test"))
        .endpoint_url(url);
    aws_sdk_sqs::Client::new(&config.load().await)
}

async fn answer(State(calls): State<Calls>, headers: HeaderMap, body: String) -> Response {
    let operation = headers["x-amz-target"].to_str().unwrap().trim_start_matches("AmazonSQS.").to_owned();
    calls.lock().unwrap().push((operation, serde_json::from_str(&body).unwrap()));
    ([(CONTENT_TYPE, "application/x-amz-json-1.0")], json!({ "MessageId": "m" }).to_string()).into_response()
}
