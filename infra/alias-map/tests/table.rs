//! The real table behind the maps, over what stands for AWS here: what is asked of it, and how, and what becomes of mail
//! while one of the two services says nothing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::config::Credentials;
use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use membermail_alias_map::lookups::Lookups;
use membermail_alias_map::protocol::Reply;
use membermail_alias_map::settings::Patience;
use membermail_alias_map::table::{Secret, Table};
use membermail_core::address::Address;
use membermail_core::email::EmailAddress;
use membermail_core::member::MemberId;
use membermail_core::random::OsRandom;
use membermail_runtime::secret::{FRESH, MasterSecret};
use membermail_store::{Field, Salt, Sealer, Store};
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[expect(dead_code, reason = "each test file takes its part")]
mod support;

const SECRET: &str = "a master secret of these tests, long enough";
const MEMBER: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

/// DynamoDB and Secrets Manager, as far as alias-map knows them.
#[derive(Default)]
struct Aws {
    items: HashMap<(String, String), Value>,
    /// Requests to DynamoDB, each with what it was.
    asked: Vec<(String, Value)>,
    secrets_are_silent: bool,
}

type Shared = Arc<Mutex<Aws>>;

async fn answer(State(aws): State<Shared>, headers: HeaderMap, body: String) -> Response {
    let target = headers["x-amz-target"].to_str().unwrap().to_owned();
    let request: Value = serde_json::from_str(&body).unwrap();
    let answer = {
        let mut aws = aws.lock().unwrap();
        if target.starts_with("secretsmanager.") {
            (!aws.secrets_are_silent).then(|| json!({ "SecretString": SECRET }))
        } else {
            let key = |name: &str| request["Key"][name]["S"].as_str().unwrap_or_default().to_owned();
            let item = aws.items.get(&(key("pk"), key("sk"))).cloned();
            aws.asked.push((target, request.clone()));
            Some(item.map_or_else(|| json!({}), |item| json!({ "Item": item })))
        }
    };
    match answer {
        Some(answer) => ([(CONTENT_TYPE, "application/x-amz-json-1.0")], answer.to_string()).into_response(),
        None => std::future::pending().await,
    }
}

fn item(aws: &Shared, pk: &str, sk: &str, mut item: Value) {
    (item["pk"], item["sk"]) = (json!({ "S": pk }), json!({ "S": sk }));
    aws.lock().unwrap().items.insert((pk.to_owned(), sk.to_owned()), item);
}

/// The maps over a table with a member, an admin by name, a verified domain, and the addresses `alice0@` to `alice19@`.
async fn maps() -> (Arc<Lookups>, Shared) {
    let aws = Shared::default();
    let (sealer, salt, id) = (Sealer::new(SECRET.as_bytes()), Salt::new(&OsRandom), MemberId::parse(MEMBER).unwrap());
    let seal = |field: Field<'_>, address: &str| {
        let sealed = sealer.seal(&salt, id, field, &EmailAddress::parse(address).unwrap(), &OsRandom).unwrap();
        serde_json::to_value(sealed).unwrap()
    };
    let text = |value: &str| json!({ "S": value });
    for number in 0..20 {
        let address = Address::try_from(format!("alice{number}@ubuntu.com")).unwrap();
        let destination = seal(Field::Destination(&address), "alice@mail.example");
        let status = if number == 19 { "suspended" } else { "active" };
        let alias = json!({
            "address": text(&address.to_string()), "member": text(MEMBER), "person": { "N": "7" },
            "status": text(status), "reason": text("eligible"), "since": text("2026-11-24T10:00:00Z"),
            "version": { "N": "1" }, "destination": { "S": destination },
        });
        item(&aws, "DOMAIN#ubuntu.com", &format!("ALIAS#alice{number}"), alias);
    }
    let member = json!({
        "id": text(MEMBER), "session_epoch": { "N": "0" }, "launchpad_name": text("ubuntu-admin"),
        "salt": text(&String::from(salt.clone())), "sign_in": { "S": seal(Field::SignIn, "admin@mail.example") },
        "state": text("done"), "requested_at": text("2026-11-24T10:00:00Z"),
    });
    item(&aws, &format!("MEMBER#{MEMBER}"), "PROFILE", member);
    item(&aws, "NAME#ubuntu-admin", "-", json!({ "owner": text(MEMBER) }));
    item(&aws, "DOMAIN#ubuntu.com", "DOMAIN", json!({ "verified": text("2026-11-24T10:00:00Z") }));

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(answer).with_state(Arc::clone(&aws));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "a test"))
        .timeout_config(TimeoutConfig::builder().operation_timeout(Duration::from_millis(1_900)).build())
        .endpoint_url(url)
        .load()
        .await;
    let secret = MasterSecret::new(aws_sdk_secretsmanager::Client::new(&config), "arn");
    let community = membermail_communities::community("ubuntu").unwrap();
    let domains = community.domain_names().cloned().collect();
    let store = Store::new(aws_sdk_dynamodb::Client::new(&config), "t");
    let table = Table::new(store, Secret::Manager(secret), community, [].into());
    let lookups = Lookups::new(Arc::new(table), domains, &support::settings(Patience::default()));
    (Arc::new(lookups), aws)
}

