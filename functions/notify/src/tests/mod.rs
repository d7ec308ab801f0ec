//! What a created address costs, and what is left where a call fails.

mod fakes;

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use membermail_core::address::Address;
use membermail_core::alias::{Reason, Status};
use membermail_core::audit::{Actor, Cause, Change, Entry};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::email::EmailAddress;
use membermail_core::member::MemberId;
use membermail_core::message::Notify;
use membermail_core::random::OsRandom;
use membermail_notices::{Site, Texts};
use membermail_runtime::metrics::Metrics;
use membermail_runtime::queue::Queue;
use membermail_runtime::secret::MasterSecret;
use membermail_store::{Field, Salt, Sealer, Store};
use serde_json::{Value, json};
use ulid::Ulid;

use self::fakes::{Aws, MASTER, Shared};
use crate::digests::Digests;
use crate::mailer::MailSecret;
use crate::{Context, Error, change};

const MEMBER: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
const DIGEST: &str = "DIGEST#ubuntu.com";

struct World {
    context: Context,
    aws: Shared,
    mail: Arc<Mutex<Vec<String>>>,
    entry: Ulid,
}

fn now() -> Timestamp {
    SystemClock.now()
}

impl World {
    /// A new address that its member is to hear of.
    async fn new() -> Self {
        let (port, mail) = fakes::mail_server().await;
        let mail_secret = json!({
            "relay": format!("smtp://127.0.0.1:{port}"), "from": "noreply@notices.example",
            "reply-to": "help@notices.example", "operators": "operators@notices.example",
        });
        let aws = Shared::new(Mutex::new(Aws { mail_secret: mail_secret.to_string(), ..Aws::default() }));
        let config = fakes::serve(Arc::clone(&aws)).await;
        let secrets = || aws_sdk_secretsmanager::Client::new(&config);
        let community = membermail_communities::community("ubuntu").unwrap();
        let context = Context {
            site: Site::new(&community, "https://mail.example/".parse().unwrap()),
            community,
            texts: Texts::load().unwrap(),
            secret: MasterSecret::new(secrets(), "master"),
            mail: MailSecret::new(secrets(), Some("mail".to_owned())),
            store: Store::new(aws_sdk_dynamodb::Client::new(&config), "t"),
            inbox: Queue::new(aws_sdk_sqs::Client::new(&config), "http://queue.example/notify"),
            digests: Digests::default(),
            digest_seconds: 120,
            error_interval: SignedDuration::from_hours(24),
            metrics: Metrics::to_log(),
            clock: Box::new(SystemClock),
            random: Box::new(OsRandom),
        };
        let entry = created(&mut aws.lock().unwrap());
        Self { context, aws, mail, entry }
    }

    async fn tell(&self) -> Result<(), Error> {
        self.aws.lock().unwrap().calls.clear();
        change::tell(&self.context, Notify { entry: self.entry, request_id: "a-test".into() }).await
    }

    fn calls(&self) -> Vec<String> {
        self.aws.lock().unwrap().calls.clone()
    }

    fn mails(&self) -> usize {
        self.mail.lock().unwrap().len()
    }

    /// A digest is due at that many seconds from now.
    fn digest_due(&self, seconds: i64) {
        self.aws.lock().unwrap().put(DIGEST, "DUE", &json!({ "due_until": now().as_second() + seconds }));
    }
}

/// Puts a member, an address and the outbox entry.
fn created(aws: &mut Aws) -> Ulid {
    let (salt, id) = (Salt::new(&OsRandom), MemberId::parse(MEMBER).unwrap());
    let address = Address::try_from("alice@ubuntu.com".to_owned()).unwrap();
    let seal = |field: Field<'_>| {
        let destination = EmailAddress::parse("alice@mail.example").unwrap();
        Sealer::new(MASTER.as_bytes()).seal(&salt, id, field, &destination, &OsRandom).unwrap()
    };
    let member = json!({
        "id": MEMBER, "session_epoch": 0, "salt": String::from(salt.clone()), "sign_in": seal(Field::SignIn),
        "state": "done", "requested_at": "2026-11-24T10:00:00Z",
    });
    let alias = json!({
        "address": address, "member": MEMBER, "name": "alice", "fingerprint": 1, "observed_at": 1, "status": "active",
        "reason": "eligible", "since": "2026-11-24T10:00:00Z", "version": 1,
        "destination": seal(Field::Destination(&address)),
    });
    let change = Change::Alias {
        member: id,
        address,
        before: None,
        after: Status::Active,
        reason: Reason::Eligible,
        until: None,
        renamed_from: None,
    };
    let cause = Cause { actor: Actor::Member, by: None, request_id: "a-test", now: now() };
    let entry = Entry::new(change, cause, &OsRandom);
    aws.put(&format!("MEMBER#{MEMBER}"), "PROFILE", &member);
    aws.put("DOMAIN#ubuntu.com", "ALIAS#alice", &alias);
    let (shard, value) = (entry.id.random() % 16, serde_json::to_value(&entry).unwrap());
    aws.put(&format!("OUTBOX#{shard:02x}"), &entry.id.to_string(), &value);
    entry.id
}

