//! The function over an in-memory table, and a fake of the queues and of Secrets Manager.

mod addresses;
mod confirming;
mod data;
mod destinations;
mod guards;
mod identities;
mod languages;
mod pages;
mod reverting;
mod sessions;
mod status;

use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use lambda_http::{Body, Request, Response};
use membermail_core::address::{Address, DomainName};
use membermail_core::alias::{Alias, ExpectedVersion, GrantRequest};
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::{Clock, ManualClock};
use membermail_core::community::Rules;
use membermail_core::destination::{Destination, OwnDomains};
use membermail_core::domain_proof::{DnsAnswer, Unanswered};
use membermail_core::eligibility::Outcome;
use membermail_core::email::EmailAddress;
use membermail_core::lifecycle::{Action, Step};
use membermail_core::member::MemberId;
use membermail_core::random::OsRandom;
use membermail_identity::session::{self, SessionId};
use membermail_pages::testing::{Browser, Page, Site, identity, observation};
use membermail_runtime::secret::MasterSecret;
use membermail_runtime::testing::{FakeAws, Response as AwsResponse};
use membermail_store::{
    Applied, FirstDestination, GrantOutcome, Member, NewSession, Proof, Record, Sealer, SignIn, Store, Terms,
};
use serde_json::{Value, json};

use crate::{Context, MailDomains, StatusCache, handle};

const MASTER_SECRET: &str = "a master secret that is long enough for a test";

struct World {
    context: Context,
    clock: ManualClock,
    cloud: Cloud,
}

/// The fake of the queues and of Secrets Manager.
#[derive(Clone)]
struct Cloud(Arc<Mutex<Inner>>);

struct Inner {
    /// The current master secret, and the one before.
    secrets: [&'static str; 2],
    messages: Vec<Value>,
    queue_is_down: bool,
}

impl Cloud {
    fn new() -> Self {
        let inner = Inner { secrets: [MASTER_SECRET, MASTER_SECRET], messages: Vec::new(), queue_is_down: false };
        Self(Arc::new(Mutex::new(inner)))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    fn aws(&self) -> FakeAws {
        let cloud = self.clone();
        FakeAws::new(move |operation, request| cloud.respond(operation, request))
    }

    fn respond(&self, operation: &str, request: &Value) -> AwsResponse {
        let mut inner = self.inner();
        match operation {
            "GetSecretValue" => {
                let [current, previous] = inner.secrets;
                let secret = if request["VersionStage"] == "AWSPREVIOUS" { previous } else { current };
                AwsResponse::Ok(json!({ "SecretString": secret }))
            }
            "SendMessage" if !inner.queue_is_down => {
                let body = request["MessageBody"].as_str().unwrap();
                inner.messages.push(serde_json::from_str(body).unwrap());
                AwsResponse::Ok(json!({ "MessageId": "m" }))
            }
            _ => AwsResponse::error("UnexpectedOperation"),
        }
    }
}

/// DNS, in which each domain is what its first label says.
struct FakeDns;

#[async_trait]
impl MailDomains for FakeDns {
    async fn mx(&self, domain: &str) -> DnsAnswer<String> {
        match domain.split('.').next() {
            Some("null") => DnsAnswer::Records(vec![String::new()]),
            Some("silent") => DnsAnswer::Unanswered(Unanswered::TimedOut),
            Some("bare") => DnsAnswer::Missing,
            _ => DnsAnswer::Records(vec![format!("mx.{domain}")]),
        }
    }
}

impl World {
    /// A site with the verified domain ubuntu.com.
    async fn new() -> Self {
        let clock = ManualClock::at("2026-11-24T10:00:00Z".parse().unwrap());
        let cloud = Cloud::new();
        let aws = cloud.aws();
        let community = membermail_communities::community("ubuntu").unwrap();
        let context = Context {
            own_domains: OwnDomains::of(&community),
            community,
            texts: Context::texts().unwrap(),
            status: StatusCache::default(),
            configured_url: Some("https://mail.example.org/".parse().unwrap()),
            secret: MasterSecret::new(aws.secrets(), "master"),
            store: Store::in_memory(),
            mail_domains: Box::new(FakeDns),
            notify_queue: aws.queue("notify"),
            verify_queue: aws.queue("verify"),
            clock: Box::new(clock.clone()),
            random: Box::new(OsRandom),
        };
        let world = Self { context, clock, cloud };
        world.store().verify_domain(&domain(), world.cause(), &OsRandom).await.unwrap();
        world
    }

    fn store(&self) -> &Store {
        &self.context.store
    }

    fn sealer(&self) -> Sealer {
        Sealer::new(MASTER_SECRET.as_bytes())
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn advance(&self, by: SignedDuration) {
        self.clock.advance(by);
    }

    fn cause(&self) -> Cause<'static> {
        Cause { actor: Actor::Operator, by: Some("olivia"), request_id: "request-1", now: self.now() }
    }

    /// The messages that were sent since the last call.
    fn messages(&self) -> Vec<Value> {
        std::mem::take(&mut self.cloud.inner().messages)
    }

    /// Signs in a member with a confirmed mailbox, whose check has found them eligible for ubuntu.com.
    async fn sign_in(&self, name: &str) -> (Browser, Member) {
        self.sign_in_with(name, FirstDestination::Confirmed).await
    }

