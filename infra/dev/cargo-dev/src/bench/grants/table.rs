//! The table of the benchmark: members who have signed in and have no address yet.

use anyhow::Result;
use aws_sdk_dynamodb::Client;
use jiff::Timestamp;
use membermail_core::address::{Address, DomainName, LocalPart};
use membermail_core::alias::ExpectedVersion;
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::email::EmailAddress;
use membermail_core::lifecycle::{Action, Step};
use membermail_core::member::{self, Fingerprint, MemberId, ObservedName, PersonName};
use membermail_core::message::{AliasGrant, ApplySteps, WriteAliases};
use membermail_core::random::OsRandom;
use membermail_store::{Field, KeyContext, Sealer, Store};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// The master secret.
pub(super) const MASTER_SECRET: &str = "a master secret of a benchmark, long enough";
/// Name of the table.
pub(super) const TABLE: &str = "bench";
const DOMAIN: &str = "ubuntu.com";
/// Number of tasks that write members.
const WRITERS: usize = 8;

/// A member, and the number in their name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Person {
    id: MemberId,
    number: usize,
}

/// The table.
pub(super) struct Table {
    client: Client,
    store: Store,
    domain: DomainName,
}

impl Table {
    /// Creates the table, with one verified domain.
    pub(super) async fn create(port: u16) -> Result<Self> {
        let client = Client::new(&crate::aws::local(&format!("http://127.0.0.1:{port}")).await);
        let store = Store::create(client.clone(), TABLE).await?;
        let domain = DOMAIN.parse()?;
        let cause = Cause { actor: Actor::Operator, by: Some("bench"), request_id: "bench", now: SystemClock.now() };
        store.verify_domain(&domain, cause, &OsRandom).await?;
        Ok(Self { client, store, domain })
    }

    /// Writes `members` members.
    pub(super) async fn fill(&self, members: usize) -> Result<Vec<Person>> {
        let now = SystemClock.now();
        let people: Vec<_> = (0..members).map(|number| Person { id: MemberId::new(now, &OsRandom), number }).collect();
        let sealer = Sealer::new(MASTER_SECRET.as_bytes());
        let mut writers = JoinSet::new();
        for part in people.chunks(members.div_ceil(WRITERS)) {
            let items = part.iter().map(|person| item(person, &sealer, now)).collect::<Result<Vec<_>>>()?;
            let client = self.client.clone();
            writers.spawn(async move { Store::put_raw_items(&client, TABLE, &items).await });
        }
        for written in writers.join_all().await {
            written?;
        }
        Ok(people)
    }

    /// The messages of a first sync that gives each person an address.
    pub(super) fn steps(&self, people: &[Person]) -> Result<Vec<String>> {
        let now = SystemClock.now();
        let run = member::ulid(now, &OsRandom);
        let mut messages = Vec::new();
        for part in people.chunks(ApplySteps::MAX_STEPS) {
            let steps = part.iter().map(|person| self.creation(person)).collect::<Result<_>>()?;
            let message = WriteAliases::Apply(ApplySteps { run, read_at: now, steps, request_id: "bench".to_owned() });
            messages.push(serde_json::to_string(&message)?);
        }
        Ok(messages)
    }

    fn creation(&self, person: &Person) -> Result<Step> {
        Ok(Step {
            address: self.address(person)?,
            member: person.id,
            expected: ExpectedVersion::Absent,
            known_as: Some(known_as(person)?),
            action: Action::Create,
        })
    }

    /// The message of a sign-in.
    pub(super) fn grant(&self, person: Person) -> Result<String> {
        let grant = AliasGrant {
            member: person.id,
            known_as: known_as(&person)?,
            domain: self.domain.clone(),
            request_id: "bench".to_owned(),
        };
        Ok(serde_json::to_string(&WriteAliases::Grant(grant))?)
    }

    /// Whether the person has an address.
    pub(super) async fn has_address(&self, person: Person) -> Result<bool> {
        Ok(self.store.alias(&self.address(&person)?).await?.is_some())
    }

    fn address(&self, person: &Person) -> Result<Address> {
        let local_part = LocalPart::of(&name(person)?).map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?;
        Ok(Address { local_part, domain: self.domain.clone() })
    }
}

fn name(person: &Person) -> Result<PersonName> {
    Ok(PersonName::parse(&format!("member{:06}", person.number))?)
}

fn known_as(person: &Person) -> Result<ObservedName> {
    Ok(ObservedName { name: name(person)?, fingerprint: Fingerprint(7), observed_at: SystemClock.now() })
}

fn item(person: &Person, sealer: &Sealer, now: Timestamp) -> Result<Value> {
    let key_context = KeyContext::new(&OsRandom);
    let address = EmailAddress::parse(&format!("member{}@mail.example", person.number))?;
    let sign_in = sealer.seal(&key_context, person.id, Field::SignIn, &address, &OsRandom)?;
    Ok(json!({
        "pk": format!("MEMBER#{}", person.id), "sk": "PROFILE", "id": person.id, "session_epoch": 0,
        "salt": String::from(key_context), "sign_in": sign_in, "state": "done", "requested_at": now,
    }))
}
