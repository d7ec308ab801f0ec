//! The function under test with a fake table, queue and mail server.

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use membermail_core::address::Address;
use membermail_core::alias::{Reason, Status};
use membermail_core::audit::{Actor, Cause, Change, Entry};
use membermail_core::clock::{Clock, ManualClock};
use membermail_core::destination::DestinationId;
use membermail_core::email::EmailAddress;
use membermail_core::member::MemberId;
use membermail_core::message::{Digest, NotifyMessage};
use membermail_core::random::OsRandom;
use membermail_notices::{Site, Texts};
use membermail_runtime::secret::MasterSecret;
use membermail_runtime::testing::{FakeAws, item};
use membermail_store::{Field, KeyContext, Sealer, Store};
use serde_json::{Value, json};
use ulid::Ulid;

use super::DIGEST;
use super::fakes::{self, Aws, Crash, MASTER, Shared};
use super::mailbox::{self, Mail, Mails, Rejection, unique_mails};
use crate::mailer::MailSecret;
use crate::pending_digests::PendingDigests;
use crate::{Context, Error, handle_message};

pub(super) const MEMBER: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
pub(super) const MAILBOX: &str = "alice@mail.example";
/// The operators' address; they get the digests, since no domain has an admin.
pub(super) const OPERATORS: &str = "operators@notices.example";

pub(super) struct World {
    pub(super) context: Context,
    pub(super) aws: Shared,
    pub(super) mails: Mails,
    /// What the mail server rejects.
    pub(super) rejection: Rejection,
    pub(super) entry: Ulid,
    clock: ManualClock,
    key_context: KeyContext,
}

/// The parameters of an alias change.
#[derive(Clone, Debug)]
pub(super) struct Changed {
    pub(super) name: String,
    pub(super) before: Option<Status>,
    pub(super) after: Status,
    /// Time since the change.
    pub(super) age: SignedDuration,
    pub(super) renamed_from: Option<Address>,
}

pub(super) fn address(name: &str) -> Address {
    Address::try_from(format!("{name}@ubuntu.com")).unwrap()
}

pub(super) fn digest() -> NotifyMessage {
    NotifyMessage::Digest(Digest { domain: "ubuntu.com".parse().unwrap(), request_id: "a-test".into() })
}

/// The mail secret with a mail server at this port.
pub(super) fn mail_secret(port: u16) -> String {
    let secret = json!({
        "relay": format!("smtp://127.0.0.1:{port}"), "from": "noreply@notices.example",
        "reply-to": "help@notices.example", "operators": OPERATORS,
    });
    secret.to_string()
}

pub(super) fn context(aws: &FakeAws, clock: &ManualClock) -> Context {
    let community = membermail_communities::community("ubuntu").unwrap();
    Context {
        site: Site::new(&community, "https://mail.example/".parse().unwrap()),
        community,
        texts: Texts::load().unwrap(),
        secret: MasterSecret::new(aws.secrets(), "master"),
        mail: MailSecret::new(aws.secrets(), Some("mail".to_owned())),
        store: Store::new(aws.dynamodb(), "t"),
        worker: aws.worker("notify", clock.clone()),
        pending_digests: PendingDigests::default(),
        digest_seconds: 120,
        error_interval: SignedDuration::from_hours(24),
    }
}

impl World {
    /// A world with a member whose new address is in the outbox.
    pub(super) async fn new() -> Self {
        let (port, mails, rejection) = mailbox::serve().await;
        let aws = Shared::new(Mutex::new(Aws { mail_secret: mail_secret(port), ..Aws::default() }));
        let clock = ManualClock::at("2026-11-24T10:00:00Z".parse().unwrap());
        let key_context = KeyContext::new(&OsRandom);
        let context = context(&fakes::connect(&aws), &clock);
        let mut world = Self { context, aws, mails, rejection, entry: Ulid::nil(), clock, key_context };
        world.reset();
        world
    }

