//! The measured half of `cargo dev bench sync`, in a process of its own: `fill` writes the members of a team and their
//! addresses as sign-ins leave them, and `run` is one sync.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
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
use membermail_core::clock::{Clock, SystemClock, later};
use membermail_core::community::{Community, SignIn};
use membermail_core::eligibility::{Account, Group, Observation, Person};
use membermail_core::member::{Fingerprint, Identity, MemberId, TeamName};
use membermail_core::message::TakeSteps;
use membermail_core::random::OsRandom;
use membermail_membership::launchpad::{Client as Launchpad, Settings};
use membermail_membership::{Error, PageCursor, RosterPage, Source, read_roster};
use membermail_runtime::queue::QueueError;
use membermail_store::{Salt, Store};
use membermail_sync::{Engine, Limits, Outlet, Ran};
use serde_json::json;
use url::Url;

const TABLE: &str = "bench";
const DOMAIN: &str = "ubuntu.com";
/// The lease of a run; of one that is stopped, short, so that the next run need not wait.
const LEASE: SignedDuration = SignedDuration::from_secs(600);
const SHORT_LEASE: SignedDuration = SignedDuration::from_secs(1);

#[derive(Parser)]
struct Arguments {
    #[arg(value_enum)]
    what: What,
    /// The root of the fake Launchpad
    #[arg(long)]
    launchpad: Url,
    /// Abort the process after this many pages; each page is saved as a checkpoint
    #[arg(long, value_name = "PAGES")]
    stop_after: Option<u64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    Fill,
    Run,
    /// A run that need not read a team whose total has not changed
    Skip,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let Arguments { what, launchpad, stop_after } = Arguments::parse();
    let config = aws_config::load_defaults(aws_config::BehaviorVersion::v2026_01_12()).await;
    let client = DynamoDb::new(&config);
    let store = Store::new(client.clone(), TABLE);
    let community = membermail_communities::community("ubuntu")?;
    let settings = Settings::of(&community, Some(launchpad.clone()), Duration::from_secs(60));
    let source = Stopping { source: Launchpad::new(settings)?, pages: AtomicU64::new(0), stop_after };
    match what {
        What::Fill => fill(&client, &store, &source, &community, &launchpad).await,
        What::Run => run(&store, &source, &community, SignedDuration::ZERO).await,
        What::Skip => run(&store, &source, &community, community.rules.full_read_after()).await,
    }
}

/// Launchpad, until the process is to stop.
struct Stopping {
    source: Launchpad,
    /// Pages that were answered.
    pages: AtomicU64,
    stop_after: Option<u64>,
}

impl Stopping {
    /// Aborts at the first request behind the last page: the checkpoint of that page is saved by then.
    fn stop(&self) {
        if self.stop_after.is_some_and(|pages| self.pages.load(Ordering::Relaxed) >= pages) {
            std::process::abort();
        }
    }
}

#[async_trait]
impl Source for Stopping {
    async fn person(&self, identity: &Identity) -> Result<Option<Person>, Error> {
        self.stop();
        self.source.person(identity).await
    }

    async fn groups(&self, person: &Person) -> Result<BTreeSet<Group>, Error> {
        self.stop();
        self.source.groups(person).await
    }

    async fn group(&self, name: &TeamName) -> Result<Option<Group>, Error> {
        self.source.group(name).await
    }

    async fn roster_page(&self, group: &TeamName, cursor: PageCursor) -> Result<RosterPage, Error> {
        self.stop();
        let page = self.source.roster_page(group, cursor).await?;
        self.pages.fetch_add(1, Ordering::Relaxed);
        Ok(page)
    }

    fn is_shared(&self, fingerprint: Fingerprint) -> bool {
        self.source.is_shared(fingerprint)
    }
}

/// Counts steps and applies none.
#[derive(Default)]
struct Counting(AtomicUsize);

#[async_trait]
impl Outlet for Counting {
    async fn hand_on(&self, parts: Vec<TakeSteps>) -> Result<(), QueueError> {
        self.0.fetch_add(parts.iter().map(|part| part.steps.len()).sum(), Ordering::Relaxed);
        Ok(())
    }
}

