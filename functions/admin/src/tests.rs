//! The function over an in-memory table, with a fake of the queues.

mod access;
mod addresses;
mod admins;
mod audit;
mod bans;
mod domain;
mod members;
mod plans;
mod reserved;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lambda_http::{Body, Request, Response};
use membermail_core::address::{Address, DomainName};
use membermail_core::admin::{Permission, Permissions};
use membermail_core::alias::{Alias, GrantRequest};
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::{Clock, ManualClock};
use membermail_core::eligibility::Outcome;
use membermail_core::email::EmailAddress;
use membermail_core::member::MemberId;
use membermail_core::random::OsRandom;
use membermail_domains::Settings;
use membermail_identity::session::{self, SessionId};
use membermail_pages::testing::{Browser, Page, Site, identity, observation};
use membermail_runtime::testing::{FakeAws, Response as AwsResponse};
use membermail_store::{FirstDestination, GrantOutcome, Member, NewSession, Record, Sealer, SignIn, Store};
use serde_json::{Value, json};

use crate::{Context, handle};

const UBUNTU: &str = "ubuntu.com";
const KUBUNTU: &str = "kubuntu.org";

struct World {
    context: Context,
    clock: ManualClock,
    /// Bodies of the messages that were sent.
    messages: Arc<Mutex<Vec<Value>>>,
    queues_are_down: Arc<AtomicBool>,
}

impl World {
    /// A site with the verified domains ubuntu.com and kubuntu.org.
    async fn new() -> Self {
        let clock = ManualClock::at("2026-11-24T10:00:00Z".parse().unwrap());
        let messages = Arc::new(Mutex::new(Vec::new()));
        let sent = messages.clone();
        let is_down = Arc::new(AtomicBool::new(false));
        let queues_are_down = is_down.clone();
        let aws = FakeAws::new(move |operation, request| match operation {
            "SendMessage" if is_down.load(Ordering::Relaxed) => AwsResponse::error("AccessDenied"),
            "SendMessage" => {
                let body = request["MessageBody"].as_str().unwrap();
                sent.lock().unwrap().push(serde_json::from_str(body).unwrap());
                AwsResponse::Ok(json!({ "MessageId": "m" }))
            }
            _ => AwsResponse::error("UnexpectedOperation"),
        });
        let context = Context {
            community: membermail_communities::community("ubuntu").unwrap(),
            texts: Context::texts().unwrap(),
            configured_url: Some("https://mail.example.org/".parse().unwrap()),
            store: Store::in_memory(),
            sync_queue: aws.queue("sync"),
            verify_queue: aws.queue("verify"),
            notify_queue: aws.queue("notify"),
            dns: Settings { servers: "127.0.0.1:1".parse().ok(), timeout: Duration::from_secs(1) },
            clock: Box::new(clock.clone()),
            random: Box::new(OsRandom),
        };
        let world = Self { context, clock, messages, queues_are_down };
        for domain in [UBUNTU, KUBUNTU] {
            world.store().verify_domain(&name(domain), world.cause(), &OsRandom).await.unwrap();
        }
        world
    }

    fn store(&self) -> &Store {
        &self.context.store
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

    /// Whether the queues refuse all messages.
    fn fail_queues(&self, fails: bool) {
        self.queues_are_down.store(fails, Ordering::Relaxed);
    }

    /// The messages that were sent since the last call.
    fn messages(&self) -> Vec<Value> {
        std::mem::take(&mut self.messages.lock().unwrap())
    }

    /// Signs a member in, whose account is valid and eligible for ubuntu.com.
    async fn sign_in(&self, person: &str) -> (Browser, Member) {
        let id = SessionId::new(&OsRandom);
        let now = self.now();
        let email = EmailAddress::parse(&format!("{person}@mail.example")).unwrap();
        let hash = id.hash();
        let session = NewSession { hash: hash.as_str(), expires: session::expires(now) };
        let destination = FirstDestination::Confirmed;
        let identity = identity(person);
        let sign_in = SignIn { identity: &identity, address: &email, language: None, destination, session };
        let sealer = Sealer::new(b"a master secret that is long enough for a test");
        let member = self.store().sign_in(&sealer, sign_in, now, &OsRandom).await.unwrap();
        let outcome = Outcome::Eligible { domains: vec![name(UBUNTU)] };
        let record = Record {
            member: &member,
            observation: Some(&observation(person, now)),
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

    /// Grants a member an address.
    async fn grant(&self, member: &Member, address: &str) -> Alias {
        self.grant_up_to(member, address, 3).await
    }

    /// The same for a member with many addresses.
    async fn grant_many(&self, member: &Member, address: &str) -> Alias {
        self.grant_up_to(member, address, u16::MAX).await
    }

    async fn grant_up_to(&self, member: &Member, address: &str, limit: u16) -> Alias {
        let address: Address = address.to_owned().try_into().unwrap();
        let known_as = observation(address.local_part.as_str(), self.now()).name();
        let request =
            GrantRequest { address: &address, existing: None, known_as: &known_as, renamed_from: None, limit };
        let domains = [name(UBUNTU), name(KUBUNTU)];
        let granted = self.store().grant(member, request, &domains, self.cause(), &OsRandom).await.unwrap();
        let GrantOutcome::Created { alias, .. } = granted else { panic!("{granted:?}") };
        alias
    }

    /// A signed-in member with an address at ubuntu.com.
    async fn resident(&self, person: &str) -> (Browser, Member) {
        let (browser, member) = self.sign_in(person).await;
        self.grant(&member, &format!("{person}@ubuntu.com")).await;
        (browser, member)
    }

    /// A signed-in admin of a domain.
    async fn admin(&self, person: &str, domain: &str, permissions: &[Permission]) -> (Browser, Member) {
        let (browser, member) = self.resident(person).await;
        let permissions: Permissions = permissions.iter().copied().collect();
        let domain = name(domain);
        let bound = self.store().bind_admin(&domain, member.id, permissions, self.cause(), &OsRandom).await;
        assert!(bound.unwrap().is_some());
        (browser, member)
    }
}

impl Site for World {
    fn respond(&self, request: &Request) -> impl Future<Output = Response<Body>> {
        handle(&self.context, request)
    }
}

fn name(domain: &str) -> DomainName {
    domain.parse().unwrap()
}
