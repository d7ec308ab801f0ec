//! The first day: 2,000 people sign in within an hour, and Launchpad takes 2 s for each response.
//!
//! The test runs the real handler with tokio's paused clock and an in-memory fake of AWS without sockets, so only the waits for
//! Launchpad take time. The number of concurrent invocations is the maximum of `VerifyConcurrency` in the template.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use aws_lambda_events::event::sqs::SqsEvent;
use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::clock::{Clock, later};
use membermail_core::eligibility::{Group, Person};
use membermail_core::member::{Identity, TeamName};
use membermail_membership::{Error, PageCursor, RosterPage, Source};
use membermail_runtime::testing::{FakeAws, Response, item, sqs_event, template_number};
use membermail_store::Store;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use crate::pins::PinCache;
use crate::{Context, handle};

const SIGN_INS: u32 = 2_000;
const HOUR: Duration = Duration::from_secs(3600);
/// Latency of Launchpad.
const LATENCY: Duration = Duration::from_secs(2);
/// Maximum concurrent requests to Launchpad.
const MAX_IN_FLIGHT: u32 = 4;

fn first_day() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

/// Tokio's paused clock.
#[derive(Clone, Copy)]
struct Paused(Instant);

impl Clock for Paused {
    fn now(&self) -> Timestamp {
        later(first_day(), self.0.elapsed().try_into().unwrap())
    }
}

#[derive(Default)]
struct Counts {
    requests: u32,
    in_flight: u32,
    max_in_flight: u32,
    granted: BTreeSet<String>,
}

/// A fake Launchpad where every person is in the first domain's team, and the counts of requests.
#[derive(Clone, Default)]
struct World(Arc<Mutex<Counts>>);

impl World {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap()
    }

    async fn request(&self) {
        {
            let mut counts = self.counts();
            counts.requests += 1;
            counts.in_flight += 1;
            counts.max_in_flight = counts.max_in_flight.max(counts.in_flight);
        }
        sleep(LATENCY).await;
        self.counts().in_flight -= 1;
    }
}

#[async_trait]
impl Source for World {
    fn is_authority_on(&self, _: &Identity) -> bool {
        true
    }

    async fn person(&self, identity: &Identity) -> Result<Option<Person>, Error> {
        self.request().await;
        let word = identity.subject.as_str().rsplit('/').next().unwrap().to_lowercase();
        Ok(Some(super::person(&word)))
    }

    async fn groups(&self, _: &Person) -> Result<BTreeSet<Group>, Error> {
        self.request().await;
        Ok([super::team(super::TEAM)].into())
    }

    async fn group(&self, _: &TeamName) -> Result<Option<Group>, Error> {
        unreachable!("a check fetches no team")
    }

    async fn roster_page(&self, _: &Group, _: PageCursor) -> Result<RosterPage, Error> {
        unreachable!("a check reads no team")
    }
}

/// A fake of AWS where every member exists, and a grant is counted.
fn aws(world: &World, domain: &DomainName) -> FakeAws {
    let world = world.clone();
    let domain_item = item(&format!("DOMAIN#{domain}"), "DOMAIN", &json!({ "team": super::TEAM.0 }));
    FakeAws::new(move |operation, request| match operation {
        "UpdateItem" => {
            let pk = request["Key"]["pk"]["S"].as_str().unwrap();
            let id = pk.strip_prefix("MEMBER#").unwrap();
            Response::Ok(json!({ "Attributes": super::pending_member(id, first_day()) }))
        }
        "BatchGetItem" => Response::Ok(json!({ "Responses": { "t": [domain_item] } })),
        "TransactWriteItems" => Response::Ok(json!({})),
        "SendMessage" => {
            let grant: Value = serde_json::from_str(request["MessageBody"].as_str().unwrap()).unwrap();
            assert_eq!((&grant["kind"], &request["QueueUrl"]), (&json!("grant"), &json!("http://queue.example/grant")));
            world.counts().granted.insert(grant["member"].as_str().unwrap().to_owned());
            Response::Ok(json!({ "MessageId": "1" }))
        }
        other => panic!("unexpected operation {other}"),
    })
}

fn context(world: &World, start: Instant) -> Context {
    let community = super::community();
    let aws = aws(world, &community.domains[0].domain);
    Context {
        community,
        source: Box::new(world.clone()),
        store: Store::new(aws.dynamodb(), "t"),
        pins: PinCache::default(),
        worker: aws.worker("verify", Paused(start)),
        write_queue: aws.queue("grant"),
    }
}

fn sign_in(number: u32) -> SqsEvent {
    let message = super::message(&format!("01ARZ3NDEKTSV4RRFF{number:08}"), &format!("P{number:06}"), first_day());
    sqs_event(&message).unwrap()
}

#[rstest::rstest]
#[case::all_at_once(Duration::ZERO)]
#[case::over_the_hour(Duration::from_secs(3540))]
#[tokio::test(start_paused = true)]
async fn rush_is_decided_within_hour(#[case] arrivals: Duration) {
    let world = World::default();
    let start = Instant::now();
    let context = Arc::new(context(&world, start));
    let waiting: VecDeque<_> = (0..SIGN_INS).map(|number| (start + arrivals * number / SIGN_INS, number)).collect();
    let waiting = Arc::new(Mutex::new(waiting));
    let mut invocations = tokio::task::JoinSet::new();
    for _ in 0..template_number("VerifyConcurrency", "MaxValue").unwrap() {
        let context = Arc::clone(&context);
        let waiting = Arc::clone(&waiting);
        invocations.spawn(async move {
            loop {
                let next = waiting.lock().unwrap().pop_front();
                let Some((arrives, number)) = next else { break };
                sleep_until(arrives).await;
                let response = handle(&context, sign_in(number)).await;
                assert!(response.batch_item_failures.is_empty(), "{number}");
            }
        });
    }
    // Concurrently, as many syncs as there are slots read a large team.
    let syncs: Vec<_> = (0..template_number("SyncSlots", "Default").unwrap())
        .map(|_| {
            let world = world.clone();
            tokio::spawn(async move {
                loop {
                    world.request().await;
                }
            })
        })
        .collect();
    invocations.join_all().await;
    let took = start.elapsed();
    syncs.iter().for_each(tokio::task::JoinHandle::abort);
    let counts = world.counts();
    assert_eq!(counts.granted.len(), usize::try_from(SIGN_INS).unwrap());
    assert!(counts.requests >= 2 * SIGN_INS);
    assert!(took <= HOUR, "{took:?}");
    assert!(counts.max_in_flight <= MAX_IN_FLIGHT, "{} concurrent requests", counts.max_in_flight);
}
