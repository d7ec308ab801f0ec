//! A separate table for each test: in memory, or in the DynamoDB of the stack that `MEMBERMAIL_STACK` describes.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU32, Ordering};

use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use membermail_core::address::{Address, DomainName};
use membermail_core::alias::{Alias, ExpectedVersion, GrantRequest, Reason, is_loop};
use membermail_core::audit::{Actor, Cause};
use membermail_core::community::Rules;
use membermail_core::eligibility::{Account, Observation, Outcome, Person};
use membermail_core::email::EmailAddress;
use membermail_core::lifecycle::{Action, Step};
use membermail_core::member::{Fingerprint, Identity, MemberId, ObservedName, PersonName, Subject};
use membermail_core::random::OsRandom;
use membermail_store::{
    Applied, FirstDestination, Forwarding, GrantOutcome, Member, NewSession, Record, Recorded, Sealer, SignIn, Store,
    StoreError, Terms,
};

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) sealer: Sealer,
    /// The DynamoDB client; `None` for a table in memory.
    client: Option<Client>,
}

/// A raw item.
pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) const MASTER: &[u8] = b"a master secret of a test, long enough";

pub(crate) fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

pub(crate) fn now() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

/// A cause: an operator at that time.
pub(crate) fn operator(now: Timestamp) -> Cause<'static> {
    Cause { actor: Actor::Operator, by: Some("olivia"), request_id: "request-1", now }
}

/// A cause: a sync at that time.
pub(crate) fn sync(now: Timestamp) -> Cause<'static> {
    Cause { actor: Actor::Sync, by: Some("a run"), request_id: "request-1", now }
}

pub(crate) fn ubuntu() -> DomainName {
    "ubuntu.com".parse().unwrap()
}

pub(crate) fn kubuntu() -> DomainName {
    "kubuntu.org".parse().unwrap()
}

pub(crate) fn community() -> Vec<DomainName> {
    vec![ubuntu(), kubuntu()]
}

pub(crate) fn address(text: &str) -> Address {
    text.to_owned().try_into().unwrap()
}

pub(crate) fn identity(word: &str) -> Identity {
    let subject = Subject::parse(&format!("https://login.example.org/+id/{word}")).unwrap();
    Identity { issuer: "https://login.example.org/+openid".into(), subject }
}

pub(crate) fn name(text: &str) -> PersonName {
    PersonName::parse(text).unwrap()
}

pub(crate) fn observed(text: &str, observed_at: Timestamp) -> ObservedName {
    ObservedName { name: name(text), fingerprint: Fingerprint(7), observed_at }
}

/// An observation of an eligible person.
pub(crate) fn observation(text: &str, observed_at: Timestamp) -> Observation {
    let person = Person {
        name: name(text),
        fingerprint: Fingerprint(7),
        account: Account::Active,
        signed_code_of_conduct: true,
    };
    Observation { person, observed_at }
}

/// A session of one hour with the hash `word`.
pub(crate) fn session(word: &str) -> NewSession<'_> {
    NewSession { hash: word, expires: minutes(60) }
}

pub(crate) fn days(days: i64) -> Timestamp {
    minutes(days * 24 * 60)
}

pub(crate) fn minutes(minutes: i64) -> Timestamp {
    seconds(minutes * 60)
}

