//! Crypto-shredding with a concurrent grant or sign-in.

use std::sync::{Arc, Mutex};

use membermail_core::alias::{Alias, Status};
use membermail_core::email::EmailAddress;
use membermail_core::lifecycle::Action;
use membermail_core::random::OsRandom;
use membermail_store::{Erasure, FirstDestination, Forwarding, GrantOutcome, Member, NewSession, SignIn, Store};
use tokio::runtime::Builder;

use crate::interceptor::is_transaction;
use crate::support::{World, address, days, identity, operator, step, ubuntu};

const TEXT: &str = "alice@ubuntu.com";

impl World {
    /// A world with a member whose only alias is retired, and who signed in on the first day.
    async fn with_retiree() -> (Self, Member, Alias) {
        let world = Self::new().await;
        let (member, retired) = world.retire_alice().await;
        (world, member, retired)
    }

    async fn retire_alice(&self) -> (Member, Alias) {
        let (member, alias) = self.resident("alice").await;
        (member, self.retired(&alias).await)
    }

    /// Whether the alias does not forward, or its destination can be opened.
    async fn can_forward(&self, text: &str) -> bool {
        let Forwarding { stored, key_context, destinations } =
            self.store.forwarding(&address(text)).await.unwrap().unwrap();
        let key_context = key_context.unwrap();
        let opened = destinations.first().map(|first| first.address(&self.sealer, &key_context));
        !stored.alias.status.forwards() || opened.is_some_and(|address| address.is_ok())
    }
}

async fn grant_late(world: &World, store: &Store, member: &Member, existing: Option<&Alias>) -> GrantOutcome {
    world.try_grant(store, member, existing, TEXT, [days(200); 2]).await.unwrap()
}

/// A store that does `work` before its first transaction, on another runtime, while the caller's is blocked.
fn store_with_work<T: Future>(world: &World, work: impl FnOnce() -> T + Send + 'static) -> Store {
    let work = Mutex::new(Some(work));
    world.intercepted(move |request| {
        if is_transaction(request)
            && let Some(work) = work.lock().unwrap().take()
        {
            std::thread::scope(|scope| scope.spawn(|| block_on(work())).join().unwrap());
        }
        None
    })
}

fn block_on(work: impl Future) {
    Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
}

/// The grant reads the member before the erasure, and writes after it.
#[tokio::test]
async fn grant_after_erasure_is_refused() {
    let (world, member, retired) = World::with_retiree().await;
    let erased = world.store.erase(member.id, operator(days(200)), &OsRandom).await.unwrap();
    assert_eq!(erased, Erasure::Done);
    assert_eq!(grant_late(&world, &world.store, &member, Some(&retired)).await, GrantOutcome::Erased);
    assert!(world.can_forward(TEXT).await);
}

/// The erasure reads the aliases before the grant, and writes after it.
#[tokio::test]
async fn erasure_after_grant_is_postponed() {
    let Some(world) = World::in_dynamodb().await else { return };
    let (member, retired) = world.retire_alice().await;
    let world = Arc::new(world);
    let in_grant = Arc::clone(&world);
    let grantee = member.clone();
    let store = store_with_work(&world, move || async move {
        let store = in_grant.intercepted(|_| None);
        let grant = grant_late(&in_grant, &store, &grantee, Some(&retired)).await;
        assert!(matches!(grant, GrantOutcome::Changed { .. }), "{grant:?}");
    });
    let erased = store.erase(member.id, operator(days(200)), &OsRandom).await.unwrap();
    assert_eq!(erased, Erasure::Postponed);
    let alias = world.alias(TEXT).await;
    assert_eq!((alias.status, alias.erase_pending), (Status::Active, false));
    assert!(world.can_forward(TEXT).await);
    assert_eq!(store.erase(member.id, operator(days(200)), &OsRandom).await.unwrap(), Erasure::NotDue);
}

/// The erasure runs between a grant's read and its write.
#[tokio::test]
async fn erasure_during_grant_refuses_grant() {
    let Some(world) = World::in_dynamodb().await else { return };
    let (member, retired) = world.retire_alice().await;
    let world = Arc::new(world);
    let in_erasure = Arc::clone(&world);
    let id = member.id;
    let store = store_with_work(&world, move || async move {
        let store = in_erasure.intercepted(|_| None);
        assert_eq!(store.erase(id, operator(days(200)), &OsRandom).await.unwrap(), Erasure::Done);
    });
    assert_eq!(grant_late(&world, &store, &member, Some(&retired)).await, GrantOutcome::Erased);
    assert!(world.can_forward(TEXT).await);
}

#[tokio::test]
async fn lagging_index_hides_no_alias() {
    let Some(world) = World::in_dynamodb().await else { return };
    let (member, _) = world.resident("alice").await;
    let store = world.intercepted(|request| {
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default());
        body.contains("by-member").then_some((200, r#"{"Count": 0, "Items": [], "ScannedCount": 0}"#))
    });
    assert!(store.aliases_of(member.id).await.unwrap().is_empty(), "the index has no alias yet");
    let erased = store.erase(member.id, operator(days(200)), &OsRandom).await.unwrap();
    assert_eq!(erased, Erasure::NotDue);
    store.ban(member.id, operator(days(200)), &OsRandom).await.unwrap();
    assert_eq!(store.suspend_banned(&member, operator(days(200)), &OsRandom).await.unwrap().len(), 1);
}

#[tokio::test]
async fn recent_sign_in_postpones_erasure() {
    let (world, member, _) = World::with_retiree().await;
    let email = EmailAddress::parse("alice@mail.example").unwrap();
    let session = NewSession { hash: "again", expires: days(201) };
    let sign_in = SignIn {
        identity: &identity("alice"),
        address: &email,
        language: None,
        destination: FirstDestination::Confirmed,
        session,
    };
    world.store.sign_in(&world.sealer, sign_in, days(199), &OsRandom).await.unwrap();
    let erase = async |day| world.store.erase(member.id, operator(days(day)), &OsRandom).await.unwrap();
    assert_eq!(erase(199).await, Erasure::Postponed);
    assert_eq!(erase(200).await, Erasure::Done, "the sign-in led to no address");
}

#[tokio::test]
async fn erasure_end_clears_mark() {
    let (world, member, retired) = World::with_retiree().await;
    assert!(retired.erase_pending);
    let planned = async || {
        let mut marks = Vec::new();
        world.store.each_alias(&ubuntu(), |alias| marks.push(alias.erase_pending)).await.unwrap();
        marks
    };
    assert_eq!(planned().await, [true], "the sync sees the mark");
    let step = step(&retired, Action::Retire);
    world.store.end_erasure(&step).await.unwrap();
    assert_eq!(planned().await, [false]);
    // A late end of the erasure changes nothing of a restored alias.
    let grant = grant_late(&world, &world.store, &member, None).await;
    assert!(matches!(grant, GrantOutcome::Changed { .. }), "{grant:?}");
    world.store.end_erasure(&step).await.unwrap();
}
