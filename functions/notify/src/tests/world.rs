//! A function with the table, the queue and the mail server that it works with.

use std::sync::{Arc, Mutex};

use aws_config::SdkConfig;
use jiff::{SignedDuration, Timestamp};
use membermail_core::address::Address;
use membermail_core::alias::{Reason, Status};
use membermail_core::audit::{Actor, Cause, Change, Entry};
use membermail_core::clock::{Clock, ManualClock};
use membermail_core::email::EmailAddress;
use membermail_core::member::MemberId;
use membermail_core::message::{Notify, ToNotify};
use membermail_core::random::OsRandom;
use membermail_notices::{Site, Texts};
use membermail_runtime::metrics::Metrics;
use membermail_runtime::queue::Queue;
use membermail_runtime::secret::MasterSecret;
use membermail_store::{Field, Salt, Sealer, Store};
use serde_json::{Value, json};
use ulid::Ulid;

use super::DIGEST;
use super::fakes::{self, Aws, Crash, MASTER, Shared};
use super::mailbox::{self, Mail, Mails, different};
use crate::digests::Digests;
use crate::mailer::MailSecret;
use crate::{Context, Error, carry_out};

const MEMBER: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
pub(super) const MAILBOX: &str = "alice@mail.example";
/// They get the digests, since no domain has an admin.
pub(super) const OPERATORS: &str = "operators@notices.example";

#[derive(Clone)]
struct TestClock(Arc<ManualClock>);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

pub(super) struct World {
    pub(super) context: Context,
    pub(super) aws: Shared,
    pub(super) mails: Mails,
    pub(super) entry: Ulid,
    clock: TestClock,
    salt: Salt,
}

/// A change of an alias.
#[derive(Clone, Debug)]
pub(super) struct Changed {
    pub(super) name: String,
    pub(super) before: Option<Status>,
    pub(super) after: Status,
    /// How long ago.
    pub(super) age: SignedDuration,
    pub(super) renamed_from: Option<Address>,
}

pub(super) fn address(name: &str) -> Address {
    Address::try_from(format!("{name}@ubuntu.com")).unwrap()
}

fn context(config: &SdkConfig, clock: &TestClock) -> Context {
    let secrets = || aws_sdk_secretsmanager::Client::new(config);
    let community = membermail_communities::community("ubuntu").unwrap();
    Context {
        site: Site::new(&community, "https://mail.example/".parse().unwrap()),
        community,
        texts: Texts::load().unwrap(),
        secret: MasterSecret::new(secrets(), "master"),
        mail: MailSecret::new(secrets(), Some("mail".to_owned())),
        store: Store::new(aws_sdk_dynamodb::Client::new(config), "t"),
        inbox: Queue::new(aws_sdk_sqs::Client::new(config), "http://queue.example/notify"),
        digests: Digests::default(),
        digest_seconds: 120,
        error_interval: SignedDuration::from_hours(24),
        metrics: Metrics::to_log(),
        clock: Box::new(clock.clone()),
        random: Box::new(OsRandom),
    }
}

impl World {
    /// A member with a new address that they are to hear of.
    pub(super) async fn new() -> Self {
        let (port, mails) = mailbox::serve().await;
        let mail_secret = json!({
            "relay": format!("smtp://127.0.0.1:{port}"), "from": "noreply@notices.example",
            "reply-to": "help@notices.example", "operators": OPERATORS,
        });
        let aws = Shared::new(Mutex::new(Aws { mail_secret: mail_secret.to_string(), ..Aws::default() }));
        let config = fakes::serve(Arc::clone(&aws)).await;
        let clock = TestClock(Arc::new(ManualClock::at("2026-11-24T10:00:00Z".parse().unwrap())));
        let salt = Salt::new(&OsRandom);
        let context = context(&config, &clock);
        let mut world = Self { context, aws, mails, entry: Ulid::nil(), clock, salt };
        world.reset();
        world
    }

    /// Begins anew.
    pub(super) fn reset(&mut self) {
        let member = json!({
            "id": MEMBER, "session_epoch": 0, "salt": String::from(self.salt.clone()),
            "sign_in": self.seal(Field::SignIn), "state": "done", "requested_at": "2026-11-24T10:00:00Z",
        });
        self.mails.lock().unwrap().clear();
        {
            let mut aws = self.aws.lock().unwrap();
            (aws.items, aws.sent) = Default::default();
            aws.put(&format!("MEMBER#{MEMBER}"), "PROFILE", &member);
        }
        self.context.digests = Digests::default();
        self.entry = self.created("alice");
    }