pub(crate) fn seconds(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

/// A step that was planned on this version of the alias.
pub(crate) fn step(alias: &Alias, action: Action) -> Step {
    let Alias { address, member, version, .. } = alias.clone();
    Step { address, member, expected: ExpectedVersion::At(version), known_as: None, action }
}

impl World {
    /// A new table in which ubuntu.com is verified and kubuntu.org is not.
    pub(crate) async fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        Self::with_table(&COUNT.fetch_add(1, Ordering::Relaxed).to_string()).await
    }

    /// The same with a name that no other test of this process has.
    pub(crate) async fn with_table(name: &str) -> Self {
        Self::on(dynamodb().await, name).await
    }

    /// The table in memory, for tests that need many tables.
    pub(crate) async fn in_memory() -> Self {
        Self::on(None, "").await
    }

    async fn on(client: Option<Client>, name: &str) -> Self {
        let store = match &client {
            Some(client) => {
                let table = format!("store-{name}-{}", std::process::id());
                Store::create(client.clone(), &table).await.unwrap()
            }
            None => Store::in_memory(),
        };
        store.verify_domain(&ubuntu(), operator(now()), &OsRandom).await.unwrap();
        Self { store, sealer: Sealer::new(MASTER), client }
    }

    /// A table in DynamoDB, for tests that interfere with its requests; none without a stack.
    pub(crate) async fn in_dynamodb() -> Option<Self> {
        let world = Self::new().await;
        if world.client.is_none() {
            eprintln!("skipped: this test needs DynamoDB, set MEMBERMAIL_STACK");
        }
        world.client.is_some().then_some(world)
    }

    /// The client of a table in DynamoDB.
    pub(crate) fn client(&self) -> &Client {
        self.client.as_ref().unwrap()
    }

    /// A raw item.
    pub(crate) async fn item(&self, pk: &str, sk: &str) -> Option<Item> {
        self.store.raw_item(pk, sk).await.unwrap()
    }

    /// Changes a raw item, or creates it.
    pub(crate) async fn change_item(&self, pk: &str, sk: &str, change: impl FnOnce(&mut Item)) {
        let mut item = self.item(pk, sk).await.unwrap_or_default();
        item.extend([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))]);
        change(&mut item);
        self.store.put_raw_item(item).await.unwrap();
    }

    pub(crate) async fn delete_item(&self, pk: &str, sk: &str) {
        self.store.delete_raw_item(pk, sk).await.unwrap();
    }

    pub(crate) async fn member(&self, word: &str, email: &str) -> Member {
        let email = EmailAddress::parse(email).unwrap();
        let destination = match is_loop(&email, &community()) {
            true => FirstDestination::Unsuitable,
            false => FirstDestination::Confirmed,
        };
        let identity = identity(word);
        let sign_in =
            SignIn { identity: &identity, address: &email, language: None, destination, session: session(word) };
        self.store.sign_in(&self.sealer, sign_in, now(), &OsRandom).await.unwrap()
    }

    /// Loads the member.
    pub(crate) async fn read(&self, id: MemberId) -> Member {
        self.store.member(id).await.unwrap().unwrap()
    }

    /// Records an observation of the member.
    pub(crate) async fn observe(&self, member: MemberId, seen: &Observation) -> Recorded {
        self.claim_name(member, seen, None).await
    }

    /// Records an observation that claims the name from another member.
    pub(crate) async fn claim_name(&self, member: MemberId, seen: &Observation, from: Option<MemberId>) -> Recorded {
        let member = self.read(member).await;
        let record = Record {
            member: &member,
            observation: Some(seen),
            outcome: None,
            claims_name_from: from,
            now: seen.observed_at,
        };
        self.store.record(record, &OsRandom).await.unwrap()
    }

    /// Records the outcome of the member's last check request.
    pub(crate) async fn record_outcome(&self, member: MemberId, outcome: &Outcome, at: Timestamp) -> Recorded {
        let member = self.read(member).await;
        let outcome = Some((outcome, member.check.requested_at));
        let record = Record { member: &member, observation: None, outcome, claims_name_from: None, now: at };
        self.store.record(record, &OsRandom).await.unwrap()
    }

    /// A member who signed in and was observed with this name.
    pub(crate) async fn named(&self, word: &str, name: &str) -> Member {
        let member = self.member(word, &format!("{word}@mail.example")).await;
        self.observe(member.id, &observation(name, now())).await;
        self.read(member.id).await
    }

    /// Grants an address to a member who was observed with its local part as name.
    pub(crate) async fn grant(&self, member: &Member, text: &str) -> GrantOutcome {
        self.grant_at(member, text, now(), now()).await
    }

    /// The same for a name observed at `seen`; the message is processed at `now`.
    pub(crate) async fn grant_at(&self, member: &Member, text: &str, seen: Timestamp, now: Timestamp) -> GrantOutcome {
        self.try_grant(&self.store, member, None, text, [seen, now]).await.unwrap()
    }

    /// The same by another store, and with the alias as it was read.
    pub(crate) async fn try_grant(
        &self,
        store: &Store,
        member: &Member,
        existing: Option<&Alias>,
        text: &str,
        [seen, now]: [Timestamp; 2],
    ) -> Result<GrantOutcome, StoreError> {
        let address = address(text);
        let known_as = observed(address.local_part.as_str(), seen);
        let request = GrantRequest { address: &address, existing, known_as: &known_as, renamed_from: None, limit: 3 };
        let cause = Cause { actor: Actor::Member, by: None, request_id: "request-1", now };
        store.grant(member, request, &community(), cause, &OsRandom).await
    }

    pub(crate) async fn find_alias(&self, text: &str) -> Option<Alias> {
        self.store.alias(&address(text)).await.unwrap().map(|stored| stored.alias)
    }

    pub(crate) async fn alias(&self, text: &str) -> Alias {
        self.find_alias(text).await.unwrap()
    }

    /// The opened destination of an alias; `None` for a retired one.
    pub(crate) async fn destination(&self, text: &str) -> Option<String> {
        let Forwarding { key_context, destinations, .. } =
            self.store.forwarding(&address(text)).await.unwrap().unwrap();
        let first = destinations.first()?;
        Some(first.address(&self.sealer, &key_context.unwrap()).unwrap().expose().to_owned())
    }

    /// Applies a step to this version of the alias; the team was read at the same time.
    pub(crate) async fn apply(&self, alias: &Alias, action: Action, now: Timestamp) -> Applied {
        let rules = Rules::default();
        let terms = Terms { domains: &community(), rules: &rules, read_at: now };
        self.store.apply(&step(alias, action), terms, sync(now), &OsRandom).await.unwrap()
    }

    /// Applies a step that must have an effect.
    pub(crate) async fn applied(&self, alias: &Alias, action: Action, now: Timestamp) -> Alias {
        let applied = self.apply(alias, action, now).await;
        let Applied::Done { alias, .. } = applied else { panic!("{applied:?}") };
        alias
    }

    /// Suspends an active alias after its grace period.
    pub(crate) async fn suspended(&self, alias: &Alias) -> Alias {
        let reason = Reason::NotInTeam;
        let leaving = self.applied(alias, Action::Leave { reason, until: days(14) }, now()).await;
        self.applied(&leaving, Action::Suspend { reason }, days(14)).await
    }

    /// Suspends an active alias and retires it when that is due.
    pub(crate) async fn retired(&self, alias: &Alias) -> Alias {
        let suspended = self.suspended(alias).await;
        self.applied(&suspended, Action::Retire, days(194)).await
    }

    /// A member with an address at ubuntu.com.
    pub(crate) async fn resident(&self, name: &str) -> (Member, Alias) {
        let member = self.named(name, name).await;
        let grant = self.grant(&member, &format!("{name}@ubuntu.com")).await;
        let GrantOutcome::Created { alias, .. } = grant else { panic!("{grant:?}") };
        (member, alias)
    }

    /// All items of the table, by key.
    pub(crate) async fn items(&self) -> BTreeMap<(String, String), Item> {
        let items = self.store.raw_items().await.unwrap().into_iter();
        items.map(|item| (["pk", "sk"].map(|key| item[key].as_s().unwrap().clone()).into(), item)).collect()
    }

    /// All items of the table as text.
    pub(crate) async fn dump(&self) -> String {
        format!("{:?}", self.store.raw_items().await.unwrap())
    }
}

/// The DynamoDB of the stack, if there is one.
pub(crate) async fn dynamodb() -> Option<Client> {
    let path = std::env::var("MEMBERMAIL_STACK").ok()?;
    let stack: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .endpoint_url(stack["dynamodb_url"].as_str().unwrap())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "the local stack"))
        .load()
        .await;
    Some(Client::new(&config))
}
