//! The function under test with its own table, a fake Launchpad with an empty team, and fake queues.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::clock::{Clock, ManualClock};
use membermail_core::eligibility::{Group, Person};
use membermail_core::member::{Fingerprint, Identity, TeamName};
use membermail_core::message::SyncTeam;
use membermail_membership::{Error, PageCursor, RosterPage, Source};
use membermail_runtime::testing::{FakeAws, Response, sqs_event};
use membermail_store::{Run, Store};
use membermail_sync::Limits;
use serde_json::{Value, json};

use super::table;
use crate::slots::SlotPolicy;
use crate::{Context, handle};

/// A message for ubuntu.com that the schedule sent `minutes` after the start, or that an operator sent (`None`).
pub(super) fn at(minutes: Option<i64>) -> SyncTeam {
    let domain = "ubuntu.com".parse().unwrap();
    SyncTeam { requested_at: minutes.map(table::minutes), ..SyncTeam::of(&domain, "request-1") }
}

#[derive(Default)]
pub(super) struct LaunchpadState {
    /// Readings of a team.
    pub(super) readings: u32,
    in_flight: u32,
    pub(super) max_in_flight: u32,
    pub(super) fails: bool,
    pub(super) delay: Duration,
}

/// A fake Launchpad whose teams have no people.
#[derive(Clone, Default)]
pub(super) struct Launchpad(Arc<Mutex<LaunchpadState>>);

impl Launchpad {
    pub(super) fn lock(&self) -> MutexGuard<'_, LaunchpadState> {
        self.0.lock().unwrap()
    }

    async fn request(&self) -> Result<(), Error> {
        let (delay, fails) = {
            let mut state = self.lock();
            state.in_flight += 1;
            state.max_in_flight = state.max_in_flight.max(state.in_flight);
            (state.delay, state.fails)
        };
        tokio::time::sleep(delay).await;
        self.lock().in_flight -= 1;
        if fails { Err(Error::TimedOut) } else { Ok(()) }
    }
}

#[async_trait]
impl Source for Launchpad {
    fn is_authority_on(&self, _: &Identity) -> bool {
        true
    }

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

    async fn roster_page(&self, _: &Group, _: PageCursor) -> Result<RosterPage, Error> {
        self.request().await?;
        self.lock().readings += 1;
        Ok(RosterPage { total: Some(0), ..RosterPage::default() })
    }
}

/// The operations and bodies of the requests to SQS, in order.
type Calls = Arc<Mutex<Vec<(String, Value)>>>;

pub(super) struct World {
    pub(super) context: Context,
    pub(super) store: Store,
    pub(super) clock: ManualClock,
    pub(super) launchpad: Launchpad,
    calls: Calls,
}

impl World {
    pub(super) async fn new(name: &str) -> Self {
        let table = table::World::with_table(&format!("sync-team-{name}")).await;
        let clock = ManualClock::at(table::now());
        let launchpad = Launchpad::default();
        let calls = Calls::default();
        let aws = record_requests(&calls);
        let mut community = membermail_communities::community("ubuntu").unwrap();
        community.domains.iter_mut().for_each(|domain| domain.team_created = None);
        let context = Context {
            community,
            source: Box::new(launchpad.clone()),
            store: table.store.clone(),
            worker: aws.worker("sync", clock.clone()),
            write_queue: aws.queue("write"),
            lease: SignedDuration::from_mins(16),
            limits: Limits { pace: Duration::ZERO, ..Limits::default() },
            slots: SlotPolicy { slots: 1, wait: Duration::ZERO, pause: Duration::from_millis(20) },
        };
        Self { context, store: table.store, clock, launchpad, calls }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn domain(&self) -> DomainName {
        at(None).domain
    }

    /// Delivers a message a second later; returns whether it was handled.
    pub(super) async fn handle(&self, message: SyncTeam) -> bool {
        self.clock.advance(SignedDuration::from_secs(1));
        handle(&self.context, sqs_event(&message).unwrap()).await.batch_item_failures.is_empty()
    }

    /// The messages that the function sent to its own queue, with their delays.
    pub(super) fn sent_again(&self) -> Vec<(SyncTeam, i64)> {
        let calls = self.calls.lock().unwrap();
        let sent = calls.iter().filter(|(operation, body)| {
            operation == "SendMessage" && body["QueueUrl"].as_str().is_some_and(|url| url.ends_with("/sync"))
        });
        let messages = sent.map(|(_, body)| {
            let message = serde_json::from_str(body["MessageBody"].as_str().unwrap()).unwrap();
            (message, body["DelaySeconds"].as_i64().unwrap_or_default())
        });
        messages.collect()
    }

    pub(super) async fn runs(&self) -> Vec<Run> {
        self.store.runs(&self.domain(), 10).await.unwrap()
    }
}

/// A fake of SQS that records the requests.
fn record_requests(calls: &Calls) -> FakeAws {
    let calls = Arc::clone(calls);
    FakeAws::new(move |operation, request| {
        calls.lock().unwrap().push((operation.to_owned(), request.clone()));
        Response::Ok(json!({ "MessageId": "m" }))
    })
}
