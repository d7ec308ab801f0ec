//! What a grant costs, and what comes of one that is late.

mod aws;

use jiff::{SignedDuration, Timestamp};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::email::EmailAddress;
use membermail_core::member::{Fingerprint, LaunchpadName, MemberId, ObservedName};
use membermail_core::message::WriteAlias;
use membermail_core::random::OsRandom;
use membermail_runtime::batch::Reports;
use membermail_runtime::metrics::Metrics;
use membermail_runtime::queue::Queue;
use membermail_runtime::secret::MasterSecret;
use membermail_store::{Field, Salt, Sealer, Store};
use serde_json::json;

use self::aws::{Aws, item};
use crate::{Context, grant};

const MASTER: &str = "a master secret of these tests, long enough";
const MEMBER: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

fn now() -> Timestamp {
    SystemClock.now()
}

/// An eligible member without an address, and what gives them one.
async fn world() -> (Context, Aws) {
    let aws = Aws::default();
    let config = aws.serve().await;
    let id = MemberId::parse(MEMBER).unwrap();
    let (salt, to) = (Salt::new(&OsRandom), EmailAddress::parse("alice@mail.example").unwrap());
    let sign_in = Sealer::new(MASTER.as_bytes()).seal(&salt, id, Field::SignIn, &to, &OsRandom).unwrap();
    let member = json!({
        "id": MEMBER, "session_epoch": 0, "salt": String::from(salt), "sign_in": sign_in,
        "state": "done", "requested_at": "2026-11-24T10:00:00Z",
    });
    let member = item(&format!("MEMBER#{MEMBER}"), "PROFILE", &member);
    aws.answer("GetSecretValue", json!({ "SecretString": MASTER }));
    aws.answer("BatchGetItem", json!({ "Responses": { "t": [member] } }));
    aws.answer("TransactWriteItems", json!({}));
    aws.answer("DeleteItem", json!({}));
    aws.answer("PutItem", json!({}));
    aws.answer("SendMessage", json!({ "MessageId": "1" }));
    let queue = |name: &str| Queue::new(aws_sdk_sqs::Client::new(&config), format!("http://queue.example/{name}"));
    let community = membermail_communities::community("ubuntu").unwrap();
    let context = Context {
        domains: community.domain_names().cloned().collect(),
        rules: community.rules,
        secret: MasterSecret::new(aws_sdk_secretsmanager::Client::new(&config), "master"),
        store: Store::new(aws_sdk_dynamodb::Client::new(&config), "t"),
        inbox: queue("write"),
        reports: Reports { queue: queue("notify"), tries: 12 },
        metrics: Metrics::to_log(),
        clock: Box::new(SystemClock),
        random: Box::new(OsRandom),
    };
    (context, aws)
}

fn wish() -> WriteAlias {
    let name = LaunchpadName::parse("alice").unwrap();
    WriteAlias {
        member: MemberId::parse(MEMBER).unwrap(),
        known_as: ObservedName { name, fingerprint: Fingerprint(1), observed_at: now() },
        domain: "ubuntu.com".parse().unwrap(),
        request_id: "a-test".into(),
    }
}

#[tokio::test]
async fn created_address_costs_three_calls() {
    let (context, aws) = world().await;
    grant::grant(&context, wish()).await.unwrap();
    assert_eq!(aws.take_calls(), ["BatchGetItem", "TransactWriteItems", "SendMessage"]);
}

#[tokio::test]
async fn late_grant_is_left_to_sync() {
    let (context, aws) = world().await;
    let late = WriteAlias { known_as: observed_before(SignedDuration::from_hours(25)), ..wish() };
    grant::grant(&context, late).await.unwrap();
    assert_eq!(aws.take_calls(), ["BatchGetItem", "PutItem"]);
}

#[tokio::test]
async fn grant_for_removed_domain_writes_nothing() {
    let (context, aws) = world().await;
    let domain = "removed.example".parse().unwrap();
    grant::grant(&context, WriteAlias { domain, ..wish() }).await.unwrap();
    assert_eq!(aws.take_calls(), ["BatchGetItem"]);
}

#[tokio::test]
async fn late_refusal_of_name_is_dropped() {
    let (context, aws) = world().await;
    let refused = |age| {
        let known_as = ObservedName { name: LaunchpadName::parse("postmaster").unwrap(), ..observed_before(age) };
        WriteAlias { known_as, ..wish() }
    };
    grant::grant(&context, refused(SignedDuration::from_hours(25))).await.unwrap();
    assert!(aws.take_calls().is_empty());
    grant::grant(&context, refused(SignedDuration::from_hours(1))).await.unwrap();
    assert_eq!(aws.take_calls(), ["PutItem"]);
}

fn observed_before(age: SignedDuration) -> ObservedName {
    ObservedName { observed_at: now() - age, ..wish().known_as }
}
