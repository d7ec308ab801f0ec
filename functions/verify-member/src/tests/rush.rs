//! The first day: 2,000 people sign in within an hour, and Launchpad takes 2 s for each response.
//!
//! The handler is the real one, the time is tokio's paused clock, and AWS answers in memory: without sockets nothing but the
//! waits for Launchpad takes any time. How many invocations run at the same time is read from the template.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use aws_lambda_events::event::sqs::SqsEvent;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use jiff::Timestamp;
use membermail_core::clock::{Clock, later};
use membermail_core::eligibility::{Account, Group, Person};
use membermail_core::member::{ClaimedIdentifier, Fingerprint, Identity, LaunchpadName, MemberId, TeamName};
use membermail_core::message::VerifyMember;
use membermail_core::random::OsRandom;
use membermail_membership::{Error, PageCursor, RosterPage, Source};
use membermail_runtime::batch::Reports;
use membermail_runtime::metrics::Metrics;
use membermail_runtime::queue::Queue;
use membermail_store::{Salt, Store};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use super::aws::item;
use crate::pins::Pins;
use crate::{Context, handle};

const SIGN_INS: u32 = 2_000;
const HOUR: Duration = Duration::from_secs(3600);
/// The time of one response.
const RESPONSE: Duration = Duration::from_secs(2);
/// Requests that Launchpad gets at the same time at most.
const IN_FLIGHT: u32 = 4;

fn start() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

/// Tokio's time.
struct Paused(Instant);

impl Clock for Paused {
    fn now(&self) -> Timestamp {
        later(start(), self.0.elapsed().try_into().unwrap())
    }
}

#[derive(Default)]
struct Counts {
    requests: u32,
    in_flight: u32,
    most_in_flight: u32,
    granted: BTreeSet<String>,
}

/// Launchpad, where each person is in the first domain's team, and AWS.
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
            counts.most_in_flight = counts.most_in_flight.max(counts.in_flight);
        }
        sleep(RESPONSE).await;
        self.counts().in_flight -= 1;
    }
}

#[async_trait]
impl Source for World {
    async fn person(&self, identity: &Identity) -> Result<Option<Person>, Error> {
        self.request().await;
        let word = identity.subject.as_str().rsplit('/').next().unwrap().to_lowercase();
        let (name, fingerprint) = (LaunchpadName::parse(&word).unwrap(), Fingerprint(7));
        Ok(Some(Person { name, fingerprint, account: Account::Active, signed_code_of_conduct: true }))
    }

    async fn groups(&self, _: &Person) -> Result<BTreeSet<Group>, Error> {
        self.request().await;
        let community = membermail_communities::community("ubuntu").unwrap();
        Ok([Group { name: community.domains[0].team.clone(), fingerprint: super::TEAM }].into())
    }

    async fn group(&self, _: &TeamName) -> Result<Option<Group>, Error> {
        unreachable!("a check asks for no team")
    }

    async fn roster_page(&self, _: &TeamName, _: PageCursor) -> Result<RosterPage, Error> {
        unreachable!("a check reads no team")
    }
}

/// AWS in memory.
#[derive(Clone, Debug)]
struct Memory {
    domain: String,
    granted: Granted,
}

#[derive(Clone)]
struct Granted(World);

impl std::fmt::Debug for Granted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Granted")
    }
}

impl HttpConnector for Memory {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let operation = request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next());
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let answer = match operation.unwrap() {
            "UpdateItem" => {
                let pk = body["Key"]["pk"]["S"].as_str().unwrap();
                let id = pk.strip_prefix("MEMBER#").unwrap();
                let member = json!({
                    "id": id, "session_epoch": 0, "salt": String::from(Salt::new(&OsRandom)),
                    "state": "pending", "requested_at": start().to_string(),
                });
                json!({ "Attributes": item(pk, "PROFILE", &member) })
            }
            "BatchGetItem" => {
                let domain = item(&format!("DOMAIN#{}", self.domain), "DOMAIN", &json!({ "team": super::TEAM.0 }));
                json!({ "Responses": { "t": [domain] } })
            }
            "TransactWriteItems" => json!({}),
            "SendMessage" => {
                let grant: Value = serde_json::from_str(body["MessageBody"].as_str().unwrap()).unwrap();
                assert_eq!(
                    (&grant["kind"], &body["QueueUrl"]),
                    (&json!("grant"), &json!("http://queue.example/grant"))
                );
                self.granted.0.counts().granted.insert(grant["member"].as_str().unwrap().to_owned());
                json!({ "MessageId": "1" })
            }
            other => panic!("{other} has no answer"),
        };
        let response = HttpResponse::new(200.try_into().unwrap(), SdkBody::from(answer.to_string()));
        HttpConnectorFuture::ready(Ok(response))
    }
}

