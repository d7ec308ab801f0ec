//! The half of `cargo dev bench sync` that is measured, in a process of its own: `fill` writes the members of a team who
//! signed in before, `apply` their addresses as `write-aliases` would, and `run` is one sync.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, PutRequest, ScalarAttributeType, WriteRequest,
};
use clap::{Parser, ValueEnum};
use jiff::SignedDuration;
use membermail_core::address::{DomainName, LocalPart};
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::eligibility::Person;
use membermail_core::member::MemberId;
use membermail_core::message::TakeSteps;
use membermail_core::plan::Known;
use membermail_core::random::OsRandom;
use membermail_launchpad::{Client as Launchpad, Settings};
use membermail_runtime::queue::QueueError;
use membermail_store::{Salt, Store};
use membermail_sync::{Engine, Outlet, Ran};
use serde_json::json;

const TABLE: &str = "bench";
const DOMAIN: &str = "ubuntu.com";

#[derive(Parser)]
struct Arguments {
    #[arg(value_enum)]
    what: What,
    #[arg(long)]
    launchpad: url::Url,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    Fill,
    Apply,
    Run,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let Arguments { what, launchpad } = Arguments::parse();
    let config = aws_config::load_defaults(aws_config::BehaviorVersion::v2026_01_12()).await;
    let client = DynamoDb::new(&config);
    let store = Store::new(client.clone(), TABLE);
    let launchpad = Launchpad::new(Settings {
        api: launchpad,
        user_agent: "membermail-bench (root@localhost)".to_owned(),
        patience: Duration::from_secs(600),
    })?;
    let domain: DomainName = DOMAIN.parse()?;
    match what {
        What::Fill => fill(&client, &store, &launchpad, &domain).await,
        What::Apply => apply(&client, &store, &launchpad, &domain).await,
        What::Run => run(&store, &launchpad, &domain).await,
    }
}

/// Counts steps, and takes none.
#[derive(Default)]
struct Counting(AtomicUsize);

#[async_trait]
impl Outlet for Counting {
    async fn hand_on(&self, parts: Vec<TakeSteps>) -> Result<(), QueueError> {
        self.0.fetch_add(parts.iter().map(|part| part.steps.len()).sum(), Ordering::Relaxed);
        Ok(())
    }
}

async fn run(store: &Store, launchpad: &Launchpad, domain: &DomainName) -> Result<()> {
    let community = membermail_communities::community("ubuntu")?;
    let lease = SignedDuration::from_secs(600);
    let engine = Engine { community: &community, launchpad, store, lease, clock: &SystemClock, random: &OsRandom };
    let (begin, outlet) = (Instant::now(), Counting::default());
    let Ran::Done { run, .. } = engine.run(domain, "bench", &outlet).await? else { bail!("another run is at it") };
    let seconds = begin.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kilobytes: f64 = peak.trim().trim_end_matches("kB").trim().parse()?;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // After the name come the fields from the third on; user and system time are the 14th and 15th, in hundredths.
    let fields: Vec<_> = stat.rsplit_once(')').context("no stat")?.1.split_whitespace().collect();
    let ticks = |place: usize| -> Result<f64> { Ok(fields.get(place).context("no time")?.parse()?) };
    let figures = json!({
        "seconds": seconds,
        "cpu_seconds": (ticks(11)? + ticks(12)?) / 100.0,
        "peak_mb": kilobytes / 1024.0,
        "steps": outlet.0.load(Ordering::Relaxed),
        "state": run.state.as_str(),
    });
    println!("{figures}");
    Ok(())
}

async fn team(launchpad: &Launchpad, domain: &DomainName) -> Result<Vec<Person>> {
    let community = membermail_communities::community("ubuntu")?;
    let team = &community.domain(domain).context("no such domain")?.team;
    let people = launchpad.participants(team, 0, Vec::new, |people, person, _| people.push(person)).await?;
    Ok(people.into_iter().filter(|person: &Person| !person.is_team).collect())
}

