//! A community with members at a fake source, its own table, and a fake queue for the steps of a run.

#[expect(dead_code, reason = "the tests of the store need the rest")]
#[path = "../../../store/tests/store/support.rs"]
pub(crate) mod table;

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use membermail_core::address::{Address, DomainName};
use membermail_core::alias::{Alias, GrantRequest, Reason, Status};
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::{Clock, ManualClock};
use membermail_core::community::Community;
use membermail_core::eligibility::Observation;
use membermail_core::lifecycle::Action;
use membermail_core::member::{Fingerprint, MemberId, PersonName};
use membermail_core::message::ApplySteps;
use membermail_core::plan::Counts;
use membermail_core::random::OsRandom;
use membermail_membership::Source;
use membermail_runtime::queue::QueueError;
use membermail_store::{GrantOutcome, Member, Run, RunState, Store, Terms};
use membermail_sync::{Engine, Limits, StepQueue, SyncError, SyncOutcome};

use crate::source::{FakeSource, Profile};

/// The lease of a run.
pub(crate) const LEASE: SignedDuration = SignedDuration::from_mins(16);

/// A fake of the queue of `write-aliases`. It hangs after `stops_after` parts.
#[derive(Default)]
pub(crate) struct Queue {
    pub(crate) parts: Mutex<Vec<ApplySteps>>,
    pub(crate) stops_after: Option<usize>,
}

impl Queue {
    pub(crate) fn drain(&self) -> Vec<ApplySteps> {
        std::mem::take(&mut *self.parts.lock().unwrap())
    }
}

