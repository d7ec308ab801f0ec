//! What a check costs, and which pins it decides by.

#[path = "../../../write-aliases/src/tests/aws.rs"]
mod aws;
mod rush;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use membermail_core::clock::{Clock, ManualClock};
use membermail_core::eligibility::{Account, Group, Person};
use membermail_core::member::{ClaimedIdentifier, Fingerprint, Identity, LaunchpadName, MemberId, TeamName};
use membermail_core::message::VerifyMember;
use membermail_core::random::OsRandom;
use membermail_membership::{Error, PageCursor, RosterPage, Source};
use membermail_runtime::batch::{Reports, Try};
use membermail_runtime::metrics::Metrics;
use membermail_runtime::queue::Queue;
use membermail_store::{Salt, Store};
use serde_json::{Value, json};

use self::aws::{Aws, item};
use crate::pins::Pins;
use crate::{Context, check};

const MEMBER: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
const TEAM: Fingerprint = Fingerprint(1);
const ANOTHER: Fingerprint = Fingerprint(2);

/// Alice, and the one team that she is in; none, where there is none.
struct Launchpad(Arc<Mutex<Option<Fingerprint>>>);

#[async_trait]
impl Source for Launchpad {
    async fn person(&self, _: &Identity) -> Result<Option<Person>, Error> {
        Ok(Some(Person {
            name: LaunchpadName::parse("alice").unwrap(),
            fingerprint: Fingerprint(7),
            account: Account::Active,
            signed_code_of_conduct: true,
        }))
    }

    async fn groups(&self, _: &Person) -> Result<BTreeSet<Group>, Error> {
        let community = membermail_communities::community("ubuntu").unwrap();
        let team = |fingerprint| Group { name: community.domains[0].team.clone(), fingerprint };
        Ok(self.0.lock().unwrap().map(team).into_iter().collect())
    }

    async fn group(&self, _: &TeamName) -> Result<Option<Group>, Error> {
        unreachable!("a check asks for no team")
    }

    async fn roster_page(&self, _: &TeamName, _: PageCursor) -> Result<RosterPage, Error> {
        unreachable!("a check reads no team")
    }
}

#[derive(Clone)]
struct Shared(Arc<ManualClock>);

impl Clock for Shared {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

struct World {
    context: Context,
    aws: Aws,
    clock: Shared,
    team: Arc<Mutex<Option<Fingerprint>>>,
}

impl World {
    /// A member of the first domain's team, which is pinned.
    async fn new() -> Self {
        let aws = Aws::default();
        let config = aws.serve().await;
        let clock = Shared(Arc::new(ManualClock::at("2026-11-24T10:00:00Z".parse().unwrap())));
        let team = Arc::new(Mutex::new(Some(TEAM)));
        let member = json!({
            "id": MEMBER, "session_epoch": 0, "salt": String::from(Salt::new(&OsRandom)),
            "state": "pending", "requested_at": clock.now().to_string(),
        });
        aws.answer("UpdateItem", json!({ "Attributes": item(&format!("MEMBER#{MEMBER}"), "PROFILE", &member) }));
        aws.answer("TransactWriteItems", json!({}));
        aws.answer("SendMessage", json!({ "MessageId": "1" }));
        let queue = |name: &str| Queue::new(aws_sdk_sqs::Client::new(&config), format!("http://queue.example/{name}"));
        let mut community = membermail_communities::community("ubuntu").unwrap();
        community.domains[0].team_created = None;
        let context = Context {
            community,
            source: Box::new(Launchpad(Arc::clone(&team))),
            store: Store::new(aws_sdk_dynamodb::Client::new(&config), "t"),
            pins: Pins::default(),
            inbox: queue("verify"),
            outbox: queue("write"),
            reports: Reports { queue: queue("notify"), tries: 130 },
            metrics: Metrics::to_log(),
            clock: Box::new(clock.clone()),
            random: Box::new(OsRandom),
        };
        let world = Self { context, aws, clock, team };
        world.pin(json!({ "team": 1 }));
        world
    }

    /// What the table has of the first domain from now on.
    fn pin(&self, domain: Value) {
        let item = item(&format!("DOMAIN#{}", self.context.community.domains[0].domain), "DOMAIN", &domain);
        self.aws.answer("BatchGetItem", json!({ "Responses": { "t": [item] } }));
    }

    fn team(&self, team: Option<Fingerprint>) {
        *self.team.lock().unwrap() = team;
    }

    async fn check(&self) -> (&'static str, Vec<String>) {
        let subject = ClaimedIdentifier::parse("https://login.ubuntu.com/+id/AbC1234").unwrap();
        let identity = Identity { issuer: "https://login.ubuntu.com/+openid".into(), subject };
        let (member, requested_at) = (MemberId::parse(MEMBER).unwrap(), self.clock.now());
        let message = VerifyMember { member, identity: Some(identity), requested_at, request_id: "a-test".into() };
        let outcome = check::check(&self.context, message, Try { receives: 1, is_last: false }).await.unwrap();
        (outcome, self.aws.take_calls())
    }
}

#[tokio::test]
async fn next_check_costs_three_calls() {
    let world = World::new().await;
    let (outcome, calls) = world.check().await;
    assert_eq!((outcome, calls.len()), ("eligible", 4), "{calls:?}");
    assert_eq!(world.check().await.1, ["UpdateItem", "TransactWriteItems", "SendMessage"]);
    world.clock.0.advance(SignedDuration::from_mins(1));
    assert_eq!(world.check().await.1, calls, "the pins are read again after a minute");
}

#[tokio::test]
async fn replaced_team_is_found_with_cached_pins() {
    let world = World::new().await;
    world.check().await;
    world.team(Some(ANOTHER));
    let (outcome, calls) = world.check().await;
    assert_eq!((outcome, calls[1].as_str()), ("teams-unavailable", "BatchGetItem"));
}

#[tokio::test]
async fn cached_pins_never_say_no_team() {
    let world = World::new().await;
    world.check().await;
    world.team(None);
    world.pin(json!({ "team": 1, "team_problem": "missing" }));
    assert_eq!(world.check().await.0, "teams-unavailable");
}

#[tokio::test]
async fn changed_pin_counts_at_once() {
    let world = World::new().await;
    world.check().await;
    world.team(Some(ANOTHER));
    world.pin(json!({ "team": 2 }));
    assert_eq!(world.check().await.0, "eligible");
}