/// One sync without a pace. A run of before that was stopped is waited for, and continued.
async fn run(store: &Store, source: &Stopping, community: &Community, full_read: SignedDuration) -> Result<()> {
    let is_stopped = source.stop_after.is_some();
    let lease = if is_stopped { SHORT_LEASE } else { LEASE };
    let checkpoint = if is_stopped { Duration::ZERO } else { Limits::default().checkpoint };
    // More than any bench changes: a plan with more leavers than that is held.
    let limits = Limits { lookups: 10_000, pace: Duration::ZERO, checkpoint, full_read, ..Limits::default() };
    let (clock, random, domain) = (&SystemClock, &OsRandom, DOMAIN.parse::<DomainName>()?);
    let engine = Engine { community, source, store, lease, limits, clock, random };
    let (outlet, mut begin) = (Counting::default(), Instant::now());
    let run = loop {
        match engine.run(&domain, "bench", &outlet).await? {
            Ran::Done { run, .. } => break run,
            Ran::Busy { until, .. } if later(clock.now(), SHORT_LEASE) >= until => {
                tokio::time::sleep(Duration::from_millis(100)).await;
                begin = Instant::now();
            }
            ran => bail!("the run did not come to its end: {ran:?}"),
        }
    };
    let seconds = begin.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kilobytes: f64 = peak.trim().trim_end_matches("kB").trim().parse()?;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // Behind the name come the fields from the third on; user and system time are the 14th and 15th, in hundredths.
    let fields: Vec<_> = stat.rsplit_once(')').context("no stat")?.1.split_whitespace().collect();
    let ticks = |place: usize| -> Result<f64> { Ok(fields.get(place).context("no time")?.parse()?) };
    let counts = run.counts.unwrap_or_default();
    let state = store.sync_state(&domain).await?;
    let figures = json!({
        "seconds": seconds,
        "cpu_seconds": (ticks(11)? + ticks(12)?) / 100.0,
        "peak_mb": kilobytes / 1024.0,
        "steps": outlet.0.load(Ordering::Relaxed),
        "state": run.state.as_str(),
        "is_skipped": run.roster_of.is_some(),
        "looked_up": counts.looked_up,
        "rolling": membermail_core::rolling::members_per_run(
            usize::try_from(counts.active).unwrap_or(usize::MAX),
            limits.period,
        ),
        "rolling_after": state.rolling.after.map(|after| after.to_string()),
        "pages": source.pages.load(Ordering::Relaxed),
    });
    println!("{figures}");
    Ok(())
}

/// Every person of the team signed in before, and those who can have an address have one.
async fn fill(
    client: &DynamoDb,
    store: &Store,
    source: &Stopping,
    community: &Community,
    launchpad: &Url,
) -> Result<()> {
    create(client).await?;
    let (now, domain) = (SystemClock.now(), DOMAIN.parse::<DomainName>()?);
    let cause = Cause { actor: Actor::Operator, by: Some("bench"), request_id: "bench", now };
    store.verify_domain(&domain, cause, &OsRandom).await?;
    let team = &community.domain(&domain).context("no such domain")?.team;
    let identifiers = launchpad.join("/control/identifiers")?;
    let identifiers: HashMap<String, String> =
        reqwest::get(identifiers).await?.error_for_status()?.json().await.context("identifiers of all people")?;
    let SignIn::OpenId2 { endpoint, .. } = &community.sign_in;
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let micros = AttributeValue::N(now.as_microsecond().to_string());
    let mut items = Vec::new();
    for entry in read_roster(source, team, |_| {}).await?.people {
        let name = entry.name.as_str();
        let subject = identifiers.get(name).with_context(|| format!("{name} has no identifier"))?;
        let member = MemberId::new(now, &OsRandom).to_string();
        let is_eligible = entry.check().is_ok();
        let person = Person {
            name: entry.name.clone(),
            fingerprint: entry.fingerprint,
            account: if entry.is_valid { Account::Active } else { Account::Deactivated },
            signed_code_of_conduct: entry.signed_code_of_conduct,
        };
        let observation = serde_dynamo::to_attribute_value(Observation { person, observed_at: now })?;
        items.push(vec![
            ("pk", text(&format!("MEMBER#{member}"))),
            ("sk", text("PROFILE")),
            ("id", text(&member)),
            ("session_epoch", AttributeValue::N("0".to_owned())),
            ("salt", text(&String::from(Salt::new(&OsRandom)))),
            // As long as a sealed address is.
            ("sign_in", text(&"A".repeat(88))),
            ("state", text("done")),
            ("requested_at", text(&now.to_string())),
            ("observation", observation),
        ]);
        items.push(vec![
            ("pk", text(&format!("MEMBER#{member}"))),
            ("sk", text(&format!("IDENTITY#{endpoint}#{subject}"))),
            ("issuer", text(endpoint.as_str())),
            ("subject", text(subject)),
        ]);
        items.push(vec![
            ("pk", text(&format!("IDENTITY#{endpoint}#{subject}"))),
            ("sk", text("-")),
            ("owner", text(&member)),
        ]);
        items.push(vec![
            ("pk", text(&format!("NAME#{name}"))),
            ("sk", text("-")),
            ("name", text(name)),
            ("owner", text(&member)),
            ("observed_at", micros.clone()),
        ]);
        let (true, Ok(local)) = (is_eligible, LocalPart::of(&entry.name)) else { continue };
        items.push(vec![
            ("pk", text(&format!("DOMAIN#{domain}"))),
            ("sk", text(&format!("ALIAS#{local}"))),
            ("address", text(&format!("{local}@{domain}"))),
            ("member", text(&member)),
            ("name", text(name)),
            ("fingerprint", AttributeValue::N(entry.fingerprint.to_string())),
            ("observed_at", micros.clone()),
            ("status", text("active")),
            ("reason", text("eligible")),
            ("since", text(&now.to_string())),
            ("version", AttributeValue::N("1".to_owned())),
            ("destination", text(&"A".repeat(88))),
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
