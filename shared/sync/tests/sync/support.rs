//! A community with members at a fake source, a table of its own, and the queue that takes the steps of a run.

#[expect(dead_code, reason = "the tests of the store need the rest")]
#[path = "../../../store/tests/store/support.rs"]
pub(crate) mod table;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use membermail_core::address::{Address, DomainName};
use membermail_core::alias::{Alias, Reason, Status};
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::{Clock, ManualClock};
use membermail_core::community::Community;
use membermail_core::eligibility::Observation;
use membermail_core::lifecycle::Action;
use membermail_core::member::{LaunchpadName, MemberId};
use membermail_core::message::TakeSteps;
use membermail_core::plan::Counts;
use membermail_core::random::OsRandom;
use membermail_membership::Source;
use membermail_runtime::queue::QueueError;
use membermail_store::{Asked, Grant, Member, Run, RunState, Store, Terms};
use membermail_sync::{Engine, Limits, Outlet, Ran, SyncError};

use crate::source::{Fake, Profile};

/// The lease of a run.
pub(crate) const LEASE: SignedDuration = SignedDuration::from_mins(16);

/// The queue of `write-aliases`. After `stops_after` parts it takes no more and never answers.
#[derive(Default)]
pub(crate) struct Queue {
    pub(crate) parts: Mutex<Vec<TakeSteps>>,
    pub(crate) stops_after: Option<usize>,
}

impl Queue {
    pub(crate) fn take(&self) -> Vec<TakeSteps> {
        std::mem::take(&mut *self.parts.lock().unwrap())
    }
}

#[async_trait]
impl Outlet for Queue {
    async fn hand_on(&self, parts: Vec<TakeSteps>) -> Result<(), QueueError> {
        let most = self.stops_after.unwrap_or(usize::MAX);
        let stops = parts.len() > most;
        self.parts.lock().unwrap().extend(parts.into_iter().take(most));
        if stops {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

pub(crate) struct World {
    pub(crate) table: table::World,
    pub(crate) source: Fake,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) community: Community,
    pub(crate) limits: Limits,
}

pub(crate) fn domain() -> DomainName {
    "ubuntu.com".parse().unwrap()
}

pub(crate) fn name(text: &str) -> LaunchpadName {
    LaunchpadName::parse(text).unwrap()
}

impl World {
    /// `people` members called `member01` and so on, all in the team and with an address, after a first sync.
    pub(crate) async fn new(name: &str, people: u32) -> Self {
        let world = Self::without_sync(name, people).await;
        assert_eq!(world.synced().await.state, RunState::Unchanged);
        world
    }

    /// The same, before the first sync.
    pub(crate) async fn without_sync(name: &str, people: u32) -> Self {
        let table = table::World::new(&format!("sync-{name}")).await;
        let clock = Arc::new(ManualClock::at(table::now()));
        let source = Fake::new(Arc::clone(&clock));
        let community = membermail_communities::community("ubuntu").unwrap();
        // One member a run in the rolling check.
        let period = SignedDuration::from_secs(1);
        let limits = Limits { pace: Duration::ZERO, period, ..Limits::default() };
        let world = Self { table, source, clock, community, limits };
        for id in 1..=people {
            world.joins(id, &format!("member{id:02}")).await;
        }
        world.clock.advance(SignedDuration::from_mins(1));
        world
    }

    /// A new account in the team whose person signs in and gets an address.
    pub(crate) async fn joins(&self, id: u32, text: &str) -> MemberId {
        let member = self.signs_in(id, text).await;
        self.grants(&member, text).await;
        member.id
    }

    /// A new account in the team whose person signs in; they are observed and get no address yet.
    pub(crate) async fn signs_in(&self, id: u32, text: &str) -> Member {
        self.source.lock().people.insert(id, Profile::new(text, i64::from(id)));
        let member = self.table.member(text, &format!("{text}@mail.example")).await;
        self.looks_up(member.id, text).await;
        self.table.read(member.id).await
    }

    /// Records what the source says of a word now.
    pub(crate) async fn looks_up(&self, member: MemberId, word: &str) {
        let person = self.source.person(&table::identity(word)).await.unwrap().unwrap();
        let seen = Observation { person, observed_at: self.clock.now() };
        self.table.observe(member, &seen).await;
    }

    async fn grants(&self, member: &Member, text: &str) {
        let known_as = member.observation.as_ref().unwrap().name();
        let address = address(text);
        let asked = Asked { address: &address, existing: None, known_as: &known_as, renamed_from: None, limit: 3 };
        let sealer = &self.table.sealer;
        let cause = self.cause(Actor::Member);
        let grant = self.store().grant(sealer, member, asked, &[domain()], cause, &OsRandom).await.unwrap();
        assert!(matches!(grant, Grant::Created { .. }), "{grant:?}");
    }

    pub(crate) fn cause(&self, actor: Actor) -> Cause<'static> {
        Cause { actor, by: Some("olivia"), request_id: "request-2", now: self.clock.now() }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.table.store
    }

    pub(crate) fn engine(&self) -> Engine<'_> {
        let Self { table, clock, community, source, limits, .. } = self;
        let (store, clock) = (&table.store, &**clock);
        Engine { community, source, store, lease: LEASE, limits: *limits, clock, random: &OsRandom }
    }

