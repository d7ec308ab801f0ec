//! A table of its own for each test, in the DynamoDB of the stack that `cargo dev test` started.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on says where it stopped")]

use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType,
};
use jiff::Timestamp;
use membermail_core::address::{Address, DomainName};
use membermail_core::audit::{Actor, Cause};
use membermail_core::email::EmailAddress;
use membermail_core::member::{ClaimedIdentifier, Identity};
use membermail_core::random::OsRandom;
use membermail_store::{Member, Sealer, SignIn, Store};

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) sealer: Sealer,
    pub(crate) client: Client,
    pub(crate) table: String,
}

pub(crate) fn now() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

/// By an operator at that time.
pub(crate) fn operator(now: Timestamp) -> Cause<'static> {
    Cause { actor: Actor::Operator, by: Some("olivia"), request_id: "request-1", now }
}

pub(crate) fn community() -> Vec<DomainName> {
    vec!["ubuntu.com".parse().unwrap(), "kubuntu.org".parse().unwrap()]
}

pub(crate) fn address(text: &str) -> Address {
    text.to_owned().try_into().unwrap()
}

pub(crate) fn identity(word: &str) -> Identity {
    let subject = ClaimedIdentifier::parse(&format!("https://login.example.org/+id/{word}")).unwrap();
    Identity { issuer: "https://login.example.org/+openid".into(), subject }
}

impl World {
    /// A new table in which ubuntu.com is verified and kubuntu.org is not.
    pub(crate) async fn new(name: &str) -> Self {
        let path = std::env::var("MEMBERMAIL_STACK").expect("MEMBERMAIL_STACK is set: run this by `cargo dev test`");
        let stack: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .endpoint_url(stack["endpoint_url"].as_str().unwrap())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "the local stack"))
            .load()
            .await;
        let client = Client::new(&config);
        let table = format!("store-{name}-{}", std::process::id());
        create(&client, &table).await;
        let store = Store::new(client.clone(), &table);
        store.verify_domain(&community()[0], operator(now()), &OsRandom).await.unwrap();
        Self { store, sealer: Sealer::new(b"a master secret of a test, long enough"), client, table }
    }

    pub(crate) async fn member(&self, word: &str, email: &str) -> Member {
        let (identity, address) = (identity(word), EmailAddress::parse(email).unwrap());
        let sign_in = SignIn { identity: &identity, address: &address, language: None };
        self.store.sign_in(&self.sealer, sign_in, now(), &OsRandom).await.unwrap()
    }
}

async fn create(client: &Client, table: &str) {
    let attribute = |name: &str| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build().unwrap()
    };
    let key =
        |name: &str, kind: KeyType| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let index = GlobalSecondaryIndex::builder()
        .index_name("by-member")
        .key_schema(key("member", KeyType::Hash))
        .key_schema(key("address", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()
        .unwrap();
    let request = client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
    request
        .set_attribute_definitions(Some(["pk", "sk", "member", "address"].map(attribute).to_vec()))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .global_secondary_indexes(index)
        .send()
        .await
        .unwrap();
}
