//! The parts of `cargo dev bench mail` that must be fast themselves: filling a table, and asking.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on says where it stopped")]

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
use membermail_core::email::EmailAddress;
use membermail_core::member::{ClaimedIdentifier, Identity};
use membermail_core::random::{OsRandom, bytes};
use membermail_store::{Field, Member, NewSession, Sealer, SignIn, Store};
use tokio::runtime::Builder;

#[derive(Parser)]
enum Arguments {
    /// Makes a table and fills it
    Fill {
        #[arg(long)]
        table: String,
        #[arg(long)]
        secret: PathBuf,
        #[arg(long)]
        count: usize,
        /// Stops after so long, with what there is
        #[arg(long)]
        seconds: u64,
    },
    /// Asks `alias` for `questions` of the aliases from `first` on, in a random order, and says how long it took
    Ask {
        #[arg(long)]
        at: Endpoint,
        #[arg(long)]
        first: usize,
        #[arg(long)]
        among: usize,
        #[arg(long)]
        questions: usize,
        #[arg(long)]
        connections: usize,
        /// Stops after so long, with what was asked by then
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
}

/// Members that the aliases belong to.
const MEMBERS: usize = 500;

fn main() -> Result<()> {
    match Arguments::parse() {
        Arguments::Fill { table, secret, count, seconds } => {
            let secret = std::fs::read(secret)?;
            let fill = fill(&table, secret.trim_ascii(), count, Duration::from_secs(seconds));
            Builder::new_multi_thread().enable_all().build()?.block_on(fill)
        }
        Arguments::Ask { at, first, among, questions, connections, seconds } => {
            // On one thread: what hands questions from one to another is none of the server's time.
            let ask = ask(at, first..first + among, questions, connections, Duration::from_secs(seconds));
            Builder::new_current_thread().enable_all().build()?.block_on(ask)
        }
    }
}

async fn fill(table: &str, secret: &[u8], count: usize, limit: Duration) -> Result<()> {
    let config = aws_config::load_defaults(aws_config::BehaviorVersion::v2026_01_12()).await;
    let client = DynamoDb::new(&config);
    create(&client, table).await?;
    let (store, sealer) = (Store::new(client.clone(), table), Sealer::new(secret));
    let (domain, now) = (DomainName::parse("ubuntu.com")?, SystemClock.now());
    let cause = Cause { actor: Actor::Operator, by: Some("bench"), request_id: "bench", now };
    store.verify_domain(&domain, cause, &OsRandom).await?;
    let members = members(&store, &sealer).await?;
    let (begin, next, done) = (Instant::now(), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let shared = Arc::new((sealer, members, table.to_owned(), domain));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (client, next, done, shared) = (client.clone(), Arc::clone(&next), Arc::clone(&done), Arc::clone(&shared));
        tasks.spawn(async move {
            let (sealer, members, table, domain) = &*shared;
            while begin.elapsed() < limit {
                let first = next.fetch_add(25, Ordering::Relaxed);
                let numbers: Vec<_> = (first..count.min(first + 25)).collect();
                if numbers.is_empty() {
                    break;
                }
                let items: Vec<_> =
                    numbers.iter().map(|number| item(sealer, &members[number % MEMBERS], domain, *number)).collect();
                let mut open = Some(HashMap::from([(table.clone(), items)]));
                while let Some(items) = open.filter(|items| !items.is_empty()) {
                    open = client
                        .batch_write_item()
                        .set_request_items(Some(items))
                        .send()
                        .await
                        .unwrap()
                        .unprocessed_items;
                }
                done.fetch_add(numbers.len(), Ordering::Relaxed);
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task?;
    }
    println!("{{\"aliases\":{},\"seconds\":{:.1}}}", done.load(Ordering::Relaxed), begin.elapsed().as_secs_f64());
    Ok(())
}

/// The members, made if they are not there.
async fn members(store: &Store, sealer: &Sealer) -> Result<Vec<Member>> {
    let mut members = Vec::new();
    for number in 0..MEMBERS {
        let subject = ClaimedIdentifier::parse(&format!("https://login.example/+id/{number}"))?;
        let identity = Identity { issuer: "bench".to_owned(), subject };
        let address = EmailAddress::parse(&format!("member{number}@mail.example"))?;
        let now = SystemClock.now();
        let hash = number.to_string();
        let session = NewSession { hash: &hash, expires: now };
        let sign_in = SignIn { identity: &identity, address: &address, language: None, session };
        members.push(store.sign_in(sealer, sign_in, now, &OsRandom).await?);
    }
    Ok(members)
}

fn alias(number: usize) -> String {
    format!("somebody{number}")
}

/// An alias as the store writes it.
fn item(sealer: &Sealer, member: &Member, domain: &DomainName, number: usize) -> WriteRequest {
    let address = Address { local_part: LocalPart::parse(&alias(number)).unwrap(), domain: domain.clone() };
    let destination = EmailAddress::parse(&format!("somebody{number}@mail.example")).unwrap();
    let field = Field::Destination(&address);
    let sealed = sealer.seal(&member.salt, member.id, field, &destination, &OsRandom).unwrap();
    let text = |value: String| AttributeValue::S(value);
    let item = [
        ("pk", text(format!("DOMAIN#{domain}"))),
        ("sk", text(format!("ALIAS#{}", address.local_part))),
        ("address", text(address.to_string())),
        ("member", text(member.id.to_string())),
        ("name", text(alias(number))),
        ("fingerprint", AttributeValue::N(number.to_string())),
        ("observed_at", AttributeValue::N("1795000000000000".to_owned())),
        ("status", text("active".to_owned())),
        ("reason", text("eligible".to_owned())),
        ("since", text("2026-11-24T10:00:00Z".to_owned())),
        ("version", AttributeValue::N("1".to_owned())),
        ("destination", serde_dynamo::to_attribute_value(sealed).unwrap()),
    ];
    let item = item.map(|(name, value)| (name.to_owned(), value)).into();
    WriteRequest::builder().put_request(PutRequest::builder().set_item(Some(item)).build().unwrap()).build()
}

async fn create(client: &DynamoDb, table: &str) -> Result<()> {
    let attribute =
        |name: &str| AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build();
    let key = |name: &str, kind: KeyType| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let request = client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
    let request = request.attribute_definitions(attribute("pk")?).attribute_definitions(attribute("sk")?);
    request.key_schema(key("pk", KeyType::Hash)?).key_schema(key("sk", KeyType::Range)?).send().await?;
    Ok(())
}

async fn ask(
    at: Endpoint,
    among: std::ops::Range<usize>,
    questions: usize,
    connections: usize,
    limit: Duration,
) -> Result<()> {
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let (at, among) = (at.clone(), among.clone());
        tasks.spawn(async move {
            let mut client = Client::connect(&at).await?;
            // The kernel's would cost a system call a question.
            let mut random = fastrand::Rng::with_seed(u64::from_be_bytes(bytes(&OsRandom)));
            let mut times = Vec::with_capacity(questions / connections);
            for _ in 0..questions / connections {
                if started.elapsed() > limit {
                    break;
                }
                let key = format!("{}@ubuntu.com", alias(random.usize(among.clone())));
                let begin = Instant::now();
                let reply = client.ask("alias", &key).await?;
                times.push(begin.elapsed());
                anyhow::ensure!(reply.starts_with("OK somebody"), "{reply}");
            }
            Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(task) = tasks.join_next().await {
        times.extend(task??);
    }
    let took = started.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |part: f64| -> Result<f64> {
        let place = ((times.len() as f64 * part) as usize).min(times.len().saturating_sub(1));
        Ok(times.get(place).context("no question")?.as_secs_f64() * 1e3)
    };
    println!(
        "{{\"look_ups\":{},\"a_second\":{:.0},\"p50_ms\":{:.3},\"p99_ms\":{:.3},\"worst_ms\":{:.3}}}",
        times.len(),
        times.len() as f64 / took,
        at(0.5)?,
        at(0.99)?,
        at(1.0)?
    );
    Ok(())
}
