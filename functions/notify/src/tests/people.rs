//! The function over a table in memory, so that members change their destinations by the code of the account page.

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use membermail_core::address::{Address, DomainName};
use membermail_core::alias::GrantRequest;
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::{Clock, ManualClock, later};
use membermail_core::code::Code;
use membermail_core::destination::DestinationId;
use membermail_core::email::EmailAddress;
use membermail_core::member::{Fingerprint, Identity, MemberId, ObservedName, Subject};
use membermail_core::message::NotifyMessage;
use membermail_core::random::OsRandom;
use membermail_runtime::testing::{FakeAws, Response};
use membermail_store::{
    Choice, Confirmed, FirstDestination, GrantOutcome, Member, NewSession, Redirected, Removed, Requested, Sealer,
    SignIn, Store,
};
use serde_json::json;
use ulid::Ulid;

use super::fakes::MASTER;
use super::mailbox::{self, Mail, Mails, Rejection, unique_mails};
use super::world;
use crate::{Context, handle_message};

pub(super) const ALICE: &str = "alice@mail.example";
/// The mailbox that is added to Alice's.
pub(super) const NEW: &str = "new@other.example";

pub(super) struct People {
    pub(super) context: Context,
    pub(super) mails: Mails,
    pub(super) rejection: Rejection,
    pub(super) sealer: Sealer,
    clock: ManualClock,
    queue: Arc<Mutex<Vec<String>>>,
}

impl People {
    pub(super) async fn new() -> Self {
        let (port, mails, rejection) = mailbox::serve().await;
        let queue = Arc::<Mutex<Vec<String>>>::default();
        let sent = Arc::clone(&queue);
        let aws = FakeAws::new(move |operation, body| match operation {
            "GetSecretValue" if body["SecretId"] == "mail" => {
                Response::Ok(json!({ "SecretString": world::mail_secret(port) }))
            }
            "GetSecretValue" => Response::Ok(json!({ "SecretString": MASTER })),
            "SendMessage" => {
                sent.lock().unwrap().push(body["MessageBody"].as_str().unwrap().to_owned());
                Response::Ok(json!({ "MessageId": "1" }))
            }
            _ => Response::error("UnexpectedOperation"),
        });
        let clock = ManualClock::at("2026-11-24T10:00:00Z".parse().unwrap());
        let mut context = world::context(&aws, &clock);
        context.store = Store::in_memory();
        let people = Self { context, mails, rejection, sealer: Sealer::new(MASTER.as_bytes()), clock, queue };
        people.store().verify_domain(&domain(), people.cause(), &OsRandom).await.unwrap();
        people
    }

    pub(super) fn store(&self) -> &Store {
        &self.context.store
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn advance(&self, minutes: i64) {
        self.clock.advance(SignedDuration::from_mins(minutes));
    }

    pub(super) fn cause(&self) -> Cause<'static> {
        Cause { actor: Actor::Member, by: None, request_id: "a-test", now: self.now() }
    }

    /// Signs Alice in, with a confirmed mailbox and an address that forwards there, long ago.
    pub(super) async fn alice(&self) -> Member {
        let member = self.sign_in("alice", ALICE, FirstDestination::Confirmed).await;
        self.grant(&member, "alice").await;
        self.advance(100 * 60);
        self.reload(member.id).await
    }

    pub(super) async fn sign_in(&self, name: &str, address: &str, destination: FirstDestination) -> Member {
        let subject = Subject::parse(&format!("https://login.example.org/+id/{name}")).unwrap();
        let identity = Identity { issuer: "https://login.example.org/+openid".into(), subject };
        let address = EmailAddress::parse(address).unwrap();
        let session = NewSession { hash: name, expires: later(self.now(), SignedDuration::from_hours(1)) };
        let sign_in = SignIn { identity: &identity, address: &address, language: None, destination, session };
        self.store().sign_in(&self.sealer, sign_in, self.now(), &OsRandom).await.unwrap()
    }

