//! The load generator of `cargo dev bench mail`: fills a table and sends requests.

#![expect(clippy::unwrap_used, reason = "a panic ends the benchmark")]

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, PutRequest, ScalarAttributeType,
    WriteRequest,
};
use clap::Parser;
use membermail_alias_map::client::Client;
use membermail_alias_map::endpoint::Endpoint;
use membermail_core::address::{Address, DomainName, LocalPart};
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::destination::DestinationId;
use membermail_core::email::EmailAddress;
use membermail_core::member::{Identity, Subject};
use membermail_core::random::{OsRandom, bytes};
use membermail_store::{Field, FirstDestination, Member, NewSession, Sealer, SignIn, Store};
use tokio::runtime::Builder;

#[derive(Parser)]
enum Arguments {
    /// Create a table and fill it
    Fill {
        #[arg(long)]
        table: String,
        #[arg(long)]
        secret: PathBuf,
        #[arg(long)]
        count: usize,
        /// Stop after this time
        #[arg(long)]
        seconds: u64,
    },
    /// Look up random aliases of a range and print latencies
    LookUp {
        #[arg(long)]
        endpoint: Endpoint,
        /// Number of the first alias of the range
        #[arg(long)]
        first: usize,
        /// Size of the range
        #[arg(long)]
        range_size: usize,
        #[arg(long)]
        lookups: usize,
        #[arg(long)]
        connections: usize,
        /// Stop after this time
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
}

/// Number of members that own the aliases.
const MEMBERS: usize = 500;

/// Destinations of each member.
const DESTINATIONS: usize = 10;

/// Numbers of the destinations of an alias: one to five, in equal parts.
fn destinations_of(alias: usize) -> impl Iterator<Item = usize> {
    (0..=alias % 5).map(move |offset| (alias + offset) % DESTINATIONS)
}

/// A member with the ids of their destinations.
struct Owner {
    member: Member,
    destinations: Vec<DestinationId>,
}

fn main() -> Result<()> {
    match Arguments::parse() {
        Arguments::Fill { table, secret, count, seconds } => {
            let secret = std::fs::read(secret)?;
            let fill = fill(&table, secret.trim_ascii(), count, Duration::from_secs(seconds));
            Builder::new_multi_thread().enable_all().build()?.block_on(fill)
        }
        Arguments::LookUp { endpoint, first, range_size, lookups, connections, seconds } => {
            let range = first..first + range_size;
            let look_up = look_up(endpoint, range, lookups, connections, Duration::from_secs(seconds));
            // Single-threaded, so that the client's scheduling does not count as server time.
            Builder::new_current_thread().enable_all().build()?.block_on(look_up)
        }
    }
}

async fn fill(table: &str, secret: &[u8], count: usize, time_limit: Duration) -> Result<()> {
    let config = aws_config::load_defaults(aws_config::BehaviorVersion::v2026_01_12()).await;
    let client = DynamoDb::new(&config);
    create_table(&client, table).await?;
    let store = Store::new(client.clone(), table);
    let sealer = Sealer::new(secret);
    let domain = DomainName::parse("ubuntu.com")?;
    let now = SystemClock.now();
    let cause = Cause { actor: Actor::Operator, by: Some("bench"), request_id: "bench", now };
    store.verify_domain(&domain, cause, &OsRandom).await?;
    let owners = create_owners(&client, table, &store, &sealer).await?;
    let started = Instant::now();
    let next = Arc::new(AtomicUsize::new(0));
    let written = Arc::new(AtomicUsize::new(0));
    let shared = Arc::new((owners, table.to_owned(), domain));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let client = client.clone();
        let next = Arc::clone(&next);
        let written = Arc::clone(&written);
        let shared = Arc::clone(&shared);
        tasks.spawn(async move {
            let (owners, table, domain) = &*shared;
            while started.elapsed() < time_limit {
                let first = next.fetch_add(25, Ordering::Relaxed);
                let numbers: Vec<_> = (first..count.min(first + 25)).collect();
                if numbers.is_empty() {
                    break;
                }
                let items = numbers.iter().map(|number| alias_item(&owners[number % MEMBERS], domain, *number));
                put_all(&client, table, items.collect()).await.unwrap();
                written.fetch_add(numbers.len(), Ordering::Relaxed);
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task?;
    }
    println!("{{\"aliases\":{},\"seconds\":{:.1}}}", written.load(Ordering::Relaxed), started.elapsed().as_secs_f64());
    Ok(())
}

async fn put_all(client: &DynamoDb, table: &str, items: Vec<WriteRequest>) -> Result<()> {
    let mut unprocessed = Some(HashMap::from([(table.to_owned(), items)]));
    while let Some(items) = unprocessed.filter(|items| !items.is_empty()) {
        unprocessed = client.batch_write_item().set_request_items(Some(items)).send().await?.unprocessed_items;
    }
    Ok(())
}

/// Signs in the members, which creates those that are missing, and gives them destinations.
async fn create_owners(client: &DynamoDb, table: &str, store: &Store, sealer: &Sealer) -> Result<Vec<Owner>> {
    let mut owners = Vec::new();
    for number in 0..MEMBERS {
        let subject = Subject::parse(&format!("https://login.example/+id/{number}"))?;
        let identity = Identity { issuer: "bench".to_owned(), subject };
        let address = EmailAddress::parse(&format!("member{number}@mail.example"))?;
        let now = SystemClock.now();
        let hash = number.to_string();
        let session = NewSession { hash: &hash, expires: now };
        let sign_in = SignIn {
            identity: &identity,
            address: &address,
            language: None,
            destination: FirstDestination::Confirmed,
            session,
        };
        let member = store.sign_in(sealer, sign_in, now, &OsRandom).await?;
        let mut destinations = Vec::new();
        let mut items = Vec::new();
        for destination in 0..DESTINATIONS {
            let id = DestinationId::new(now, &OsRandom);
            let address = EmailAddress::parse(&format!("member{number}.{destination}@mail.example"))?;
            items.push(destination_item(sealer, &member, id, &address)?);
            destinations.push(id);
        }
        put_all(client, table, items).await?;
        owners.push(Owner { member, destinations });
    }
    Ok(owners)
}

fn alias(number: usize) -> String {
    format!("somebody{number}")
}

fn text(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

/// A confirmed destination as the store writes it.
fn destination_item(
    sealer: &Sealer,
    member: &Member,
    id: DestinationId,
    address: &EmailAddress,
) -> Result<WriteRequest> {
    let sealed = sealer.seal(&member.key_context, member.id, Field::Destination(id), address, &OsRandom)?;
    let confirmed = HashMap::from([("at".to_owned(), text("2026-11-24T10:00:00Z")), ("by".to_owned(), text("code"))]);
    Ok(put([
        ("pk", text(format!("MEMBER#{}", member.id))),
        ("sk", text(format!("DESTINATION#{id}"))),
        ("member", text(member.id)),
        ("id", text(id)),
        ("created", text("2026-11-24T10:00:00Z")),
        ("confirmed", AttributeValue::M(confirmed)),
        ("version", AttributeValue::N("1".to_owned())),
        ("sealed", serde_dynamo::to_attribute_value(sealed)?),
    ]))
}

/// An alias as the store writes it.
fn alias_item(owner: &Owner, domain: &DomainName, number: usize) -> WriteRequest {
    let address = Address { local_part: LocalPart::parse(&alias(number)).unwrap(), domain: domain.clone() };
    let destinations = destinations_of(number).map(|destination| text(owner.destinations[destination])).collect();
    put([
        ("pk", text(format!("DOMAIN#{domain}"))),
        ("sk", text(format!("ALIAS#{}", address.local_part))),
        ("address", text(&address)),
        ("member", text(owner.member.id)),
        ("name", text(alias(number))),
        ("fingerprint", AttributeValue::N(number.to_string())),
        ("observed_at", AttributeValue::N("1795000000000000".to_owned())),
        ("status", text("active")),
        ("reason", text("eligible")),
        ("since", text("2026-11-24T10:00:00Z")),
        ("version", AttributeValue::N("1".to_owned())),
        ("destinations", AttributeValue::L(destinations)),
    ])
}

fn put<const N: usize>(item: [(&str, AttributeValue); N]) -> WriteRequest {
    let item = item.map(|(name, value)| (name.to_owned(), value)).into();
    WriteRequest::builder().put_request(PutRequest::builder().set_item(Some(item)).build().unwrap()).build()
}

async fn create_table(client: &DynamoDb, table: &str) -> Result<()> {
    let mut request = client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
    for (name, kind) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder().attribute_name(name).key_type(kind);
        request = request.attribute_definitions(attribute.build()?).key_schema(key.build()?);
    }
    request.send().await?;
    Ok(())
}

/// A percentile of sorted latencies, in milliseconds.
fn percentile(latencies: &[Duration], fraction: f64) -> Result<f64> {
    let index = ((latencies.len() as f64 * fraction) as usize).min(latencies.len().saturating_sub(1));
    Ok(latencies.get(index).context("no request was sent")?.as_secs_f64() * 1e3)
}

/// Looks up random aliases of the range and prints throughput and latencies.
async fn look_up(
    endpoint: Endpoint,
    range: std::ops::Range<usize>,
    lookups: usize,
    connections: usize,
    time_limit: Duration,
) -> Result<()> {
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let endpoint = endpoint.clone();
        let range = range.clone();
        tasks.spawn(async move {
            let mut client = Client::connect(&endpoint).await?;
            // A user-space generator, since the kernel's costs a system call per number.
            let mut random = fastrand::Rng::with_seed(u64::from_be_bytes(bytes(&OsRandom)));
            let mut latencies = Vec::with_capacity(lookups / connections);
            for _ in 0..lookups / connections {
                if started.elapsed() > time_limit {
                    break;
                }
                let number = random.usize(range.clone());
                let key = format!("{}@ubuntu.com", alias(number));
                let sent = Instant::now();
                let reply = client.request("alias", &key).await?;
                latencies.push(sent.elapsed());
                let is_complete = reply.split(", ").count() == destinations_of(number).count();
                anyhow::ensure!(reply.starts_with("OK member") && is_complete, "{reply}");
            }
            Ok(latencies)
        });
    }
    let mut latencies = Vec::new();
    while let Some(task) = tasks.join_next().await {
        latencies.extend(task??);
    }
    let seconds = started.elapsed().as_secs_f64();
    latencies.sort_unstable();
    println!(
        "{{\"lookups\":{},\"per_second\":{:.0},\"p50_ms\":{:.3},\"p99_ms\":{:.3},\"max_ms\":{:.3}}}",
        latencies.len(),
        latencies.len() as f64 / seconds,
        percentile(&latencies, 0.5)?,
        percentile(&latencies, 0.99)?,
        percentile(&latencies, 1.0)?
    );
    Ok(())
}