    /// Restores the initial state.
    pub(super) fn reset(&mut self) {
        let member = json!({
            "id": MEMBER, "session_epoch": 0, "salt": String::from(self.key_context.clone()),
            "sign_in": self.seal(Field::SignIn), "state": "done", "requested_at": "2026-11-24T10:00:00Z",
        });
        self.mails.lock().unwrap().clear();
        {
            let mut aws = self.aws.lock().unwrap();
            aws.items.clear();
            aws.sent.clear();
            aws.put(&format!("MEMBER#{MEMBER}"), "PROFILE", &member);
        }
        self.context.pending_digests = PendingDigests::default();
        self.entry = self.created("alice");
    }

    /// Sets a field of the mail secret, which is read again.
    pub(super) async fn set_in_mail_secret(&self, name: &str, value: &str) {
        {
            let mut aws = self.aws.lock().unwrap();
            let mut secret: Value = serde_json::from_str(&aws.mail_secret).unwrap();
            secret[name] = json!(value);
            aws.mail_secret = secret.to_string();
        }
        self.context.mail.mark_stale().await;
    }

    /// Gives the member another sign-in address than the destination.
    pub(super) fn set_sign_in(&self, address: &str) {
        let mut aws = self.aws.lock().unwrap();
        let mut profile = aws.items[&(format!("MEMBER#{MEMBER}"), "PROFILE".to_owned())].clone();
        let sealed = self.seal_address(Field::SignIn, address);
        profile["sign_in"] = item("", "", &json!({ "sign_in": sealed }))["sign_in"].clone();
        aws.items.insert((format!("MEMBER#{MEMBER}"), "PROFILE".to_owned()), profile);
    }

    fn seal(&self, field: Field) -> Value {
        self.seal_address(field, MAILBOX)
    }