    /// Grants an address and returns the entry of its notice.
    pub(super) async fn grant(&self, member: &Member, name: &str) -> Ulid {
        let known_as =
            ObservedName { name: name.parse().unwrap(), fingerprint: Fingerprint(7), observed_at: self.now() };
        let address = world::address(name);
        let request =
            GrantRequest { address: &address, existing: None, known_as: &known_as, renamed_from: None, limit: 3 };
        let granted = self.store().grant(member, request, &[domain()], self.cause(), &OsRandom).await.unwrap();
        let GrantOutcome::Created { entry, .. } = granted else { panic!("{granted:?}") };
        entry
    }

    pub(super) async fn reload(&self, id: MemberId) -> Member {
        self.store().member(id).await.unwrap().unwrap()
    }

    /// Requests the confirmation of a mailbox. Returns the destination and the entry of its notices.
    pub(super) async fn add(&self, member: &Member, address: &str) -> (DestinationId, Ulid) {
        let address = EmailAddress::parse(address).unwrap();
        let added = self.store().add_destination(&self.sealer, member, (&address, false), self.cause(), &OsRandom);
        let Requested::Sent { id, entry } = added.await.unwrap() else { panic!("not requested") };
        (id, entry)
    }

    /// Enters a code. Returns the entry of the confirmation's notices.
    pub(super) async fn enter(&self, member: &Member, id: DestinationId, code: &str) -> Confirmed {
        let code = Code::parse(code).unwrap();
        let typed = (id, Some(&code));
        self.store().confirm_destination(&self.sealer, member, typed, self.cause(), &OsRandom).await.unwrap()
    }

    /// Adds a mailbox and confirms it with the code from the mail. Returns the entry of the confirmation's notices.
    pub(super) async fn add_confirmed(&self, member: &Member, address: &str) -> (DestinationId, Ulid) {
        let (id, entry) = self.add(member, address).await;
        self.notify(entry).await;
        let code = code_in(self.mails_to(address).last().unwrap()).unwrap();
        let Confirmed::Done { entry, .. } = self.enter(member, id, &code).await else { panic!("not confirmed") };
        self.mails.lock().unwrap().clear();
        (id, entry)
    }

    pub(super) async fn redirect(&self, member: &Member, address: &Address, to: &[DestinationId]) -> Ulid {
        let choice = Choice { address, seen: None, destinations: to };
        let redirected = self.store().redirect(&self.sealer, member, choice, self.cause(), &OsRandom).await.unwrap();
        let Redirected::Done { entry } = redirected else { panic!("{redirected:?}") };
        entry
    }

    pub(super) async fn remove(&self, member: &Member, id: DestinationId) -> Ulid {
        let removed = self.store().remove_destination(member, id, self.cause(), &OsRandom).await.unwrap();
        let Removed::Done { entry } = removed else { panic!("{removed:?}") };
        entry
    }

    /// Handles the message of an outbox entry.
    pub(super) async fn notify(&self, entry: Ulid) {
        self.handle(NotifyMessage::change(entry, "a-test")).await;
        assert!(self.store().undelivered(entry).await.unwrap().is_none(), "the entry is not settled");
    }

    pub(super) async fn handle(&self, message: NotifyMessage) {
        handle_message(&self.context, message).await.unwrap();
    }

    /// Removes and returns the messages in the queue.
    pub(super) fn queued(&self) -> Vec<NotifyMessage> {
        let sent = std::mem::take(&mut *self.queue.lock().unwrap());
        sent.iter().map(|body| serde_json::from_str(body).unwrap()).collect()
    }

    pub(super) fn mails_to(&self, recipient: &str) -> Vec<Mail> {
        unique_mails(&self.mails, recipient)
    }

    /// The recipients of all mails, sorted.
    pub(super) fn recipients(&self) -> Vec<String> {
        let mut all: Vec<_> = self.mails.lock().unwrap().iter().map(|mail| mail.to.clone()).collect();
        all.sort();
        all
    }
}

pub(super) fn domain() -> DomainName {
    "ubuntu.com".parse().unwrap()
}

/// The code in a mail.
pub(super) fn code_in(mail: &Mail) -> Option<String> {
    let mut words = mail.text.split_whitespace();
    words.find(|word| word.len() == 9 && word.contains('-') && Code::parse(word).is_some()).map(str::to_owned)
}
