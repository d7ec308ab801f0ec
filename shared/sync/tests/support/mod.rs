//! A team on a Launchpad that answers as a test says, a table of its own in the DynamoDB of the stack, and whoever takes
//! the steps of a run.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on says where it stopped")]

#[expect(dead_code, reason = "not all of it is needed here")]
#[path = "../../../store/tests/support/mod.rs"]
mod table;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use membermail_core::address::{Address, DomainName};
use membermail_core::alias::{Alias, Reason, Status};
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::{Clock, ManualClock};
use membermail_core::community::Community;
use membermail_core::eligibility::Outcome;
use membermail_core::lifecycle::Action;
use membermail_core::member::{LaunchpadId, LaunchpadName};
use membermail_core::message::TakeSteps;
use membermail_core::random::OsRandom;
use membermail_launchpad::{Client, Settings};
use membermail_runtime::queue::QueueError;
use membermail_store::{Asked, Member, Run, Store};
use membermail_sync::{Engine, Outlet, Ran, SyncError};
use serde_json::{Value, json};
use wiremock::matchers::path_regex;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// For how long a run may last.
pub(crate) const LEASE: SignedDuration = SignedDuration::from_mins(16);

/// Somebody on Launchpad.
#[derive(Clone)]
pub(crate) struct Someone {
    pub(crate) name: String,
    pub(crate) in_team: bool,
    pub(crate) is_valid: bool,
    pub(crate) suspended: bool,
}

/// Everybody, by id.
#[derive(Clone, Default)]
pub(crate) struct People(Arc<Mutex<BTreeMap<u64, Someone>>>);

impl People {
    pub(crate) fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Someone>> {
        self.0.lock().unwrap()
    }

    pub(crate) fn change(&self, id: u64, change: impl FnOnce(&mut Someone)) {
        change(self.lock().get_mut(&id).unwrap());
    }
}

fn shown(id: u64, Someone { name, is_valid, .. }: &Someone) -> Value {
    json!({ "id": id, "name": name, "is_team": false, "is_valid": is_valid, "is_ubuntu_coc_signer": true })
}

impl Respond for People {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let people = self.lock();
        let path = request.url.path();
        if path.ends_with("/participants") {
            let entries: Vec<_> =
                people.iter().filter(|(_, one)| one.in_team).map(|(id, one)| shown(*id, one)).collect();
            return ResponseTemplate::new(200)
                .set_body_json(json!({ "total_size": entries.len(), "entries": entries }));
        }
        let name = path.rsplit('~').next().unwrap_or_default();
        match people.iter().find(|(_, one)| one.name == name) {
            None => ResponseTemplate::new(404),
            Some((_, one)) if one.suspended => ResponseTemplate::new(410),
            Some((id, one)) => ResponseTemplate::new(200).set_body_json(shown(*id, one)),
        }
    }
}

/// The queue of `write-aliases`. After so many parts it takes no more and never answers.
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
    table: table::World,
    pub(crate) server: MockServer,
    pub(crate) people: People,
    pub(crate) clock: ManualClock,
    pub(crate) community: Community,
    launchpad: Client,
}

pub(crate) fn domain() -> DomainName {
    "ubuntu.com".parse().unwrap()
}

impl World {
    /// So many people, called `member01` and so on, all of whom are in the team and have signed in.
    pub(crate) async fn new(name: &str, people: u64) -> Self {
        let table = table::World::new(&format!("sync-{name}")).await;
        let server = MockServer::start().await;
        let all = People::default();
        // What a test puts before it counts first.
        Mock::given(path_regex("^/1.0/~")).respond_with(all.clone()).with_priority(9).mount(&server).await;
        let launchpad = Client::new(Settings {
            api: server.uri().parse().unwrap(),
            user_agent: "membermail-tests (root@example.test)".to_owned(),
            patience: Duration::from_secs(2),
        })
        .unwrap();
        let community = membermail_communities::community("ubuntu").unwrap();
        // The table's domain was proven at that time, and its members are checked then.
        let clock = ManualClock::at(table::now());
        let world = Self { table, server, people: all, clock, community, launchpad };
        for id in 1..=people {
            world.signs_in(id, &format!("member{id:02}")).await;
        }
        world.clock.advance(SignedDuration::from_mins(1));
        world
    }