#[async_trait]
impl StepQueue for Queue {
    async fn enqueue(&self, parts: Vec<ApplySteps>) -> Result<(), QueueError> {
        let limit = self.stops_after.unwrap_or(usize::MAX);
        let hangs = parts.len() > limit;
        self.parts.lock().unwrap().extend(parts.into_iter().take(limit));
        if hangs {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

pub(crate) struct World {
    pub(crate) table: table::World,
    pub(crate) source: FakeSource,
    pub(crate) clock: ManualClock,
    pub(crate) community: Community,
    pub(crate) limits: Limits,
}

pub(crate) fn domain() -> DomainName {
    "ubuntu.com".parse().unwrap()
}

pub(crate) fn name(text: &str) -> PersonName {
    PersonName::parse(text).unwrap()
}

impl World {
    /// A world after a first sync with `people` members named `member01` and so on, all in the team and with an address.
    pub(crate) async fn new(name: &str, people: u32) -> Self {
        let world = Self::without_sync(name, people).await;
        assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
        world
    }

    /// The same world before the first sync.
    pub(crate) async fn without_sync(name: &str, people: u32) -> Self {
        let table = table::World::with_table(&format!("sync-{name}")).await;
        let clock = ManualClock::at(table::now());
        let source = FakeSource::new(clock.clone());
        let community = membermail_communities::community("ubuntu").unwrap();
        // The rolling check looks up one member per run.
        let period = SignedDuration::from_secs(1);
        let limits = Limits { pace: Duration::ZERO, period, ..Limits::default() };
        let world = Self { table, source, clock, community, limits };
        for id in 1..=people {
            world.add_resident(id, &format!("member{id:02}")).await;
        }
        world.clock.advance(SignedDuration::from_mins(1));
        world
    }

    /// Adds an account to the team whose person signs in and gets an address.
    pub(crate) async fn add_resident(&self, id: u32, text: &str) -> MemberId {
        let member = self.add_member(id, text).await;
        self.grant(&member, text).await;
        member.id
    }

    /// Adds an account to the team whose person signs in and has no address yet.
    pub(crate) async fn add_member(&self, id: u32, text: &str) -> Member {
        self.add_member_with(id, text, Fingerprint(id.into())).await
    }

    /// The same with this fingerprint.
    pub(crate) async fn add_member_with(&self, id: u32, text: &str, fingerprint: Fingerprint) -> Member {
        self.source.lock().people.insert(id, Profile { fingerprint, ..Profile::new(text, 0) });
        let member = self.table.member(text, &format!("{text}@mail.example")).await;
        self.record_lookup(member.id, text).await;
        self.table.read(member.id).await
    }

    /// Records the current observation of the account with the identity `word`.
    pub(crate) async fn record_lookup(&self, member: MemberId, word: &str) {
        let person = self.source.person(&table::identity(word)).await.unwrap().unwrap();
        let seen = Observation { person, observed_at: self.clock.now() };
        self.table.observe(member, &seen).await;
    }

    async fn grant(&self, member: &Member, text: &str) {
        let known_as = member.observation.as_ref().unwrap().name();
        let address = address(text);
        let request =
            GrantRequest { address: &address, existing: None, known_as: &known_as, renamed_from: None, limit: 3 };
        let cause = self.cause(Actor::Member);
        let grant = self.store().grant(member, request, &[domain()], cause, &OsRandom).await.unwrap();
        assert!(matches!(grant, GrantOutcome::Created { .. }), "{grant:?}");
    }

    pub(crate) fn cause(&self, actor: Actor) -> Cause<'static> {
        Cause { actor, by: Some("olivia"), request_id: "request-2", now: self.clock.now() }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.table.store
    }

    pub(crate) fn engine(&self) -> Engine<'_> {
        Engine {
            community: &self.community,
            source: &self.source,
            store: self.store(),
            lease: LEASE,
            limits: self.limits,
            clock: &self.clock,
            random: &OsRandom,
        }
    }

    pub(crate) async fn sync(&self, queue: &Queue) -> Result<SyncOutcome, SyncError> {
        self.clock.advance(SignedDuration::from_secs(1));
        {
            let mut launchpad = self.source.lock();
            (launchpad.pages, launchpad.totals) = (0, 0);
            (launchpad.looked_up, launchpad.groups) = (Vec::new(), Vec::new());
        }
        self.engine().run(&domain(), "request-1", queue).await
    }

    /// A run that finishes.
    pub(crate) async fn run(&self, queue: &Queue) -> Run {
        let ran = self.sync(queue).await.unwrap();
        let SyncOutcome::Done { run, .. } = ran else { panic!("{ran:?}") };
        *run
    }

    pub(crate) async fn latest_run(&self) -> Run {
        self.store().runs(&domain(), 1).await.unwrap().remove(0)
    }

    /// Adds an account to the team, with an identity `word`, whose person never signed in.
    pub(crate) fn add_stranger(&self, id: u32, name: &str, word: &str) {
        let stranger = Profile { words: vec![word.to_owned()], ..Profile::new(name, i64::from(id)) };
        self.source.lock().people.insert(id, stranger);
    }

    /// A run that finishes, with its steps applied.
    pub(crate) async fn sync_and_deliver(&self) -> Run {
        let queue = Queue::default();
        let run = self.run(&queue).await;
        self.deliver(&queue.drain()).await;
        run
    }

    /// The counts of a run that finishes, with its steps applied.
    pub(crate) async fn sync_counts(&self) -> Counts {
        self.sync_and_deliver().await.counts.unwrap()
    }

    /// The identities that the last run looked up, except for the last one, which belongs to the rolling check.
    pub(crate) fn looked_up(&self) -> Vec<String> {
        let mut looked_up = self.source.lock().looked_up.clone();
        looked_up.pop().expect("each run checks one member");
        looked_up
    }

    /// Applies steps as `write-aliases` does.
    pub(crate) async fn deliver(&self, parts: &[ApplySteps]) {
        let community = [domain()];
        for ApplySteps { run, steps, request_id, read_at } in parts {
            let run = run.to_string();
            let terms = Terms { domains: &community, rules: &self.community.rules, read_at: *read_at };
            for step in steps {
                self.clock.advance(SignedDuration::from_millis(1));
                let cause = Cause { actor: Actor::Sync, by: Some(&run), request_id, now: self.clock.now() };
                let renamed_from = match &step.action {
                    Action::Create => None,
                    Action::Rename { from } => Some(Address { local_part: from.clone(), domain: domain() }),
                    _ => {
                        self.store().apply(step, terms, cause, &OsRandom).await.unwrap();
                        continue;
                    }
                };
                let known_as = step.known_as.as_ref().unwrap();
                let member = self.store().survivor(step.member).await.unwrap().unwrap();
                let request = GrantRequest {
                    address: &step.address,
                    existing: None,
                    known_as,
                    renamed_from: renamed_from.as_ref(),
                    limit: 3,
                };
                let grant = self.store().grant(&member, request, &community, cause, &OsRandom).await.unwrap();
                if let GrantOutcome::Expired(_) = grant {
                    self.store().note_expired_grant(&domain(), member.id).await.unwrap();
                    continue;
                }
                if let Some(from) = &renamed_from {
                    self.store().observe_alias(from, step.member, known_as, cause.now).await.unwrap();
                }
            }
        }
    }

    /// Every address with its status, reason and version.
    pub(crate) async fn addresses(&self) -> Vec<(String, Status, Reason, u64)> {
        let mut all = Vec::new();
        let domain = domain();
        let aliases = self.store().each_alias(&domain, |alias| {
            let Alias { address, status, reason, version, .. } = alias;
            all.push((address.local_part.to_string(), status, reason, version));
        });
        aliases.await.unwrap();
        all
    }

    pub(crate) async fn alias(&self, text: &str) -> Alias {
        self.store().alias(&address(text)).await.unwrap().unwrap().alias
    }

    pub(crate) async fn state(&self, text: &str) -> (Status, Reason) {
        let alias = self.alias(text).await;
        (alias.status, alias.reason)
    }

    pub(crate) async fn has_address(&self, text: &str) -> bool {
        self.store().alias(&address(text)).await.unwrap().is_some()
    }

    pub(crate) async fn ban(&self, member: MemberId) {
        assert!(self.store().ban(member, self.cause(Actor::Operator), &OsRandom).await.unwrap());
    }

    /// All items except those of syncs, by their keys.
    pub(crate) async fn items(&self) -> BTreeMap<[String; 2], HashMap<String, AttributeValue>> {
        let mut all = BTreeMap::new();
        for item in self.table.store.raw_items().await.unwrap() {
            let key = ["pk", "sk"].map(|name| item[name].as_s().unwrap().clone());
            if !key[0].starts_with("SYNC#") {
                all.insert(key, item);
            }
        }
        all
    }
}

pub(crate) fn address(text: &str) -> Address {
    Address { local_part: text.parse().unwrap(), domain: domain() }
}

/// The sorted local parts of the steps.
pub(crate) fn local_parts(parts: &[ApplySteps]) -> Vec<String> {
    let steps = parts.iter().flat_map(|part| &part.steps);
    let mut names: Vec<_> = steps.map(|step| step.address.local_part.to_string()).collect();
    names.sort_unstable();
    names
}
