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
            let answer = if target.ends_with(".Query") {
                let values = &request["ExpressionAttributeValues"];
                // The index holds the items that have both of its keys.
                let is_found = |item: &&Value| match request["IndexName"].as_str() {
                    Some(_) => item["member"] == values[":member"] && !item["address"].is_null(),
                    None => item["pk"] == values[":pk"],
                };
                let items: Vec<_> = aws.items.values().filter(is_found).collect();
                json!({ "Items": items, "Count": items.len() })
            } else {
                let item = aws.items.get(&(key("pk"), key("sk")));
                item.map_or_else(|| json!({}), |item| json!({ "Item": item }))
            };
            aws.asked.push((target, request.clone()));
            Some(answer)
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

fn text(value: &str) -> Value {
    json!({ "S": value })
}

fn number(value: u64) -> Value {
    json!({ "N": value.to_string() })
}

/// A member of this id, as the last look-up found them, who signs in from `NAME@mail.example`.
fn member(aws: &Shared, id: &str, name: &str, account: &str) {
    let (salt, id) = (Salt::new(&OsRandom), MemberId::parse(id).unwrap());
    let address = EmailAddress::parse(&format!("{name}@mail.example")).unwrap();
    let sign_in = Sealer::new(SECRET.as_bytes()).seal(&salt, id, Field::SignIn, &address, &OsRandom).unwrap();
    let observation = json!({
        "name": text(name), "fingerprint": number(1), "account": text(account),
        "signed_code_of_conduct": { "BOOL": true }, "observed_at": number(1_795_000_000_000_000),
    });
    let member = json!({
        "id": text(&id.to_string()), "session_epoch": number(0), "observation": { "M": observation },
        "salt": text(&String::from(salt)), "sign_in": { "S": serde_json::to_value(sign_in).unwrap() },
        "state": text("done"), "requested_at": text("2026-11-24T10:00:00Z"),
    });
    item(aws, &format!("MEMBER#{id}"), "PROFILE", member);
    item(aws, &format!("NAME#{name}"), "-", json!({ "name": text(name), "owner": text(&id.to_string()) }));
}

/// An address of the member, which forwards to `destination`.
fn alias(aws: &Shared, id: &str, address: &str, status: &str, destination: &str) {
    let profile = (format!("MEMBER#{id}"), "PROFILE".to_owned());
    let salt = aws.lock().unwrap().items[&profile]["salt"]["S"].as_str().unwrap().to_owned();
    let salt = Salt::try_from(salt).unwrap();
    let (id, address) = (MemberId::parse(id).unwrap(), Address::try_from(address.to_owned()).unwrap());
    let destination = EmailAddress::parse(destination).unwrap();
    let sealer = Sealer::new(SECRET.as_bytes());
    let sealed = sealer.seal(&salt, id, Field::Destination(&address), &destination, &OsRandom).unwrap();
    let alias = json!({
        "address": text(&address.to_string()), "member": text(&id.to_string()), "name": text("alice"),
        "fingerprint": number(1), "observed_at": number(1_795_000_000_000_000), "status": text(status),
        "reason": text("eligible"), "since": text("2026-11-24T10:00:00Z"), "version": number(1),
        "destination": { "S": serde_json::to_value(sealed).unwrap() },
    });
    item(aws, &format!("DOMAIN#{}", address.domain), &format!("ALIAS#{}", address.local_part), alias);
}

fn bind(aws: &Shared, domain: &str, id: &str) {
    let binding = json!({ "member": text(id), "since": text("2026-11-24T10:00:00Z") });
    item(aws, &format!("ADMINS#{domain}"), id, binding);
}

/// The maps over a table with a member who is an admin, a verified domain, and the addresses `alice0@` to `alice19@`.
async fn maps() -> (Arc<Lookups>, Shared) {
    let aws = Shared::default();
    member(&aws, MEMBER, "admin", "active");
    for number in 0..20 {
        let status = if number == 19 { "suspended" } else { "active" };
        alias(&aws, MEMBER, &format!("alice{number}@ubuntu.com"), status, "alice@mail.example");
    }
    bind(&aws, "ubuntu.com", MEMBER);
    item(&aws, "DOMAIN#ubuntu.com", "DOMAIN", json!({ "verified": text("2026-11-24T10:00:00Z") }));
    item(&aws, "DOMAIN#old.example", "DOMAIN", json!({ "verified": text("2026-11-24T10:00:00Z") }));
    item(&aws, "DOMAINS", "old.example", json!({ "domain": text("old.example") }));
    (lookups(&aws).await, aws)
}

/// The maps over that table.
async fn lookups(aws: &Shared) -> Arc<Lookups> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(answer).with_state(Arc::clone(aws));
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
    let table = Table::new(store, Secret::Manager(secret), community);
    Arc::new(Lookups::new(Arc::new(table), domains, &support::settings(Patience::default())))
}