fn context(world: &World, begin: Instant) -> Context {
    let mut community = membermail_communities::community("ubuntu").unwrap();
    community.domains[0].team_created = None;
    let memory = Memory { domain: community.domains[0].domain.to_string(), granted: Granted(world.clone()) };
    let connector = SharedHttpConnector::new(memory);
    let http: SharedHttpClient = http_client_fn(move |_, _| connector.clone());
    let credentials = || Credentials::new("test", "test", None, None, "a test");
    let dynamodb = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials())
        .http_client(http.clone());
    let sqs = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials())
        .http_client(http);
    let sqs = aws_sdk_sqs::Client::from_conf(sqs.build());
    let queue = |name: &str| Queue::new(sqs.clone(), format!("http://queue.example/{name}"));
    Context {
        community,
        source: Box::new(world.clone()),
        store: Store::new(aws_sdk_dynamodb::Client::from_conf(dynamodb.build()), "t"),
        pins: Pins::default(),
        inbox: queue("verify"),
        outbox: queue("grant"),
        reports: Reports { queue: queue("notify"), tries: 130 },
        metrics: Metrics::to(Paused(begin), |_| {}),
        clock: Box::new(Paused(begin)),
        random: Box::new(OsRandom),
    }
}

fn sign_in(number: u32) -> SqsEvent {
    let subject = ClaimedIdentifier::parse(&format!("https://login.ubuntu.com/+id/P{number:06}")).unwrap();
    let message = VerifyMember {
        member: MemberId::parse(&format!("01ARZ3NDEKTSV4RRFF{number:08}")).unwrap(),
        identity: Some(Identity { issuer: "https://login.ubuntu.com/+openid".into(), subject }),
        requested_at: start(),
        request_id: "a-test".into(),
    };
    let record = json!({
        "messageId": number.to_string(), "receiptHandle": "receipt", "messageAttributes": {},
        "body": serde_json::to_string(&message).unwrap(), "attributes": { "ApproximateReceiveCount": "1" },
    });
    let mut event = SqsEvent::default();
    event.records = vec![serde_json::from_value(record).unwrap()];
    event
}

/// A number of the template: the first after this name in this section.
fn of_template(section: &str, name: &str) -> u32 {
    let template = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml")).unwrap();
    let (_, rest) = template.split_once(&format!("\n  {section}:\n")).unwrap();
    let (_, rest) = rest.split_once(&format!("{name}: ")).unwrap();
    rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

#[rstest::rstest]
#[case::all_at_once(Duration::ZERO)]
#[case::over_the_hour(Duration::from_secs(3540))]
#[tokio::test(start_paused = true)]
async fn rush_is_decided_within_hour(#[case] arrivals: Duration) {
    let (world, begin) = (World::default(), Instant::now());
    let context = Arc::new(context(&world, begin));
    let waiting: VecDeque<_> = (0..SIGN_INS).map(|number| (begin + arrivals * number / SIGN_INS, number)).collect();
    let waiting = Arc::new(Mutex::new(waiting));
    let mut invocations = tokio::task::JoinSet::new();
    for _ in 0..of_template("VerifyMember", "MaximumConcurrency") {
        let (context, waiting) = (Arc::clone(&context), Arc::clone(&waiting));
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
    // Meanwhile a large team is read, by as many syncs as may ask.
    let syncs: Vec<_> = (0..of_template("SyncSlots", "Default"))
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
    let took = begin.elapsed();
    syncs.iter().for_each(tokio::task::JoinHandle::abort);
    let counts = world.counts();
    assert_eq!(counts.granted.len(), usize::try_from(SIGN_INS).unwrap());
    assert!(counts.requests >= 2 * SIGN_INS);
    assert!(took <= HOUR, "{took:?}");
    assert!(counts.most_in_flight <= IN_FLIGHT, "{} requests at a time", counts.most_in_flight);
}
