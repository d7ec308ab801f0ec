//! A fake of AWS, and the maps on top of it.

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

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
use membermail_alias_map::settings::CacheTtls;
use membermail_alias_map::table::{KeySource, Table};
use membermail_core::address::Address;
use membermail_core::destination::DestinationId;
use membermail_core::email::EmailAddress;
use membermail_core::member::MemberId;
use membermail_core::random::OsRandom;
use membermail_runtime::secret::MasterSecret;
use membermail_store::{Field, KeyContext, Sealer, Store};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{clock, settings};

pub(crate) const SECRET: &str = "a master secret of these tests, long enough";
pub(crate) const MEMBER: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

/// A fake of the operations of DynamoDB and Secrets Manager that alias-map uses.
#[derive(Default)]
pub(crate) struct Aws {
    pub(crate) items: HashMap<(String, String), Value>,
    /// Earlier states of items, which eventually consistent reads return.
    pub(crate) stale: HashMap<(String, String), Value>,
    /// Requests to DynamoDB: target and body.
    pub(crate) requests: Vec<(String, Value)>,
    pub(crate) secrets_manager_hangs: bool,
}

pub(crate) type Shared = Arc<Mutex<Aws>>;

fn key_of(item: &Value) -> (String, String) {
    let [pk, sk] = ["pk", "sk"].map(|name| item[name]["S"].as_str().unwrap_or_default().to_owned());
    (pk, sk)
}

async fn answer(State(aws): State<Shared>, headers: HeaderMap, body: String) -> Response {
    let target = headers["x-amz-target"].to_str().unwrap().to_owned();
    let request: Value = serde_json::from_str(&body).unwrap();
    let answer = {
        let mut aws = aws.lock().unwrap();
        if target.starts_with("secretsmanager.") {
            (!aws.secrets_manager_hangs).then(|| json!({ "SecretString": SECRET }))
        } else {
            let answer = if target.ends_with(".Query") {
                let values = &request["ExpressionAttributeValues"];
                // The index contains the items that have both of its keys.
                let items = aws.items.values().filter(|item| match request["IndexName"].as_str() {
                    Some(_) => item["member"] == values[":member"] && !item["address"].is_null(),
                    None => item["pk"] == values[":pk"],
                });
                let items: Vec<_> = items.collect();
                json!({ "Items": items, "Count": items.len() })
            } else if target.ends_with(".PutItem") {
                aws.items.insert(key_of(&request["Item"]), request["Item"].clone());
                json!({})
            } else if target.ends_with(".BatchGetItem") {
                let keys = request["RequestItems"]["t"]["Keys"].as_array().unwrap();
                let items: Vec<_> = keys.iter().filter_map(|key| aws.items.get(&key_of(key))).collect();
                json!({ "Responses": { "t": items } })
            } else {
                let key = key_of(&request["Key"]);
                let stale = aws.stale.get(&key).filter(|_| request["ConsistentRead"] != true);
                let item = stale.or(aws.items.get(&key));
                item.map_or_else(|| json!({}), |item| json!({ "Item": item }))
            };
            aws.requests.push((target, request.clone()));
            Some(answer)
        }
    };
    match answer {
        Some(answer) => ([(CONTENT_TYPE, "application/x-amz-json-1.0")], answer.to_string()).into_response(),
        None => std::future::pending().await,
    }
}

pub(crate) fn item(aws: &Shared, pk: &str, sk: &str, mut item: Value) {
    item["pk"] = json!({ "S": pk });
    item["sk"] = json!({ "S": sk });
    aws.lock().unwrap().items.insert((pk.to_owned(), sk.to_owned()), item);
}

pub(crate) fn text(value: &str) -> Value {
    json!({ "S": value })
}

pub(crate) fn number(value: u64) -> Value {
    json!({ "N": value.to_string() })
}

/// Adds a member with this id and state, whose sign-in address is `NAME@mail.example`.
pub(crate) fn member(aws: &Shared, id: &str, name: &str, account: &str) {
    let key_context = KeyContext::new(&OsRandom);
    let id = MemberId::parse(id).unwrap();
    let address = EmailAddress::parse(&format!("{name}@mail.example")).unwrap();
    let sign_in = Sealer::new(SECRET.as_bytes()).seal(&key_context, id, Field::SignIn, &address, &OsRandom).unwrap();
    let observation = json!({
        "name": text(name), "fingerprint": number(1), "account": text(account),
        "signed_code_of_conduct": { "BOOL": true }, "observed_at": number(1_795_000_000_000_000),
    });
    let member = json!({
        "id": text(&id.to_string()), "session_epoch": number(0), "observation": { "M": observation },
        "salt": text(&String::from(key_context)), "sign_in": { "S": serde_json::to_value(sign_in).unwrap() },
        "state": text("done"), "requested_at": text("2026-11-24T10:00:00Z"),
    });
    item(aws, &format!("MEMBER#{id}"), "PROFILE", member);
    item(aws, &format!("NAME#{name}"), "-", json!({ "name": text(name), "owner": text(&id.to_string()) }));
}

