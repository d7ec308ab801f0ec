//! Crypto-shredding that meets a grant or a sign-in, in a real DynamoDB.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::config::interceptors::{
    BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use membermail_core::alias::{Alias, Status};
use membermail_core::email::EmailAddress;
use membermail_core::lifecycle::{Action, Step};
use membermail_core::random::OsRandom;
use membermail_store::{Asked, Erasure, Grant, Member, NewSession, SignIn, Store};

use crate::support::{World, address, community, days, identity, observed, operator};

const TEXT: &str = "alice@ubuntu.com";

impl World {
    /// A member whose one alias is retired. They signed in on the first day.
    async fn retiree(name: &str) -> (Self, Member, Alias) {
        let world = Self::new(name).await;
        let (member, alias) = world.resident("alice").await;
        let retired = world.retired(&alias).await;
        (world, member, retired)
    }

    /// What a store does whose requests meet `meanwhile`.
    fn meeting(&self, meanwhile: impl Intercept + 'static) -> Store {
        let config = self.client.config().to_builder().interceptor(meanwhile).build();
        Store::new(aws_sdk_dynamodb::Client::from_conf(config), &self.table)
    }

    /// Whether the alias, if it forwards, forwards to a destination that can be opened.
    async fn opens(&self, text: &str) -> bool {
        let stored = self.store.alias(&address(text)).await.unwrap().unwrap();
        let member = self.read(stored.alias.member).await;
        let destination = stored.destination(&self.sealer, &member.salt);
        !stored.alias.status.forwards() || destination.is_ok_and(|destination| destination.is_some())
    }
}

async fn grant_late(world: &World, store: &Store, member: &Member, existing: Option<&Alias>) -> Grant {
    let (address, known_as) = (address(TEXT), observed("alice", days(200)));
    let asked = Asked { address: &address, existing, known_as: &known_as, renamed_from: None, limit: 3 };
    store.grant(&world.sealer, member, asked, &community(), operator(days(200)), &OsRandom).await.unwrap()
}

/// The grant read the member before the erasure, and writes after it.
#[tokio::test]
async fn grant_after_erasure_creates_nothing_unreadable() {
    let (world, member, retired) = World::retiree("grant-last").await;
    let shredded = world.store.shred(member.id, operator(days(200)), &OsRandom).await.unwrap();
    assert_eq!(shredded, Erasure::Done);
    assert_eq!(grant_late(&world, &world.store, &member, Some(&retired)).await, Grant::Shredded);
    assert!(world.opens(TEXT).await);
}

/// The erasure read the aliases before the grant, and writes after it.
#[tokio::test]
async fn erasure_after_grant_is_postponed() {
    let (world, member, retired) = World::retiree("erasure-last").await;
    let world = Arc::new(world);
    let (in_grant, grantee) = (Arc::clone(&world), member.clone());
    let meanwhile = Meanwhile::before("TransactWriteItems", move || {
        let client = aws_sdk_dynamodb::Client::from_conf(in_grant.client.config().to_builder().build());
        let store = Store::new(client, &in_grant.table);
        let grant = now_in_another_runtime(grant_late(&in_grant, &store, &grantee, Some(&retired)));
        assert!(matches!(grant, Grant::Changed { .. }), "{grant:?}");
    });
    let store = world.meeting(meanwhile);
    let shredded = store.shred(member.id, operator(days(200)), &OsRandom).await.unwrap();
    assert_eq!(shredded, Erasure::Postponed);
    let stored = world.store.alias(&address(TEXT)).await.unwrap().unwrap();
    assert_eq!((stored.alias.status, stored.alias.erase_pending), (Status::Active, false));
    assert!(world.opens(TEXT).await);
    assert_eq!(store.shred(member.id, operator(days(200)), &OsRandom).await.unwrap(), Erasure::NotDue);
}

/// The erasure comes between the read and the write of a grant for another name.
#[tokio::test]
async fn erasure_within_grant_is_noticed() {
    let (world, member, retired) = World::retiree("erasure-within").await;
    let world = Arc::new(world);
    let (in_erasure, id) = (Arc::clone(&world), member.id);
    let meanwhile = Meanwhile::before("TransactWriteItems", move || {
        let client = aws_sdk_dynamodb::Client::from_conf(in_erasure.client.config().to_builder().build());
        let store = Store::new(client, &in_erasure.table);
        let shredded = now_in_another_runtime(store.shred(id, operator(days(200)), &OsRandom)).unwrap();
        assert_eq!(shredded, Erasure::Done);
    });
    let store = world.meeting(meanwhile);
    assert_eq!(grant_late(&world, &store, &member, Some(&retired)).await, Grant::Shredded);
    assert!(world.opens(TEXT).await);
}

