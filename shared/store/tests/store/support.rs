//! A table of its own for each test, in the DynamoDB of the stack that `cargo dev test` started.

use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType,
};
use jiff::{SignedDuration, Timestamp};
use membermail_core::address::{Address, DomainName};
use membermail_core::alias::{Alias, Reason};
use membermail_core::audit::{Actor, Cause};
use membermail_core::community::Rules;
use membermail_core::eligibility::{Account, Observation, Outcome, Person};
use membermail_core::email::EmailAddress;
use membermail_core::lifecycle::{Action, Step};
use membermail_core::member::{ClaimedIdentifier, Fingerprint, Identity, LaunchpadName, MemberId, ObservedName};
use membermail_core::random::OsRandom;
use membermail_store::{Applied, Asked, Grant, Member, NewSession, Record, Recorded, Sealer, SignIn, Store, Terms};

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) sealer: Sealer,
    pub(crate) client: Client,
    pub(crate) table: String,
}

pub(crate) fn now() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

/// By an operator at that time.
pub(crate) fn operator(now: Timestamp) -> Cause<'static> {
    Cause { actor: Actor::Operator, by: Some("olivia"), request_id: "request-1", now }
}

pub(crate) fn community() -> Vec<DomainName> {
    vec!["ubuntu.com".parse().unwrap(), "kubuntu.org".parse().unwrap()]
}

pub(crate) fn address(text: &str) -> Address {
    text.to_owned().try_into().unwrap()
}

pub(crate) fn identity(word: &str) -> Identity {
    let subject = ClaimedIdentifier::parse(&format!("https://login.example.org/+id/{word}")).unwrap();
    Identity { issuer: "https://login.example.org/+openid".into(), subject }
}

pub(crate) fn name(text: &str) -> LaunchpadName {
    LaunchpadName::parse(text).unwrap()
}

pub(crate) fn observed(text: &str, observed_at: Timestamp) -> ObservedName {
    ObservedName { name: name(text), fingerprint: Fingerprint(7), observed_at }
}

/// Of a person in good standing.
pub(crate) fn observation(text: &str, observed_at: Timestamp) -> Observation {
    let (name, fingerprint) = (name(text), Fingerprint(7));
    let person = Person { name, fingerprint, account: Account::Active, signed_code_of_conduct: true };
    Observation { person, observed_at }
}

/// A session of an hour; its hash is the word.
pub(crate) fn session(word: &str) -> NewSession<'_> {
    NewSession { hash: word, expires: minutes(60) }
}

pub(crate) fn days(days: i64) -> Timestamp {
    minutes(days * 24 * 60)
}

pub(crate) fn minutes(minutes: i64) -> Timestamp {
    now() + SignedDuration::from_mins(minutes)
}