#[tokio::test]
async fn created_address_costs_five_calls() {
    let world = World::new().await;
    world.digest_due(60);
    world.tell().await.unwrap();
    assert_eq!(world.calls(), ["GetItem", "BatchGetItem", "PutItem", "TransactWriteItems", "PutItem"]);
    let aws = world.aws.lock().unwrap();
    assert!(aws.has(DIGEST) && aws.has("NOTICE#") && !aws.has("OUTBOX") && aws.sent.is_empty());
    assert_eq!(world.mails(), 1);
}

#[tokio::test]
async fn digest_is_requested_when_none_is_due() {
    let world = World::new().await;
    // The message of an earlier digest was lost.
    world.digest_due(-1);
    world.tell().await.unwrap();
    assert_eq!(world.calls().last().map(String::as_str), Some("SendMessage"));
    let sent: Value = serde_json::from_str(&world.aws.lock().unwrap().sent[0]).unwrap();
    assert_eq!((&sent["kind"], &sent["domain"]), (&json!("digest"), &json!("ubuntu.com")));
}

#[tokio::test]
async fn next_created_address_costs_four_calls() {
    let mut world = World::new().await;
    world.tell().await.unwrap();
    world.entry = created(&mut world.aws.lock().unwrap());
    world.tell().await.unwrap();
    assert_eq!(world.calls(), ["GetItem", "BatchGetItem", "PutItem", "TransactWriteItems"]);
    assert_eq!((world.mails(), world.aws.lock().unwrap().sent.len()), (2, 1));
}

#[test]
fn digest_is_requested_after_delay() {
    let (digests, domain) = (Digests::default(), "ubuntu.com".parse().unwrap());
    let at = |second| Timestamp::from_second(second).unwrap();
    digests.hide(&domain, at(100), at(220));
    assert!(digests.is_hidden(&domain, at(219)));
    assert!(!digests.is_hidden(&domain, at(220)), "the message is shown");
    assert!(!digests.is_hidden(&domain, at(99)), "the clock was set back");
    assert!(!digests.is_hidden(&"kubuntu.org".parse().unwrap(), at(110)));
}

#[tokio::test]
async fn redelivered_change_costs_two_reads() {
    let world = World::new().await;
    world.tell().await.unwrap();
    world.tell().await.unwrap();
    // Its shard, and where the release before put it.
    assert_eq!(world.calls(), ["GetItem", "GetItem"]);
    assert_eq!((world.mails(), world.aws.lock().unwrap().sent.len()), (1, 1));
}

#[tokio::test]
async fn mail_goes_once_when_transaction_fails() {
    let world = World::new().await;
    world.aws.lock().unwrap().refuses = Some("TransactWriteItems");
    world.tell().await.unwrap_err();
    assert!(world.aws.lock().unwrap().has("OUTBOX"), "a change is lost");
    world.aws.lock().unwrap().refuses = None;
    world.tell().await.unwrap();
    assert!(!world.aws.lock().unwrap().has("OUTBOX"));
    assert_eq!((world.mails(), world.aws.lock().unwrap().sent.len()), (1, 1));
}

#[tokio::test]
async fn digest_is_released_when_queue_fails() {
    let world = World::new().await;
    world.aws.lock().unwrap().refuses = Some("SendMessage");
    world.tell().await.unwrap_err();
    let aws = world.aws.lock().unwrap();
    assert!(!aws.items.contains_key(&(DIGEST.to_owned(), "DUE".to_owned())), "no message, and no other is asked for");
    assert!(aws.has(DIGEST), "what was gathered is lost");
}