    async fn sign_in_with(&self, name: &str, destination: FirstDestination) -> (Browser, Member) {
        let id = SessionId::new(&OsRandom);
        let now = self.now();
        let email = EmailAddress::parse(&format!("{name}@mail.example")).unwrap();
        let hash = id.hash();
        let session = NewSession { hash: hash.as_str(), expires: session::expires(now) };
        let sign_in = SignIn { identity: &identity(name), address: &email, language: None, destination, session };
        let member = self.store().sign_in(&self.sealer(), sign_in, now, &OsRandom).await.unwrap();
        let outcome = Outcome::Eligible { domains: vec![domain()] };
        let record = Record {
            member: &member,
            observation: Some(&observation(name, now)),
            outcome: Some((&outcome, member.check.requested_at)),
            claims_name_from: None,
            now,
        };
        self.store().record(record, &OsRandom).await.unwrap();
        (Browser(Some(id)), self.member(member.id).await)
    }

    async fn member(&self, id: MemberId) -> Member {
        self.store().member(id).await.unwrap().unwrap()
    }

    /// Grants a member an address at ubuntu.com.
    async fn grant(&self, member: &Member, name: &str) -> Alias {
        let address: Address = format!("{name}@ubuntu.com").try_into().unwrap();
        let known_as = observation(name, self.now()).name();
        let request =
            GrantRequest { address: &address, existing: None, known_as: &known_as, renamed_from: None, limit: 3 };
        let granted = self.store().grant(member, request, &[domain()], self.cause(), &OsRandom).await.unwrap();
        let GrantOutcome::Created { alias, .. } = granted else { panic!("{granted:?}") };
        alias
    }

    /// A signed-in member with an address at ubuntu.com.
    async fn resident(&self, name: &str) -> (Browser, Member) {
        let (browser, member) = self.sign_in(name).await;
        self.grant(&member, name).await;
        (browser, member)
    }

    /// The member's mailbox with this address.
    async fn mailbox(&self, member: &Member, address: &str) -> Destination {
        let sealer = self.sealer();
        let all = self.store().destinations_of(member.id).await.unwrap();
        let member = self.member(member.id).await;
        let mut found =
            all.iter().filter(|stored| stored.address(&sealer, &member.key_context).unwrap().expose() == address);
        found.next().unwrap_or_else(|| panic!("{address} is missing")).destination.clone()
    }

    /// The code in the last mail to a mailbox.
    async fn code(&self, member: &Member, address: &str) -> String {
        self.code_under(MASTER_SECRET, member, address).await
    }

    async fn code_under(&self, secret: &str, member: &Member, address: &str) -> String {
        let destination = self.mailbox(member, address).await;
        let pending = destination.pending.unwrap();
        let address = EmailAddress::parse(address).unwrap();
        let proof =
            Proof::Mailbox { member: member.id, destination: destination.id, pending: &pending, address: &address };
        Sealer::new(secret.as_bytes()).code(proof).unwrap().expose()
    }

    /// Adds a mailbox with the forms, and confirms it.
    async fn add_mailbox(&self, browser: &Browser, member: &Member, address: &str) -> Destination {
        let page = browser.submit(self, "/destinations", &[("address", address)]).await;
        assert_eq!(page.status(), 303, "{}", page.text());
        let code = self.code(member, address).await;
        let id = self.mailbox(member, address).await.id.to_string();
        let page = browser.submit(self, "/confirm", &[("destination", &id), ("code", &code)]).await;
        assert_eq!(page.status(), 303, "{}", page.text());
        self.mailbox(member, address).await
    }

    /// The ids of the mailboxes that an address lists.
    async fn listed(&self, address: &str) -> Vec<String> {
        let address: Address = address.to_owned().try_into().unwrap();
        let stored = self.store().alias(&address).await.unwrap().unwrap();
        stored.destinations.iter().map(ToString::to_string).collect()
    }

    async fn alias(&self, address: &str) -> Alias {
        let address: Address = address.to_owned().try_into().unwrap();
        self.store().alias(&address).await.unwrap().unwrap().alias
    }

    /// Everything that forms change, to compare before and after.
    async fn everything(&self, member: &Member) -> String {
        let store = self.store();
        let profile = self.member(member.id).await;
        format!(
            "{profile:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}",
            store.destinations_of(member.id).await.unwrap(),
            store.aliases_of(member.id).await.unwrap(),
            store.sessions_of(&profile, self.now()).await.unwrap(),
            store.history_of(member.id, 100).await.unwrap(),
            store.test_messages_of(member.id).await.unwrap(),
        )
    }

    async fn apply(&self, alias: &Alias, action: Action) -> Alias {
        let Alias { address, member, version, .. } = alias.clone();
        let expected = ExpectedVersion::At(version);
        let step = Step { address, member, expected, known_as: None, action };
        let terms = Terms { domains: &[domain()], rules: &Rules::default(), read_at: self.now() };
        let applied = self.store().apply(&step, terms, self.cause(), &OsRandom).await.unwrap();
        let Applied::Done { alias, .. } = applied else { panic!("{applied:?}") };
        alias
    }
}

impl Site for World {
    fn respond(&self, request: &Request) -> impl Future<Output = Response<Body>> {
        handle(&self.context, request)
    }
}

fn domain() -> DomainName {
    "ubuntu.com".parse().unwrap()
}

/// Whether a page offers to sign in.
fn is_welcome(page: &Page) -> bool {
    page.status() == 200 && page.text().contains("Sign in with Ubuntu One") && !page.text().contains("Sign out")
}