    /// Somebody new in the team, who signs in and asks for nothing.
    pub(crate) async fn signs_in(&self, id: u64, name: &str) -> Member {
        let someone = Someone { name: name.to_owned(), in_team: true, is_valid: true, suspended: false };
        self.people.lock().insert(id, someone);
        let member = self.table.member(name, &format!("{name}@mail.example")).await;
        let name = LaunchpadName::parse(name).unwrap();
        let person = Some((LaunchpadId(id), &name));
        let outcome = Outcome::Eligible { domains: vec![domain()] };
        self.store().record_outcome(member.id, &outcome, person, self.clock.now()).await.unwrap();
        self.store().member(member.id).await.unwrap().unwrap()
    }

    pub(crate) fn store(&self) -> &Store {
        &self.table.store
    }

    pub(crate) fn engine(&self) -> Engine<'_> {
        let Self { table, clock, community, launchpad, .. } = self;
        Engine { community, launchpad, store: &table.store, lease: LEASE, clock, random: &OsRandom }
    }

    pub(crate) async fn sync(&self, queue: &Queue) -> Result<Ran, SyncError> {
        self.engine().run(&domain(), "request-1", queue).await
    }

    /// A run that comes to its end.
    pub(crate) async fn run(&self, queue: &Queue) -> Run {
        let ran = self.sync(queue).await.unwrap();
        let Ran::Done { run, .. } = ran else { panic!("{ran:?}") };
        self.clock.advance(SignedDuration::from_secs(1));
        *run
    }

    /// A run, and its steps taken.
    pub(crate) async fn synced(&self) -> Run {
        let queue = Queue::default();
        let run = self.run(&queue).await;
        self.deliver(&queue.take()).await;
        run
    }

    /// Takes steps as `write-aliases` does.
    pub(crate) async fn deliver(&self, parts: &[TakeSteps]) {
        let community = [domain()];
        for TakeSteps { run, read_at, steps, request_id } in parts {
            let run = run.to_string();
            for step in steps {
                self.clock.advance(SignedDuration::from_millis(1));
                let cause = Cause { actor: Actor::Sync, by: Some(&run), request_id, now: self.clock.now() };
                let renamed_from = match &step.action {
                    Action::Create { .. } => None,
                    Action::Rename { from, .. } => Some(Address { local_part: from.clone(), domain: domain() }),
                    _ => {
                        let taken = self.store().take(&self.table.sealer, step, &community, cause, &OsRandom).await;
                        taken.unwrap();
                        continue;
                    }
                };
                let member = self.store().member(step.member).await.unwrap().unwrap();
                let asked =
                    Asked { address: &step.address, eligible_at: *read_at, renamed_from: renamed_from.as_ref() };
                let sealer = &self.table.sealer;
                self.store().grant(sealer, &member, asked, &community, cause, &OsRandom).await.unwrap();
            }
        }
    }

    /// Every address with its person, its state and how often it was changed.
    pub(crate) async fn addresses(&self) -> Vec<(String, u64, Status, Reason, u64)> {
        let mut all = Vec::new();
        let each = |alias: &Alias| {
            let Alias { address, person, status, reason, version, .. } = alias.clone();
            all.push((address.local_part.to_string(), person.0, status, reason, version));
        };
        self.store().each_alias(&domain(), each).await.unwrap();
        all
    }

    pub(crate) async fn alias(&self, name: &str) -> Alias {
        let address = Address { local_part: name.parse().unwrap(), domain: domain() };
        self.store().alias(&address).await.unwrap().unwrap().alias
    }

    /// All items but those of runs by their keys, as DynamoDB has them.
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

    /// The names that were asked for one by one.
    pub(crate) async fn asked(&self) -> Vec<String> {
        let requests = self.server.received_requests().await.expect("they are recorded");
        let paths = requests.iter().map(|request| request.url.path().to_owned());
        paths
            .filter_map(|path| path.strip_prefix("/1.0/~").map(str::to_owned))
            .filter(|name| !name.contains('/'))
            .collect()
    }
}

/// `2026-11-24T10:00:00Z` and so many days.
pub(crate) fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

/// The addresses of steps.
pub(crate) fn of(parts: &[TakeSteps]) -> Vec<String> {
    let steps = parts.iter().flat_map(|part| &part.steps);
    let mut names: Vec<_> = steps.map(|step| step.address.local_part.to_string()).collect();
    names.sort_unstable();
    names
}

/// Until when the addresses that leave in these steps do.
pub(crate) fn untils(parts: &[TakeSteps]) -> Vec<Timestamp> {
    let steps = parts.iter().flat_map(|part| &part.steps);
    steps
        .filter_map(|step| match &step.action {
            Action::Leave { until, .. } => Some(*until),
            _ => None,
        })
        .collect()
}
