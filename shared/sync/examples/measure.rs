//! The measured process of `cargo dev bench sync`: `fill` writes the members of a team and their addresses, as after their
//! sign-ins, and `run` runs one sync. The membership source is a fake Launchpad or GitLab.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use aws_sdk_dynamodb::Client as DynamoDb;
use clap::{Parser, ValueEnum};
use jiff::SignedDuration;
use membermail_core::address::{DomainName, LocalPart};
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::{Clock, SystemClock, later};
use membermail_core::community::Community;
use membermail_core::eligibility::{Account, Group, Observation, Person};
use membermail_core::member::{Fingerprint, Identity, MemberId, TeamName};
use membermail_core::message::ApplySteps;
use membermail_core::random::OsRandom;
use membermail_core::roster::RosterEntry;
use membermail_membership::{Error, PageCursor, RosterPage, Source, gitlab, launchpad, read_roster};
use membermail_runtime::queue::QueueError;
use membermail_store::{KeyContext, Store};
use membermail_sync::{Engine, Limits, StepQueue, SyncOutcome};
use serde_json::json;
use url::Url;

const TABLE: &str = "bench";
/// The token of the fake GitLab (`infra/dev/fakes/src/gitlab/mod.rs`).
const TOKEN: &str = "fake-gitlab-token";
const TIMEOUT: Duration = Duration::from_secs(60);
/// The lease of a run.
const LEASE: SignedDuration = SignedDuration::from_secs(600);
/// The lease of a run that is stopped, short so that the next run need not wait.
const SHORT_LEASE: SignedDuration = SignedDuration::from_secs(1);

#[derive(Parser)]
struct Arguments {
    #[arg(value_enum)]
    what: What,
    #[arg(long, value_enum)]
    source: Kind,
    /// The root of the fakes
    #[arg(long)]
    root: Url,
    /// The root of the sign-in provider, if it is a fake too
    #[arg(long)]
    sign_in: Option<Url>,
    /// Abort the process after this many pages; each page is saved as a checkpoint
    #[arg(long, value_name = "PAGES")]
    stop_after: Option<u64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    Fill,
    Run,
    /// A run that may skip reading a team whose total has not changed
    Skip,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Launchpad,
    Gitlab,
}

/// A community with its membership source.
struct Place {
    kind: Kind,
    community: Community,
    /// The measured domain.
    domain: DomainName,
    source: Stopping,
}

impl Kind {
    fn place(self, root: &Url, sign_in: Option<&Url>, stop_after: Option<u64>) -> Result<Place> {
        let (community, domain) = match self {
            Self::Launchpad => ("ubuntu", "ubuntu.com"),
            Self::Gitlab => ("example", "community.example"),
        };
        let mut community = membermail_communities::community(community)?;
        community.relocate(sign_in, None, Some(root))?;
        let source: Box<dyn Source> = match self {
            Self::Launchpad => {
                let settings = launchpad::Settings::for_community(&community, TIMEOUT).context("another source")?;
                Box::new(launchpad::Client::new(settings)?)
            }
            Self::Gitlab => {
                let settings = gitlab::Settings::for_community(&community, TIMEOUT).context("another source")?;
                Box::new(gitlab::Client::new(settings, Arc::new(gitlab::Token::parse(TOKEN)?), Arc::new(SystemClock))?)
            }
        };
        let source = Stopping { source, pages: AtomicU64::new(0), stop_after };
        Ok(Place { kind: self, community, domain: domain.parse()?, source })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let Arguments { what, source, root, sign_in, stop_after } = Arguments::parse();
    let config = aws_config::load_defaults(aws_config::BehaviorVersion::v2026_01_12()).await;
    let client = DynamoDb::new(&config);
    let store = Store::new(client.clone(), TABLE);
    let place = source.place(&root, sign_in.as_ref(), stop_after)?;
    match what {
        What::Fill => fill(&client, &place, &root).await,
        What::Run => run(&store, &place, SignedDuration::ZERO).await,
        What::Skip => run(&store, &place, place.community.rules.full_read_after()).await,
    }
}

/// A membership source that aborts the process after a number of pages.
struct Stopping {
    source: Box<dyn Source>,
    /// Number of pages read.
    pages: AtomicU64,
    stop_after: Option<u64>,
}

impl Stopping {
    /// Aborts at the first request after the last page, when the checkpoint of that page is saved.
    fn abort_if_done(&self) {
        if self.stop_after.is_some_and(|pages| self.pages.load(Ordering::Relaxed) >= pages) {
            std::process::abort();
        }
    }
}

#[async_trait]
impl Source for Stopping {
    fn is_authority_on(&self, identity: &Identity) -> bool {
        self.source.is_authority_on(identity)
    }

    async fn person(&self, identity: &Identity) -> Result<Option<Person>, Error> {
        self.abort_if_done();
        self.source.person(identity).await
    }

    async fn groups(&self, person: &Person) -> Result<BTreeSet<Group>, Error> {
        self.abort_if_done();
        self.source.groups(person).await
    }

    async fn group(&self, name: &TeamName) -> Result<Option<Group>, Error> {
        self.source.group(name).await
    }

    async fn roster_page(&self, group: &Group, cursor: PageCursor) -> Result<RosterPage, Error> {
        self.abort_if_done();
        let page = self.source.roster_page(group, cursor).await?;
        self.pages.fetch_add(1, Ordering::Relaxed);
        Ok(page)
    }

