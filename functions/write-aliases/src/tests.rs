//! The calls that a grant costs, late grants, and denied calls.

use jiff::{SignedDuration, Timestamp};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::email::EmailAddress;
use membermail_core::member::{Fingerprint, MemberId, ObservedName, PersonName};
use membermail_core::message::{AliasGrant, WriteAliases};
use membermail_core::random::OsRandom;
use membermail_runtime::testing::{Denials, FakeAws, FixedResponses, Response, item};
use membermail_store::{Field, KeyContext, Sealer, Store};
use serde_json::{Value, json};

use crate::{Context, MAX_RECEIVES, grant, handle};

const MASTER: &str = "a master secret of these tests, long enough";
const FAILURE_QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:delivery-failure";
const MEMBER: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

fn now() -> Timestamp {
    SystemClock.now()
}

/// The function with a fake AWS that has an eligible member without an address.
fn world() -> (Context, FixedResponses) {
    let responses = FixedResponses::default();
    for (operation, response) in responses_of_aws() {
        responses.respond(operation, response);
    }
    (context(&responses.aws()), responses)
}

fn responses_of_aws() -> [(&'static str, Value); 5] {
    let id = MemberId::parse(MEMBER).unwrap();
    let key_context = KeyContext::new(&OsRandom);
    let to = EmailAddress::parse("alice@mail.example").unwrap();
    let sign_in = Sealer::new(MASTER.as_bytes()).seal(&key_context, id, Field::SignIn, &to, &OsRandom).unwrap();
    let member = json!({
        "id": MEMBER, "session_epoch": 0, "salt": String::from(key_context), "sign_in": sign_in,
        "destination": "01ARZ3NDEKTSV4RRFFQ69G5FAW",
        "state": "done", "requested_at": "2026-11-24T10:00:00Z",
    });
    let member = item(&format!("MEMBER#{MEMBER}"), "PROFILE", &member);
    [
        ("BatchGetItem", json!({ "Responses": { "t": [member] } })),
        ("TransactWriteItems", json!({})),
        ("DeleteItem", json!({})),
        ("PutItem", json!({})),
        ("SendMessage", json!({ "MessageId": "1" })),
    ]
}

fn context(aws: &FakeAws) -> Context {
    let community = membermail_communities::community("ubuntu").unwrap();
    Context {
        domains: community.domain_names().cloned().collect(),
        rules: community.rules,
        store: Store::new(aws.dynamodb(), "t"),
        worker: aws.worker("write", SystemClock),
        failure_queue_arn: FAILURE_QUEUE.into(),
        collected_queue_arns: Vec::new(),
    }
}

fn eligible_member() -> AliasGrant {
    let name = PersonName::parse("alice").unwrap();
    AliasGrant {
        member: MemberId::parse(MEMBER).unwrap(),
        known_as: ObservedName { name, fingerprint: Fingerprint(1), observed_at: now() },
        domain: "ubuntu.com".parse().unwrap(),
        request_id: "a-test".into(),
    }
}

#[tokio::test]
async fn created_address_costs_three_calls() {
    let (context, responses) = world();
    grant::handle_grant(&context, eligible_member()).await.unwrap();
    assert_eq!(responses.drain_calls(), ["BatchGetItem", "TransactWriteItems", "SendMessage"]);
}

#[tokio::test]
async fn late_grant_is_left_to_sync() {
    let (context, responses) = world();
    let late = AliasGrant { known_as: observed_before(SignedDuration::from_hours(25)), ..eligible_member() };
    grant::handle_grant(&context, late).await.unwrap();
    assert_eq!(responses.drain_calls(), ["BatchGetItem", "PutItem"]);
}

#[tokio::test]
async fn grant_for_removed_domain_writes_nothing() {
    let (context, responses) = world();
    let domain = "removed.example".parse().unwrap();
    grant::handle_grant(&context, AliasGrant { domain, ..eligible_member() }).await.unwrap();
    assert_eq!(responses.drain_calls(), ["BatchGetItem"]);
}

#[tokio::test]
async fn late_refusal_of_name_is_dropped() {
    let (context, responses) = world();
    for (hours, calls) in [(25, &[][..]), (1, &["PutItem"])] {
        let name = PersonName::parse("postmaster").unwrap();
        let known_as = ObservedName { name, ..observed_before(SignedDuration::from_hours(hours)) };
        grant::handle_grant(&context, AliasGrant { known_as, ..eligible_member() }).await.unwrap();
        assert_eq!(responses.drain_calls(), calls);
    }
}

fn observed_before(age: SignedDuration) -> ObservedName {
    ObservedName { observed_at: now() - age, ..eligible_member().known_as }
}

#[rstest::rstest]
#[case::read("BatchGetItem", "AccessDeniedException")]
#[case::write("TransactWriteItems", "AccessDeniedException")]
#[case::no_table("TransactWriteItems", "ResourceNotFoundException")]
#[case::key_of_table("BatchGetItem", "KMSAccessDeniedException")]
#[tokio::test]
async fn denied_grant_survives_an_hour(#[case] denied: &'static str, #[case] code: &'static str) {
    let denials = Denials::default();
    let aws = denials.aws(move |operation, _| {
        let response = responses_of_aws().into_iter().find(|(name, _)| *name == operation && *name != denied);
        response.map_or_else(|| Response::error(code), |(_, response)| Response::Ok(response))
    });
    let context = context(&aws);
    let message = WriteAliases::Grant(eligible_member());
    let handle = async |event| handle(&context, event).await;
    let seconds = denials.seconds_to_dead_letter(&message, MAX_RECEIVES, handle).await.unwrap();
    assert!(seconds >= 3600, "{seconds} s");
}