fn ok(value: &str) -> Reply {
    Reply::Ok(value.to_owned())
}

/// Half the price, and an answer also while the table's leader has none.
#[tokio::test]
async fn every_read_is_one_item_eventually_consistent() {
    let (lookups, aws) = maps().await;
    for (data, reply) in [
        ("domain ubuntu.com", ok("OK")),
        ("domain kubuntu.org", Reply::NotFound),
        ("alias alice0@ubuntu.com", ok("alice@mail.example")),
        ("alias zoe+tag@ubuntu.com", Reply::NotFound),
        ("alias postmaster@ubuntu.com", ok("admin@mail.example")),
        ("reject alice19@ubuntu.com", ok("550 5.2.1 This address is switched off")),
    ] {
        assert!(lookups.reply(data.as_bytes()).await == reply, "{data}");
    }
    let asked = &aws.lock().unwrap().asked;
    let keys: Vec<_> = asked.iter().map(|(_, request)| request["Key"]["pk"]["S"].as_str().unwrap()).collect();
    for begin in ["DOMAIN#ubuntu.com", "DOMAIN#kubuntu.org", "NAME#ubuntu-admin", "MEMBER#"] {
        assert!(keys.iter().any(|key| key.starts_with(begin)), "nobody asked for {begin}: {keys:?}");
    }
    for (target, request) in asked {
        assert!(target == "DynamoDB_20120810.GetItem" && request["ConsistentRead"] != true, "{target} {request}");
    }
}

/// Good keys are in memory: mail to whom nobody asked for before waits for none others.
#[tokio::test]
async fn while_secrets_manager_is_silent_what_is_sealed_opens_by_the_keys_at_hand() {
    let (lookups, aws) = maps().await;
    assert!(lookups.reply(b"alias alice0@ubuntu.com").await == ok("alice@mail.example"));
    aws.lock().unwrap().secrets_are_silent = true;
    tokio::time::pause();
    tokio::time::advance(FRESH).await;
    tokio::time::resume();
    let mut all = tokio::task::JoinSet::new();
    for number in 1..10 {
        let lookups = Arc::clone(&lookups);
        all.spawn(async move {
            let begin = Instant::now();
            (lookups.reply(format!("alias alice{number}@ubuntu.com").as_bytes()).await, begin.elapsed())
        });
    }
    let mut slow = 0;
    for (reply, took) in all.join_all().await {
        assert!(reply == ok("alice@mail.example"), "{reply:?} after {took:?}");
        slow += usize::from(took > Duration::from_millis(500));
    }
    assert!(slow <= 1, "{slow} waited");
    for number in 10..19 {
        let (begin, key) = (Instant::now(), format!("alias alice{number}@ubuntu.com"));
        assert!(lookups.reply(key.as_bytes()).await == ok("alice@mail.example"));
        assert!(begin.elapsed() < Duration::from_millis(500), "{:?}", begin.elapsed());
    }
}