/// Adds a confirmed destination of the member, sealed with this secret.
pub(crate) fn destination_sealed_by(aws: &Shared, secret: &str, id: &str, address: &str) -> DestinationId {
    let profile = (format!("MEMBER#{id}"), "PROFILE".to_owned());
    let key_context = aws.lock().unwrap().items[&profile]["salt"]["S"].as_str().unwrap().to_owned();
    let key_context = KeyContext::try_from(key_context).unwrap();
    let member = MemberId::parse(id).unwrap();
    let destination = DestinationId::parse(&format!("{:026}", aws.lock().unwrap().items.len())).unwrap();
    let address = EmailAddress::parse(address).unwrap();
    let sealer = Sealer::new(secret.as_bytes());
    let sealed = sealer.seal(&key_context, member, Field::Destination(destination), &address, &OsRandom).unwrap();
    let confirmed = json!({ "M": { "at": text("2026-11-24T10:00:00Z"), "by": text("code") } });
    let stored = json!({
        "member": text(id), "id": text(&destination.to_string()), "created": text("2026-11-28T21:00:00Z"),
        "confirmed": confirmed, "version": number(1), "sealed": { "S": serde_json::to_value(sealed).unwrap() },
    });
    item(aws, &format!("MEMBER#{id}"), &format!("DESTINATION#{destination}"), stored);
    destination
}

/// Adds a confirmed destination of the member.
pub(crate) fn destination(aws: &Shared, id: &str, address: &str) -> DestinationId {
    destination_sealed_by(aws, SECRET, id, address)
}

/// Changes the attributes of a destination; `null` removes one.
pub(crate) fn change_destination(aws: &Shared, id: &str, destination: DestinationId, change: Value) {
    let mut aws = aws.lock().unwrap();
    let stored = aws.items.get_mut(&(format!("MEMBER#{id}"), format!("DESTINATION#{destination}"))).unwrap();
    for (name, value) in change.as_object().unwrap() {
        match value.is_null() {
            true => drop(stored.as_object_mut().unwrap().remove(name)),
            false => stored[name] = value.clone(),
        }
    }
}

/// Adds an alias of the member with these destinations.
pub(crate) fn alias_of(aws: &Shared, id: &str, address: &str, status: &str, destinations: &[DestinationId]) {
    let address = Address::try_from(address.to_owned()).unwrap();
    let destinations: Vec<_> = destinations.iter().map(|id| text(&id.to_string())).collect();
    let alias = json!({
        "address": text(&address.to_string()), "member": text(id), "name": text("alice"),
        "fingerprint": number(1), "observed_at": number(1_795_000_000_000_000), "status": text(status),
        "reason": text("eligible"), "since": text("2026-11-24T10:00:00Z"), "version": number(1),
        "destinations": { "L": destinations },
    });
    item(aws, &format!("DOMAIN#{}", address.domain), &format!("ALIAS#{}", address.local_part), alias);
}

/// Adds an alias of the member that forwards to `address_outside`.
pub(crate) fn alias(aws: &Shared, id: &str, address: &str, status: &str, address_outside: &str) {
    let destination = destination(aws, id, address_outside);
    alias_of(aws, id, address, status, &[destination]);
}

pub(crate) fn bind(aws: &Shared, domain: &str, id: &str) {
    let binding = json!({ "member": text(id), "since": text("2026-11-24T10:00:00Z") });
    item(aws, &format!("ADMINS#{domain}"), id, binding);
}

/// The maps over the table.
pub(crate) async fn lookups(aws: &Shared) -> Arc<Lookups> {
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
    let table = Table::new(store, KeySource::SecretsManager(secret), community, Arc::new(OsRandom));
    Arc::new(Lookups::new(Arc::new(table), domains, &settings(CacheTtls::default()), clock()))
}

pub(crate) fn ok(value: &str) -> Reply {
    Reply::Ok(value.to_owned())
}
