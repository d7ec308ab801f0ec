//! The calls that a check costs, the cache of team pins, and denied calls.

mod identities;
mod rush;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use membermail_core::clock::{Clock, ManualClock};
use membermail_core::community::Community;
use membermail_core::eligibility::{Account, Group, Person};
use membermail_core::member::{Fingerprint, Identity, MemberId, PersonName, Subject, TeamName};
use membermail_core::message::VerifyMember;
use membermail_core::random::OsRandom;
use membermail_membership::{Error, PageCursor, RosterPage, Source};
use membermail_runtime::batch::Attempt;
use membermail_runtime::testing::{Denials, FixedResponses, Response, attribute, item};
use membermail_store::{KeyContext, Store};
use serde_json::{Value, json};

use crate::pins::PinCache;
use crate::{Context, MAX_RECEIVES, check, handle};

const MEMBER: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
const TEAM: Fingerprint = Fingerprint(1);
const OTHER_TEAM: Fingerprint = Fingerprint(2);

fn person(name: &str) -> Person {
    Person {
        name: PersonName::parse(name).unwrap(),
        fingerprint: Fingerprint(7),
        account: Account::Active,
        signed_code_of_conduct: true,
    }
}

/// The community, whose file pins no team of the first domain.
fn community() -> Community {
    let mut community = membermail_communities::community("ubuntu").unwrap();
    community.domains[0].team_created = None;
    community
}

/// The first domain's team with this fingerprint.
fn team(fingerprint: Fingerprint) -> Group {
    Group { name: community().domains.swap_remove(0).team, fingerprint }
}

/// The profile of a member whose check is pending.
fn pending_member(id: &str, requested_at: Timestamp) -> Value {
    let member = json!({
        "id": id, "session_epoch": 0, "salt": String::from(KeyContext::new(&OsRandom)),
        "state": "pending", "requested_at": requested_at.to_string(),
    });
    item(&format!("MEMBER#{id}"), "PROFILE", &member)
}

fn message(id: &str, word: &str, requested_at: Timestamp) -> VerifyMember {
    let subject = Subject::parse(&format!("https://login.ubuntu.com/+id/{word}")).unwrap();
    VerifyMember {
        member: MemberId::parse(id).unwrap(),
        identity: Some(Identity { issuer: "https://login.ubuntu.com/+openid".into(), subject }),
        adds: None,
        requested_at,
        request_id: "a-test".into(),
    }
}

/// A fake Launchpad with one person and the team that she is in, if any.
struct Launchpad(Arc<Mutex<Option<Fingerprint>>>);

#[async_trait]
impl Source for Launchpad {
    fn is_authority_on(&self, _: &Identity) -> bool {
        true
    }

    async fn person(&self, _: &Identity) -> Result<Option<Person>, Error> {
        Ok(Some(person("alice")))
    }

    async fn groups(&self, _: &Person) -> Result<BTreeSet<Group>, Error> {
        Ok(self.0.lock().unwrap().map(team).into_iter().collect())
    }

    async fn group(&self, _: &TeamName) -> Result<Option<Group>, Error> {
        unreachable!("a check fetches no team")
    }

    async fn roster_page(&self, _: &Group, _: PageCursor) -> Result<RosterPage, Error> {
        unreachable!("a check reads no team")
    }
}

/// A source that knows none of the member's identities.
struct Foreign;

#[async_trait]
impl Source for Foreign {
    fn is_authority_on(&self, _: &Identity) -> bool {
        false
    }

    async fn person(&self, _: &Identity) -> Result<Option<Person>, Error> {
        unreachable!("the source is not asked")
    }

    async fn groups(&self, _: &Person) -> Result<BTreeSet<Group>, Error> {
        unreachable!("there is no person")
    }

    async fn group(&self, _: &TeamName) -> Result<Option<Group>, Error> {
        unreachable!("a check fetches no team")
    }

    async fn roster_page(&self, _: &Group, _: PageCursor) -> Result<RosterPage, Error> {
        unreachable!("a check reads no team")
    }
}

struct World {
    context: Context,
    responses: FixedResponses,
    clock: ManualClock,
    team: Arc<Mutex<Option<Fingerprint>>>,
}

