//! The table of the benchmark: members who signed in and have no address yet.

use std::collections::HashMap;

use anyhow::{Context, Result};
use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, PutRequest, ScalarAttributeType, WriteRequest,
};
use membermail_core::address::{Address, DomainName, LocalPart};
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::email::EmailAddress;
use membermail_core::lifecycle::{Action, Step};
use membermail_core::member::{self, Fingerprint, LaunchpadName, MemberId, ObservedName};
use membermail_core::message::{TakeSteps, WriteAlias, WriteAliases};
use membermail_core::random::OsRandom;
use membermail_store::{Field, Salt, Sealer, Store};
use tokio::task::JoinSet;

/// The master secret.
pub(super) const MASTER: &str = "a master secret of a benchmark, long enough";
/// The table's name.
pub(super) const TABLE: &str = "bench";
const DOMAIN: &str = "ubuntu.com";
/// Items in one request, and requests at the same time.
const BATCH: usize = 25;
const IN_FLIGHT: usize = 8;

/// A member, and the number that their name is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Person {
    id: MemberId,
    number: usize,
}

/// The table.
pub(super) struct Table {
    client: Client,
    store: Store,
    domain: DomainName,
}

impl Table {
    /// Makes it, with one verified domain.
    pub(super) async fn at(port: u16) -> Result<Self> {
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .endpoint_url(format!("http://127.0.0.1:{port}"))
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "a benchmark"));
        let client = Client::new(&config.load().await);
        create(&client).await?;
        let (store, domain) = (Store::new(client.clone(), TABLE), DOMAIN.parse()?);
        let cause = Cause { actor: Actor::Operator, by: Some("bench"), request_id: "bench", now: SystemClock.now() };
        store.verify_domain(&domain, cause, &OsRandom).await?;
        Ok(Self { client, store, domain })
    }

    /// Writes this number of members.
    pub(super) async fn fill(&self, members: usize) -> Result<Vec<Person>> {
        let now = SystemClock.now();
        let people: Vec<_> = (0..members).map(|number| Person { id: MemberId::new(now, &OsRandom), number }).collect();
        let sealer = Sealer::new(MASTER.as_bytes());
        let mut requests = JoinSet::new();
        for batch in people.chunks(BATCH) {
            let items = batch.iter().map(|person| item(person, &sealer, &now.to_string()));
            let items = items.collect::<Result<Vec<_>>>()?;
            if requests.len() >= IN_FLIGHT {
                requests.join_next().await.context("no request")???;
            }
            requests.spawn(put(self.client.clone(), items));
        }
        while let Some(ended) = requests.join_next().await {
            ended??;
        }
        Ok(people)
    }

    /// The messages of a first sync that gives each of them an address.
    pub(super) fn steps(&self, people: &[Person]) -> Result<Vec<String>> {
        let (now, random) = (SystemClock.now(), OsRandom);
        let run = member::ulid(now, &random);
        let message = |people: &[Person]| {
            let step = |person: &Person| {
                let (address, known_as) = (self.address(person)?, Some(known_as(person)?));
                Ok(Step { address, member: person.id, version: 0, known_as, action: Action::Create })
            };
            let steps = people.iter().map(step).collect::<Result<_>>()?;
            let message = WriteAliases::Take(TakeSteps { run, read_at: now, steps, request_id: "bench".to_owned() });
            Ok(serde_json::to_string(&message)?)
        };
        people.chunks(TakeSteps::STEPS).map(message).collect()
    }

    /// The message of a sign-in.
    pub(super) fn grant(&self, person: Person) -> Result<String> {
        let (domain, request_id) = (self.domain.clone(), "bench".to_owned());
        let grant = WriteAlias { member: person.id, known_as: known_as(&person)?, domain, request_id };
        Ok(serde_json::to_string(&WriteAliases::Grant(grant))?)
    }

    /// Whether they have their address.
    pub(super) async fn has_address(&self, person: Person) -> Result<bool> {
        Ok(self.store.alias(&self.address(&person)?).await?.is_some())
    }

    fn address(&self, person: &Person) -> Result<Address> {
        let local_part = LocalPart::of(&name(person)?).map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?;
        Ok(Address { local_part, domain: self.domain.clone() })
    }
}

fn name(person: &Person) -> Result<LaunchpadName> {
    Ok(LaunchpadName::parse(&format!("member{:06}", person.number))?)
}

fn known_as(person: &Person) -> Result<ObservedName> {
    Ok(ObservedName { name: name(person)?, fingerprint: Fingerprint(7), observed_at: SystemClock.now() })
}

fn item(person: &Person, sealer: &Sealer, now: &str) -> Result<HashMap<String, AttributeValue>> {
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let (id, salt) = (person.id.to_string(), Salt::new(&OsRandom));
    let to = EmailAddress::parse(&format!("member{}@mail.example", person.number))?;
    let sign_in = serde_json::to_value(sealer.seal(&salt, person.id, Field::SignIn, &to, &OsRandom)?)?;
    let attributes = [
        ("pk", text(&format!("MEMBER#{id}"))),
        ("sk", text("PROFILE")),
        ("id", text(&id)),
        ("session_epoch", AttributeValue::N("0".to_owned())),
        ("salt", text(&String::from(salt))),
        ("sign_in", text(sign_in.as_str().context("no text")?)),
        ("state", text("done")),
        ("requested_at", text(now)),
    ];
    Ok(attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

async fn put(client: Client, items: Vec<HashMap<String, AttributeValue>>) -> Result<()> {
    let write = |item| {
        let put = PutRequest::builder().set_item(Some(item)).build()?;
        anyhow::Ok(WriteRequest::builder().put_request(put).build())
    };
    let writes = items.into_iter().map(write).collect::<Result<Vec<_>>>()?;
    let mut open = HashMap::from([(TABLE.to_owned(), writes)]);
    while !open.is_empty() {
        let answer = client.batch_write_item().set_request_items(Some(open)).send().await?;
        open = answer.unprocessed_items.unwrap_or_default();
    }
    Ok(())
}

async fn create(client: &Client) -> Result<()> {
    let key = |name: &str, kind: KeyType| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let index = GlobalSecondaryIndex::builder()
        .index_name("by-member")
        .key_schema(key("member", KeyType::Hash)?)
        .key_schema(key("address", KeyType::Range)?)
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()?;
    let mut request = client.create_table().table_name(TABLE).billing_mode(BillingMode::PayPerRequest);
    for name in ["pk", "sk", "member", "address"] {
        let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
        request = request.attribute_definitions(attribute.build()?);
    }
    let request = request.key_schema(key("pk", KeyType::Hash)?).key_schema(key("sk", KeyType::Range)?);
    request.global_secondary_indexes(index).send().await?;
    Ok(())
}