impl World {
    /// A new table in which ubuntu.com is verified and kubuntu.org is not.
    pub(crate) async fn new(name: &str) -> Self {
        let path = std::env::var("MEMBERMAIL_STACK").expect("MEMBERMAIL_STACK is set: run this by `cargo dev test`");
        let stack: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .endpoint_url(stack["endpoint_url"].as_str().unwrap())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "the local stack"))
            .load()
            .await;
        let client = Client::new(&config);
        let table = format!("store-{name}-{}", std::process::id());
        create(&client, &table).await;
        let store = Store::new(client.clone(), &table);
        store.verify_domain(&community()[0], operator(now()), &OsRandom).await.unwrap();
        Self { store, sealer: Sealer::new(b"a master secret of a test, long enough"), client, table }
    }

    pub(crate) async fn member(&self, word: &str, email: &str) -> Member {
        let email = EmailAddress::parse(email).unwrap();
        let sign_in = SignIn { identity: &identity(word), address: &email, language: None, session: session(word) };
        self.store.sign_in(&self.sealer, sign_in, now(), &OsRandom).await.unwrap()
    }

    /// The member as the table has them now.
    pub(crate) async fn read(&self, id: MemberId) -> Member {
        self.store.member(id).await.unwrap().unwrap()
    }

    /// Records that the source called the member so at that time.
    pub(crate) async fn observe(&self, member: MemberId, seen: &Observation) -> Recorded {
        self.take_name(member, seen, None).await
    }

    /// The same, with the name taken from another member.
    pub(crate) async fn take_name(&self, member: MemberId, seen: &Observation, from: Option<MemberId>) -> Recorded {
        let member = self.read(member).await;
        let record = Record {
            member: &member,
            observation: Some(seen),
            outcome: None,
            takes_name_from: from,
            now: seen.observed_at,
        };
        self.store.record(record, &OsRandom).await.unwrap()
    }

    /// Records the outcome of the member's last request.
    pub(crate) async fn conclude(&self, member: MemberId, outcome: &Outcome, at: Timestamp) -> Recorded {
        let member = self.read(member).await;
        let outcome = Some((outcome, member.check.requested_at));
        let record = Record { member: &member, observation: None, outcome, takes_name_from: None, now: at };
        self.store.record(record, &OsRandom).await.unwrap()
    }

    /// A member who signed in and has this name at the source.
    pub(crate) async fn named(&self, word: &str, name: &str) -> Member {
        let member = self.member(word, &format!("{word}@mail.example")).await;
        self.observe(member.id, &observation(name, now())).await;
        self.read(member.id).await
    }

    /// A grant to a member whom the source calls by the address' local part.
    pub(crate) async fn grant(&self, member: &Member, text: &str) -> Grant {
        let address = address(text);
        let known_as = observed(address.local_part.as_str(), now());
        let asked = Asked { address: &address, existing: None, known_as: &known_as, renamed_from: None, limit: 3 };
        let cause = Cause { actor: Actor::Member, by: None, request_id: "request-1", now: now() };
        self.store.grant(&self.sealer, member, asked, &community(), cause, &OsRandom).await.unwrap()
    }

    /// Applies a step on this version of the alias at that time; the team was read then.
    pub(crate) async fn apply(&self, alias: &Alias, action: Action, now: Timestamp) -> Applied {
        let Alias { address, member, version, .. } = alias.clone();
        let step = Step { address, member, version, known_as: None, action };
        let (domains, rules) = (community(), Rules::default());
        let terms = Terms { domains: &domains, rules: &rules, read_at: now };
        let cause = Cause { actor: Actor::Sync, by: Some("a run"), request_id: "request-1", now };
        self.store.apply(&self.sealer, &step, terms, cause, &OsRandom).await.unwrap()
    }

    /// Applies a step that counts.
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

    /// Retires an active alias when its time has come.
    pub(crate) async fn retired(&self, alias: &Alias) -> Alias {
        let suspended = self.suspended(alias).await;
        self.applied(&suspended, Action::Retire, days(194)).await
    }

    /// A member with an address at ubuntu.com.
    pub(crate) async fn resident(&self, name: &str) -> (Member, Alias) {
        let member = self.named(name, name).await;
        let grant = self.grant(&member, &format!("{name}@ubuntu.com")).await;
        let Grant::Created { alias, .. } = grant else { panic!("{grant:?}") };
        (member, alias)
    }

    /// Everything in the table, as text.
    pub(crate) async fn dump(&self) -> String {
        format!("{:?}", self.client.scan().table_name(&self.table).send().await.unwrap())
    }
}

async fn create(client: &Client, table: &str) {
    let attribute = |name: &str| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build().unwrap()
    };
    let key =
        |name: &str, kind: KeyType| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let index = GlobalSecondaryIndex::builder()
        .index_name("by-member")
        .key_schema(key("member", KeyType::Hash))
        .key_schema(key("address", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()
        .unwrap();
    let request = client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
    request
        .set_attribute_definitions(Some(["pk", "sk", "member", "address"].map(attribute).to_vec()))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .global_secondary_indexes(index)
        .send()
        .await
        .unwrap();
}