impl World {
    /// A member of the first domain's team, which is pinned.
    fn new() -> Self {
        let responses = FixedResponses::default();
        let aws = responses.aws();
        let clock = ManualClock::at("2026-11-24T10:00:00Z".parse().unwrap());
        let team = Arc::new(Mutex::new(Some(TEAM)));
        responses.respond("UpdateItem", json!({ "Attributes": pending_member(MEMBER, clock.now()) }));
        responses.respond("TransactWriteItems", json!({}));
        responses.respond("SendMessage", json!({ "MessageId": "1" }));
        let context = Context {
            community: community(),
            source: Box::new(Launchpad(Arc::clone(&team))),
            store: Store::new(aws.dynamodb(), "t"),
            pins: PinCache::default(),
            worker: aws.worker("verify", clock.clone()),
            write_queue: aws.queue("write"),
        };
        let world = Self { context, responses, clock, team };
        world.set_domain(json!({ "team": 1 }));
        world
    }

    /// Sets the item of the first domain.
    fn set_domain(&self, domain: Value) {
        let item = item(&format!("DOMAIN#{}", self.context.community.domains[0].domain), "DOMAIN", &domain);
        self.responses.respond("BatchGetItem", json!({ "Responses": { "t": [item] } }));
    }

    fn set_team(&self, team: Option<Fingerprint>) {
        *self.team.lock().unwrap() = team;
    }

    async fn check(&self) -> (&'static str, Vec<String>) {
        let message = message(MEMBER, "AbC1234", self.clock.now());
        let outcome = check::check(&self.context, message, Attempt { receives: 1, is_last: false }).await.unwrap();
        (outcome, self.responses.drain_calls())
    }
}

#[tokio::test]
async fn next_check_costs_three_calls() {
    let world = World::new();
    let (outcome, calls) = world.check().await;
    assert_eq!((outcome, calls.len()), ("eligible", 4), "{calls:?}");
    assert_eq!(world.check().await.1, ["UpdateItem", "TransactWriteItems", "SendMessage"]);
    world.clock.advance(SignedDuration::from_mins(1));
    assert_eq!(world.check().await.1, calls, "the pins are read again after a minute");
}

#[tokio::test]
async fn cached_pins_find_replaced_team() {
    let world = World::new();
    world.check().await;
    world.set_team(Some(OTHER_TEAM));
    let (outcome, calls) = world.check().await;
    assert_eq!((outcome, calls[1].as_str()), ("teams-unavailable", "BatchGetItem"));
}

#[tokio::test]
async fn cached_pins_never_say_no_team() {
    let world = World::new();
    world.check().await;
    world.set_team(None);
    world.set_domain(json!({ "team": 1, "team_problem": "missing" }));
    assert_eq!(world.check().await.0, "teams-unavailable");
}

#[tokio::test]
async fn changed_pin_counts_at_once() {
    let world = World::new();
    world.check().await;
    world.set_team(Some(OTHER_TEAM));
    world.set_domain(json!({ "team": 2 }));
    assert_eq!(world.check().await.0, "eligible");
}

/// A member of the former provider has an address from then: "closed" would be wrong, and nothing is granted.
#[tokio::test]
async fn foreign_identity_is_unknown() {
    let mut world = World::new();
    world.context.source = Box::new(Foreign);
    let mut member = pending_member(MEMBER, world.clock.now());
    let observation = json!({
        "name": "alice", "fingerprint": 7, "account": "active", "signed_code_of_conduct": true,
        "observed_at": world.clock.now().as_microsecond(),
    });
    member["observation"] = attribute(&observation);
    world.responses.respond("UpdateItem", json!({ "Attributes": member.clone() }));
    world.responses.respond("Query", json!({ "Items": [member], "Count": 1 }));
    let (outcome, calls) = world.check().await;
    assert_eq!(
        (outcome, calls),
        ("unknown", ["UpdateItem", "Query", "TransactWriteItems"].map(str::to_owned).to_vec())
    );
}

#[rstest::rstest]
#[case::not_allowed("AccessDeniedException")]
#[case::no_table("ResourceNotFoundException")]
#[tokio::test]
async fn denied_check_survives_an_hour(#[case] code: &'static str) {
    let World { mut context, clock, .. } = World::new();
    let denials = Denials::default();
    let aws = denials.aws(move |_, _| Response::error(code));
    context.store = Store::new(aws.dynamodb(), "t");
    context.worker = aws.worker("verify", clock.clone());
    let message = message(MEMBER, "AbC1234", clock.now());
    let handle = async |event| handle(&context, event).await;
    let seconds = denials.seconds_to_dead_letter(&message, MAX_RECEIVES, handle).await.unwrap();
    assert!(seconds >= 3600, "{seconds} s");
}