    fn is_shared(&self, fingerprint: Fingerprint) -> bool {
        self.source.is_shared(fingerprint)
    }
}

/// A queue that counts steps and delivers none.
#[derive(Default)]
struct Counting(AtomicUsize);

#[async_trait]
impl StepQueue for Counting {
    async fn enqueue(&self, parts: Vec<ApplySteps>) -> Result<(), QueueError> {
        self.0.fetch_add(parts.iter().map(|part| part.steps.len()).sum(), Ordering::Relaxed);
        Ok(())
    }
}

/// One sync without pauses. Waits for the lease of a stopped run, and resumes it.
async fn run(store: &Store, place: &Place, full_read: SignedDuration) -> Result<()> {
    let Place { community, domain, source, .. } = place;
    let is_stopped = source.stop_after.is_some();
    let lease = if is_stopped { SHORT_LEASE } else { LEASE };
    let checkpoint = if is_stopped { Duration::ZERO } else { Limits::default().checkpoint };
    // More look-ups than any benchmark needs; a plan with more leavers is held.
    let limits = Limits { lookups: 10_000, pace: Duration::ZERO, checkpoint, full_read, ..Limits::default() };
    let engine = Engine { community, source, store, lease, limits, clock: &SystemClock, random: &OsRandom };
    let queue = Counting::default();
    let mut begin = Instant::now();
    let run = loop {
        match engine.run(domain, "bench", &queue).await? {
            SyncOutcome::Done { run, .. } => break run,
            SyncOutcome::Busy { until, .. } if later(SystemClock.now(), SHORT_LEASE) >= until => {
                tokio::time::sleep(Duration::from_millis(100)).await;
                begin = Instant::now();
            }
            ran => bail!("the run did not finish: {ran:?}"),
        }
    };
    let seconds = begin.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kilobytes: f64 = peak.trim().trim_end_matches("kB").trim().parse()?;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The third field follows the name. User and system time are the fields 14 and 15, in hundredths of a second.
    let fields: Vec<_> = stat.rsplit_once(')').context("no stat")?.1.split_whitespace().collect();
    let ticks = fields.get(11..=12).context("no time")?;
    let ticks = ticks[0].parse::<f64>()? + ticks[1].parse::<f64>()?;
    let counts = run.counts.unwrap_or_default();
    let state = store.sync_state(domain).await?;
    let figures = json!({
        "seconds": seconds,
        "cpu_seconds": ticks / 100.0,
        "peak_mb": kilobytes / 1024.0,
        "steps": queue.0.load(Ordering::Relaxed),
        "state": run.state.as_ref(),
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

/// Writes a member for each person of the team, and an address for each eligible one.
async fn fill(client: &DynamoDb, place: &Place, root: &Url) -> Result<()> {
    let Place { community, domain, source, .. } = place;
    let store = Store::create(client.clone(), TABLE).await?;
    let now = SystemClock.now();
    let cause = Cause { actor: Actor::Operator, by: Some("bench"), request_id: "bench", now };
    store.verify_domain(domain, cause, &OsRandom).await?;
    let team = &community.domain(domain).context("no such domain")?.team;
    let identifiers: HashMap<String, String> = match place.kind {
        Kind::Launchpad => {
            let identifiers = reqwest::get(root.join("/control/identifiers")?).await?.error_for_status()?;
            identifiers.json().await.context("identifiers of all people")?
        }
        Kind::Gitlab => HashMap::new(),
    };
    // At GitLab, the fingerprint is the user id, which is the subject.
    let subject_of = |entry: &RosterEntry| match place.kind {
        Kind::Launchpad => identifiers.get(entry.name.as_str()).cloned(),
        Kind::Gitlab => Some(entry.fingerprint.to_string()),
    };
    let endpoint = community.issuer();
    let micros = now.as_microsecond();
    // The length of a sealed address.
    let sealed = "A".repeat(88);
    let mut items = Vec::new();
    let team = source.group(team).await?.context("no such team")?;
    // The bot of a token is listed as a member, and cannot sign in.
    let can_sign_in = |entry: &RosterEntry| !entry.name.as_str().contains("_bot_");
    for entry in read_roster(source, &team, |_| {}).await?.people.into_iter().filter(can_sign_in) {
        let name = entry.name.as_str();
        let subject = subject_of(&entry).with_context(|| format!("{name} has no identifier"))?;
        let member = MemberId::new(now, &OsRandom).to_string();
        let is_eligible = entry.check().is_ok();
        let person = Person {
            name: entry.name.clone(),
            fingerprint: entry.fingerprint,
            account: if entry.is_valid { Account::Active } else { Account::Deactivated },
            signed_code_of_conduct: entry.signed_code_of_conduct,
        };
        let observation = Observation { person, observed_at: now };
        let profile = format!("MEMBER#{member}");
        let identity = format!("IDENTITY#{endpoint}#{subject}");
        items.extend([
            json!({
                "pk": profile, "sk": "PROFILE", "id": member, "session_epoch": 0, "sign_in": sealed,
                "salt": String::from(KeyContext::new(&OsRandom)), "state": "done", "requested_at": now,
                "observation": observation,
            }),
            json!({ "pk": profile, "sk": identity, "issuer": endpoint, "subject": subject }),
            json!({ "pk": identity, "sk": "-", "owner": member }),
            json!({ "pk": format!("NAME#{name}"), "sk": "-", "name": name, "owner": member, "observed_at": micros }),
        ]);
        let (true, Ok(local)) = (is_eligible, LocalPart::of(&entry.name)) else { continue };
        items.push(json!({
            "pk": format!("DOMAIN#{domain}"), "sk": format!("ALIAS#{local}"), "address": format!("{local}@{domain}"),
            "member": member, "name": name, "fingerprint": entry.fingerprint, "observed_at": micros,
            "status": "active", "reason": "eligible", "since": now, "version": 1, "destination": sealed,
        }));
    }
    Store::put_raw_items(client, TABLE, &items).await?;
    println!("{}", json!({ "items": items.len() }));
    Ok(())
}