fn ok(value: &str) -> Reply {
    Reply::Ok(value.to_owned())
}

/// Half the price, and an answer also while the table's leader has none. What is listed is the admins of a domain and the
/// addresses of one of them: the policy of the mail host allows no more.
#[tokio::test]
async fn reads_are_few_and_eventually_consistent() {
    let (lookups, aws) = maps().await;
    for (data, reply) in [
        ("domain ubuntu.com", ok("OK")),
        ("domain kubuntu.org", Reply::NotFound),
        ("domain old.example", ok("OK")),
        ("domain other.example", Reply::NotFound),
        ("alias alice0@ubuntu.com", ok("alice@mail.example")),
        ("alias zoe+tag@ubuntu.com", Reply::NotFound),
        ("alias postmaster@ubuntu.com", ok("admin@mail.example")),
        ("reject alice19@ubuntu.com", ok("550 5.2.1 This address is switched off")),
    ] {
        assert!(lookups.reply(data.as_bytes()).await == reply, "{data}");
    }
    let asked = &aws.lock().unwrap().asked;
    for (target, request) in asked {
        assert!(request["ConsistentRead"] != true, "{target} {request}");
        let key = match target.as_str() {
            "DynamoDB_20120810.GetItem" => &request["Key"]["pk"]["S"],
            "DynamoDB_20120810.Query" if request["IndexName"] == "by-member" => continue,
            "DynamoDB_20120810.Query" => &request["ExpressionAttributeValues"][":pk"]["S"],
            _ => panic!("{target}"),
        };
        let (key, lists) = (key.as_str().unwrap(), target.ends_with(".Query"));
        assert!((key.starts_with("ADMINS#") || key == "DOMAINS") == lists, "{target} {key}");
        assert!(lists || key.starts_with("DOMAIN#") || key.starts_with("MEMBER#"), "{target} {key}");
    }
}

#[tokio::test]
async fn outsider_with_admins_name_gets_nothing() {
    const OUTSIDER: &str = "01BX5ZZKBKACTAV9WEVGEMMVRZ";
    let aws = Shared::default();
    // The community file documents `ubuntu-admin`, who was renamed and never bound. Another person has the name now.
    member(&aws, OUTSIDER, "ubuntu-admin", "active");
    alias(&aws, OUTSIDER, "ubuntu-admin@ubuntu.com", "active", "outsider@mail.example");
    let maps = lookups(&aws).await;
    for key in ["postmaster", "abuse", "hostmaster", "devel-request"] {
        let reply = maps.reply(format!("alias {key}@ubuntu.com").as_bytes()).await;
        assert!(reply == ok("operators@ops.example"), "{key}: {}", reply.to_data());
    }
    // The renamed admin is bound, and gets it under any name.
    member(&aws, MEMBER, "renamed", "active");
    alias(&aws, MEMBER, "renamed@ubuntu.com", "active", "renamed@mail.example");
    bind(&aws, "ubuntu.com", MEMBER);
    assert!(lookups(&aws).await.reply(b"alias postmaster@ubuntu.com").await == ok("renamed@mail.example"));
}

#[rstest::rstest]
#[case::acts("active", "active", "admin@mail.example")]
#[case::account_is_deactivated("deactivated", "active", "operators@ops.example")]
#[case::has_no_address("active", "suspended", "operators@ops.example")]
#[tokio::test]
async fn role_mail_follows_who_can_act(#[case] account: &str, #[case] status: &str, #[case] reader: &str) {
    let aws = Shared::default();
    member(&aws, MEMBER, "admin", account);
    alias(&aws, MEMBER, "anna@ubuntu.com", status, "admin@mail.example");
    bind(&aws, "ubuntu.com", MEMBER);
    assert!(lookups(&aws).await.reply(b"alias postmaster@ubuntu.com").await == ok(reader));
}

/// The admins of a domain that the community file no longer has, while their addresses there end with it.
#[tokio::test]
async fn retiring_domain_keeps_its_admins() {
    let aws = Shared::default();
    member(&aws, MEMBER, "admin", "active");
    alias(&aws, MEMBER, "anna@old.example", "leaving", "admin@mail.example");
    let key = ("DOMAIN#old.example".to_owned(), "ALIAS#anna".to_owned());
    bind(&aws, "old.example", MEMBER);
    item(&aws, "DOMAINS", "old.example", json!({ "domain": text("old.example") }));
    assert!(lookups(&aws).await.reply(b"alias postmaster@old.example").await == ok("operators@ops.example"));
    aws.lock().unwrap().items.get_mut(&key).unwrap()["reason"] = text("domain-retired");
    assert!(lookups(&aws).await.reply(b"alias postmaster@old.example").await == ok("admin@mail.example"));
    assert!(lookups(&aws).await.reply(b"alias anna@old.example").await == ok("admin@mail.example"));
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