    fn seal(&self, field: Field<'_>) -> Value {
        let (destination, member) = (EmailAddress::parse(MAILBOX).unwrap(), MemberId::parse(MEMBER).unwrap());
        let sealed = Sealer::new(MASTER.as_bytes()).seal(&self.salt, member, field, &destination, &OsRandom).unwrap();
        serde_json::to_value(sealed).unwrap()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn advance(&self, by: SignedDuration) {
        self.clock.0.advance(by);
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

    /// Puts the alias as it is after a change, and makes the entry of the change.
    pub(super) fn change(&self, changed: &Changed) -> Entry {
        self.alias(&changed.name, changed.after, self.now() - changed.age);
        self.entry(changed)
    }

    /// The entry of a change.
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
        let address = address(name);
        let alias = json!({
            "address": address, "member": MEMBER, "name": "alice", "fingerprint": 1, "observed_at": 1,
            "status": status, "reason": "eligible", "since": since, "version": 2,
            "destination": self.seal(Field::Destination(&address)),
        });
        self.aws.lock().unwrap().put("DOMAIN#ubuntu.com", &format!("ALIAS#{name}"), &alias);
    }

    pub(super) fn outbox(&self, entry: &Entry) {
        let (shard, value) = (entry.id.random() % 16, serde_json::to_value(entry).unwrap());
        self.aws.lock().unwrap().put(&format!("OUTBOX#{shard:02x}"), &entry.id.to_string(), &value);
    }

    pub(super) fn gathered(&self, entry: &Entry) {
        let value = serde_json::to_value(entry).unwrap();
        self.aws.lock().unwrap().put(DIGEST, &format!("NEWS#{}", entry.id), &value);
    }

    pub(super) fn message(&self) -> ToNotify {
        ToNotify::Change(Notify { entry: self.entry, request_id: "a-test".into() })
    }

    pub(super) async fn tell(&self) -> Result<(), Error> {
        self.aws.lock().unwrap().calls.clear();
        carry_out(&self.context, self.message()).await
    }

    pub(super) fn calls(&self) -> Vec<String> {
        self.aws.lock().unwrap().calls.clone()
    }

    pub(super) fn mails(&self) -> usize {
        self.mails.lock().unwrap().len()
    }

    pub(super) fn mails_to(&self, reader: &str) -> Vec<Mail> {
        different(&self.mails, reader)
    }

    /// A digest is due at that many seconds from now.
    pub(super) fn digest_due(&self, seconds: i64) {
        self.aws.lock().unwrap().put(DIGEST, "DUE", &json!({ "due_until": self.now().as_second() + seconds }));
    }

    /// Carries out a message until it is done, or until the function ends over it. Returns whether it was done.
    pub(super) async fn run_until(&mut self, message: &ToNotify, crash: Crash) -> bool {
        let crashed = {
            let mut aws = self.aws.lock().unwrap();
            aws.crash = Some(crash);
            Arc::clone(&aws.crashed)
        };
        let is_done = tokio::select! {
            done = carry_out(&self.context, message.clone()) => {
                done.unwrap();
                true
            }
            () = crashed.notified() => false,
        };
        self.aws.lock().unwrap().crash = None;
        if !is_done {
            // Another process knows only what is in the table.
            self.context.digests = Digests::default();
        }
        is_done
    }

    /// The messages that the queue has.
    pub(super) fn queued(&self) -> Vec<ToNotify> {
        let sent = std::mem::take(&mut self.aws.lock().unwrap().sent);
        sent.iter().map(|body| serde_json::from_str(body).unwrap()).collect()
    }

    /// Carries out these messages and all that come of them, with a sweep whenever there are none left, until nothing is
    /// left to be told. Returns how many it took.
    pub(super) async fn run(&self, mut messages: Vec<ToNotify>) -> usize {
        let mut count = 0;
        for _ in 0..10 {
            while let Some(message) = messages.pop() {
                count += 1;
                // Longer than a claim holds, and than a message is hidden.
                self.advance(SignedDuration::from_mins(21));
                carry_out(&self.context, message).await.unwrap();
                messages.extend(self.queued());
            }
            if !self.is_waiting() {
                return count;
            }
            messages.push(ToNotify::Sweep);
        }
        panic!("no notice is sent: {:?}", self.aws.lock().unwrap().items.keys());
    }

    fn is_waiting(&self) -> bool {
        let aws = self.aws.lock().unwrap();
        let is_gathered = |(pk, sk): &(String, String)| pk == DIGEST && sk != "DUE";
        aws.has("OUTBOX") || aws.items.keys().any(is_gathered)
    }

    /// The value of an item.
    pub(super) fn item(&self, pk: &str, sk: &str) -> Option<Value> {
        self.aws.lock().unwrap().items.get(&(pk.to_owned(), sk.to_owned())).cloned()
    }
}