    pub(crate) async fn sync(&self, queue: &Queue) -> Result<Ran, SyncError> {
        self.clock.advance(SignedDuration::from_secs(1));
        {
            let mut launchpad = self.source.lock();
            (launchpad.pages, launchpad.totals) = (0, 0);
            (launchpad.asked, launchpad.groups) = (Vec::new(), Vec::new());
        }
        self.engine().run(&domain(), "request-1", queue).await
    }

    /// A run that comes to its end.
    pub(crate) async fn run(&self, queue: &Queue) -> Run {
        let ran = self.sync(queue).await.unwrap();
        let Ran::Done { run, .. } = ran else { panic!("{ran:?}") };
        *run
    }

    /// A run, and its steps applied.
    pub(crate) async fn synced(&self) -> Run {
        let queue = Queue::default();
        let run = self.run(&queue).await;
        self.deliver(&queue.take()).await;
        run
    }

    /// A run with its steps applied, and its counts.
    pub(crate) async fn counted(&self) -> Counts {
        self.synced().await.counts.unwrap()
    }

    /// Words that the last run looked up, without the last one, which was the rolling check's.
    pub(crate) fn asked(&self) -> Vec<String> {
        let mut asked = self.source.lock().asked.clone();
        asked.pop().expect("each run checks one member");
        asked
    }

    /// Applies steps as `write-aliases` does.
    pub(crate) async fn deliver(&self, parts: &[TakeSteps]) {
        let community = [domain()];
        for TakeSteps { run, steps, request_id, read_at } in parts {
            let run = run.to_string();
            let terms = Terms { domains: &community, rules: &self.community.rules, read_at: *read_at };
            for step in steps {
                self.clock.advance(SignedDuration::from_millis(1));
                let cause = Cause { actor: Actor::Sync, by: Some(&run), request_id, now: self.clock.now() };
                let sealer = &self.table.sealer;
                let renamed_from = match &step.action {
                    Action::Create => None,
                    Action::Rename { from } => Some(Address { local_part: from.clone(), domain: domain() }),
                    _ => {
                        self.store().apply(sealer, step, terms, cause, &OsRandom).await.unwrap();
                        continue;
                    }
                };
                let known_as = step.known_as.as_ref().unwrap();
                let member = self.store().survivor(step.member).await.unwrap().unwrap();
                let asked = Asked {
                    address: &step.address,
                    existing: None,
                    known_as,
                    renamed_from: renamed_from.as_ref(),
                    limit: 3,
                };
                let grant = self.store().grant(sealer, &member, asked, &community, cause, &OsRandom).await.unwrap();
                if let Grant::Expired(_) = grant {
                    self.store().note_expired_grant(&domain(), member.id).await.unwrap();
                    continue;
                }
                if let Some(from) = &renamed_from {
                    self.store().observe_alias(from, step.member, known_as, cause.now).await.unwrap();
                }
            }
        }
    }

    /// Every address with its state and the number of its changes.
    pub(crate) async fn addresses(&self) -> Vec<(String, Status, Reason, u64)> {
        let mut all = Vec::new();
        let each = |alias: Alias| {
            let Alias { address, status, reason, version, .. } = alias;
            all.push((address.local_part.to_string(), status, reason, version));
        };
        self.store().each_alias(&domain(), each).await.unwrap();
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

    /// All items but those of syncs by their keys, as DynamoDB has them.
    pub(crate) async fn items(&self) -> BTreeMap<[String; 2], HashMap<String, AttributeValue>> {
        let scan = self.table.client.scan().table_name(&self.table.table).consistent_read(true);
        let mut items = scan.into_paginator().items().send();
        let mut all = BTreeMap::new();
        while let Some(item) = items.next().await {
            let item = item.unwrap();
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

/// The local parts of steps.
pub(crate) fn of(parts: &[TakeSteps]) -> Vec<String> {
    let steps = parts.iter().flat_map(|part| &part.steps);
    let mut names: Vec<_> = steps.map(|step| step.address.local_part.to_string()).collect();
    names.sort_unstable();
    names
}