    fn seal_address(&self, field: Field, address: &str) -> Value {
        let destination = EmailAddress::parse(address).unwrap();
        let member = MemberId::parse(MEMBER).unwrap();
        let sealed =
            Sealer::new(MASTER.as_bytes()).seal(&self.key_context, member, field, &destination, &OsRandom).unwrap();
        serde_json::to_value(sealed).unwrap()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn advance(&self, by: SignedDuration) {
        self.clock.advance(by);
    }

    /// Puts a new address and its outbox entry.
    pub(super) fn created(&self, name: &str) -> Ulid {
        let entry = self.change(&Changed {
            name: name.to_owned(),
            before: None,
            after: Status::Active,
            age: SignedDuration::ZERO,
            renamed_from: None,
        });
        self.outbox(&entry);
        entry.id
    }

    /// Puts the alias in its state after the change and returns the change's audit entry.
    pub(super) fn change(&self, changed: &Changed) -> Entry {
        self.alias(&changed.name, changed.after, self.now() - changed.age);
        self.entry(changed)
    }

    /// The audit entry of a change.
    pub(super) fn entry(&self, changed: &Changed) -> Entry {
        let Changed { name, before, after, age, renamed_from } = changed.clone();
        let at = self.now() - age;
        let change = Change::Alias {
            member: MemberId::parse(MEMBER).unwrap(),
            address: address(&name),
            before,
            after,
            reason: if after == Status::Active { Reason::Eligible } else { Reason::NotInTeam },
            until: (after == Status::Leaving).then_some(at),
            renamed_from,
        };
        Entry::new(change, Cause { actor: Actor::Member, by: None, request_id: "a-test", now: at }, &OsRandom)
    }

    pub(super) fn alias(&self, name: &str, status: Status, since: Timestamp) {
        self.alias_to(name, MAILBOX, status, since);
    }

    pub(super) fn alias_to(&self, name: &str, destination: &str, status: Status, since: Timestamp) {
        let id = DestinationId::new(self.now(), &OsRandom);
        let kept = json!({
            "member": MEMBER, "id": id, "created": since, "confirmed": { "at": since, "by": "code" }, "version": 1,
            "sealed": self.seal_address(Field::Destination(id), destination),
        });
        self.aws.lock().unwrap().put(&format!("MEMBER#{MEMBER}"), &format!("DESTINATION#{id}"), &kept);
        let alias = json!({
            "address": address(name), "member": MEMBER, "name": "alice", "fingerprint": 1, "observed_at": 1,
            "status": status, "reason": "eligible", "since": since, "version": 2,
            "destinations": [id],
        });
        self.aws.lock().unwrap().put("DOMAIN#ubuntu.com", &format!("ALIAS#{name}"), &alias);
    }

    pub(super) fn outbox(&self, entry: &Entry) {
        let shard = entry.id.random() % 16;
        let value = serde_json::to_value(entry).unwrap();
        self.aws.lock().unwrap().put(&format!("OUTBOX#{shard:02x}"), &entry.id.to_string(), &value);
    }

    pub(super) fn record_for_digest(&self, entry: &Entry) {
        let value = serde_json::to_value(entry).unwrap();
        self.aws.lock().unwrap().put(DIGEST, &format!("NEWS#{}", entry.id), &value);
    }

    pub(super) fn message(&self) -> NotifyMessage {
        NotifyMessage::change(self.entry, "a-test")
    }

    pub(super) async fn deliver(&self) -> Result<(), Error> {
        self.aws.lock().unwrap().calls.clear();
        handle_message(&self.context, self.message()).await
    }

    pub(super) fn calls(&self) -> Vec<String> {
        self.aws.lock().unwrap().calls.clone()
    }

    pub(super) fn mails(&self) -> usize {
        self.mails.lock().unwrap().len()
    }

    pub(super) fn mails_to(&self, recipient: &str) -> Vec<Mail> {
        unique_mails(&self.mails, recipient)
    }

    /// Puts a digest claim that expires in `seconds`.
    pub(super) fn claim_digest(&self, seconds: i64) {
        self.aws.lock().unwrap().put(DIGEST, "DUE", &json!({ "due_until": self.now().as_second() + seconds }));
    }

    /// Handles a message until it is done or the function crashes. Returns whether it was done.
    pub(super) async fn run_until(&mut self, message: &NotifyMessage, crash: Crash) -> bool {
        let crashed = {
            let mut aws = self.aws.lock().unwrap();
            aws.crash = Some(crash);
            Arc::clone(&aws.crashed)
        };
        let is_done = tokio::select! {
            done = handle_message(&self.context, message.clone()) => {
                done.unwrap();
                true
            }
            () = crashed.notified() => false,
        };
        self.aws.lock().unwrap().crash = None;
        if !is_done {
            // The next instance has an empty cache.
            self.context.pending_digests = PendingDigests::default();
        }
        is_done
    }

    /// Removes and returns the messages in the queue.
    pub(super) fn queued(&self) -> Vec<NotifyMessage> {
        let sent = std::mem::take(&mut self.aws.lock().unwrap().sent);
        sent.iter().map(|body| serde_json::from_str(body).unwrap()).collect()
    }

    /// Handles these messages and all follow-up messages, with a sweep whenever the queue is empty, until nothing is
    /// undelivered. Returns the number of messages.
    pub(super) async fn run(&self, mut messages: Vec<NotifyMessage>) -> usize {
        let mut count = 0;
        for _ in 0..10 {
            while let Some(message) = messages.pop() {
                count += 1;
                // Longer than a claim and than the delay of a message.
                self.advance(SignedDuration::from_mins(21));
                handle_message(&self.context, message).await.unwrap();
                messages.extend(self.queued());
            }
            if !self.has_undelivered() {
                return count;
            }
            messages.push(NotifyMessage::Sweep);
        }
        panic!("notices stay undelivered: {:?}", self.aws.lock().unwrap().items.keys());
    }

    fn has_undelivered(&self) -> bool {
        let aws = self.aws.lock().unwrap();
        aws.has("OUTBOX") || aws.items.keys().any(|(pk, sk)| pk == DIGEST && sk != "DUE")
    }

    /// An item of the table.
    pub(super) fn item(&self, pk: &str, sk: &str) -> Option<Value> {
        self.aws.lock().unwrap().items.get(&(pk.to_owned(), sk.to_owned())).cloned()
    }
}