#[tokio::test]
async fn lagging_index_does_not_erase() {
    let world = World::new("lagging").await;
    let (member, _) = world.resident("alice").await;
    let store = world.meeting(LaggingIndex::default());
    assert!(store.aliases_of(member.id).await.unwrap().is_empty(), "the index has no alias yet");
    let shredded = store.shred(member.id, operator(days(200)), &OsRandom).await.unwrap();
    assert_eq!(shredded, Erasure::NotDue);
    store.ban(member.id, operator(days(200)), &OsRandom).await.unwrap();
    assert_eq!(store.suspend_banned(&member, operator(days(200)), &OsRandom).await.unwrap().len(), 1);
}

#[tokio::test]
async fn recent_sign_in_keeps_data() {
    let (world, member, _) = World::retiree("signed-in").await;
    let email = EmailAddress::parse("alice@mail.example").unwrap();
    let (identity, session) = (&identity("alice"), NewSession { hash: "again", expires: days(201) });
    let sign_in = SignIn { identity, address: &email, language: None, session };
    world.store.sign_in(&world.sealer, sign_in, days(199), &OsRandom).await.unwrap();
    let shred = async |day| world.store.shred(member.id, operator(days(day)), &OsRandom).await.unwrap();
    assert_eq!(shred(199).await, Erasure::Postponed);
    assert_eq!(shred(200).await, Erasure::Done, "they signed in and came to no address");
}

#[tokio::test]
async fn erasure_mark_ends_with_erasure() {
    let (world, member, retired) = World::retiree("mark").await;
    assert!(retired.erase_pending);
    let planned = async || {
        let mut marks = Vec::new();
        world.store.each_alias(&community()[0], |alias| marks.push(alias.erase_pending)).await.unwrap();
        marks
    };
    assert_eq!(planned().await, [true], "a sync sees it");
    let Alias { address, version, .. } = retired.clone();
    let step = Step { address, member: member.id, version, known_as: None, action: Action::Retire };
    world.store.end_erasure(&step).await.unwrap();
    assert_eq!(planned().await, [false]);
    // An alias that is back keeps what a later retirement asks for.
    let grant = grant_late(&world, &world.store, &member, None).await;
    assert!(matches!(grant, Grant::Changed { .. }), "{grant:?}");
    world.store.end_erasure(&step).await.unwrap();
}

/// Runs to the end on a thread with a runtime of its own, while the caller's waits.
fn now_in_another_runtime<T: Send>(work: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let run = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
        scope.spawn(run).join().unwrap()
    })
}

const TARGET: &str = "x-amz-target";

/// Does something before the first request of an operation is sent.
struct Meanwhile {
    operation: &'static str,
    work: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Meanwhile {
    fn before(operation: &'static str, work: impl FnOnce() + Send + 'static) -> Self {
        Self { operation, work: Mutex::new(Some(Box::new(work))) }
    }
}

impl std::fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.operation)
    }
}

impl Intercept for Meanwhile {
    fn name(&self) -> &'static str {
        "Meanwhile"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if context.request().headers().get(TARGET).is_some_and(|target| target.ends_with(self.operation))
            && let Some(work) = self.work.lock().unwrap().take()
        {
            work();
        }
        Ok(())
    }
}

/// An index that has nothing yet.
#[derive(Debug, Default)]
struct LaggingIndex {
    /// Whether the request that is on its way asks the index.
    is_asked: AtomicBool,
}

impl Intercept for LaggingIndex {
    fn name(&self) -> &'static str {
        "LaggingIndex"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.request().body().bytes().unwrap_or_default();
        self.is_asked.store(String::from_utf8_lossy(body).contains("by-member"), Ordering::SeqCst);
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.is_asked.load(Ordering::SeqCst) {
            let nothing = r#"{"Count": 0, "Items": [], "ScannedCount": 0}"#;
            *context.response_mut() = HttpResponse::new(200_u16.try_into()?, nothing.into());
        }
        Ok(())
    }
}