/// Everybody in the team has signed in before.
async fn fill(client: &DynamoDb, store: &Store, launchpad: &Launchpad, domain: &DomainName) -> Result<()> {
    create(client).await?;
    let now = SystemClock.now();
    let cause = Cause { actor: Actor::Operator, by: Some("bench"), request_id: "bench", now };
    store.verify_domain(domain, cause, &OsRandom).await?;
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let mut items = Vec::new();
    for Person { id, name, .. } in team(launchpad, domain).await? {
        let member = MemberId::new(now, &OsRandom).to_string();
        let number = AttributeValue::N(id.to_string());
        items.push(vec![
            ("pk", text(&format!("MEMBER#{member}"))),
            ("sk", text("PROFILE")),
            ("id", text(&member)),
            ("session_epoch", AttributeValue::N("0".to_owned())),
            ("salt", text(&String::from(Salt::new(&OsRandom)))),
            ("state", text("done")),
            ("requested_at", text(&now.to_string())),
            ("launchpad_id", number.clone()),
            ("launchpad_name", text(name.as_str())),
        ]);
        items.push(vec![
            ("pk", text("PEOPLE")),
            ("sk", text(&format!("{:020}", id.0))),
            ("owner", text(&member)),
            ("person", number),
        ]);
    }
    write(client, items).await
}

/// Everybody who can have an address has it.
async fn apply(client: &DynamoDb, store: &Store, launchpad: &Launchpad, domain: &DomainName) -> Result<()> {
    let mut members = std::collections::HashMap::new();
    store
        .each_person(|Known { person, member, .. }| {
            members.insert(person, member);
        })
        .await?;
    let text = |value: String| AttributeValue::S(value);
    let now = SystemClock.now().to_string();
    let mut items = Vec::new();
    for Person { id, name, is_valid, signed_code_of_conduct, .. } in team(launchpad, domain).await? {
        let (true, true, Ok(local)) = (is_valid, signed_code_of_conduct, LocalPart::of(&name)) else { continue };
        let member = members.get(&id).context("a participant who is no member")?;
        items.push(vec![
            ("pk", text(format!("DOMAIN#{domain}"))),
            ("sk", text(format!("ALIAS#{local}"))),
            ("address", text(format!("{local}@{domain}"))),
            ("member", text(member.to_string())),
            ("person", AttributeValue::N(id.to_string())),
            ("status", text("active".to_owned())),
            ("reason", text("eligible".to_owned())),
            ("since", text(now.clone())),
            ("version", AttributeValue::N("1".to_owned())),
            // As long as a sealed address is.
            ("destination", text("A".repeat(88))),
        ]);
    }
    write(client, items).await
}

async fn write(client: &DynamoDb, items: Vec<Vec<(&str, AttributeValue)>>) -> Result<()> {
    let count = items.len();
    let mut waiting = items.into_iter();
    loop {
        let mut batch = Vec::new();
        for item in waiting.by_ref().take(25) {
            let item = item.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            let put = PutRequest::builder().set_item(Some(item)).build()?;
            batch.push(WriteRequest::builder().put_request(put).build());
        }
        if batch.is_empty() {
            break;
        }
        let mut open = Some(std::collections::HashMap::from([(TABLE.to_owned(), batch)]));
        while let Some(items) = open.filter(|items| !items.is_empty()) {
            open = client.batch_write_item().set_request_items(Some(items)).send().await?.unprocessed_items;
        }
    }
    println!("{}", json!({ "items": count }));
    Ok(())
}

async fn create(client: &DynamoDb) -> Result<()> {
    let attribute =
        |name: &str| AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build();
    let key = |name: &str, kind: KeyType| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let index = GlobalSecondaryIndex::builder()
        .index_name("by-member")
        .key_schema(key("member", KeyType::Hash)?)
        .key_schema(key("address", KeyType::Range)?)
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()?;
    let mut request = client.create_table().table_name(TABLE).billing_mode(BillingMode::PayPerRequest);
    for name in ["pk", "sk", "member", "address"] {
        request = request.attribute_definitions(attribute(name)?);
    }
    let request = request.key_schema(key("pk", KeyType::Hash)?).key_schema(key("sk", KeyType::Range)?);
    request.global_secondary_indexes(index).send().await?;
    Ok(())
}
