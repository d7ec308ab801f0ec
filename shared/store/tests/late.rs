//! What comes late, comes again, or meets another who writes at the same moment, in a real DynamoDB.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

#[expect(dead_code, reason = "no addresses here")]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::config::interceptors::{
    BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::eligibility::Outcome;
use membermail_core::member::{self, LaunchpadId, LaunchpadName, MemberId};
use membermail_core::random::OsRandom;
use membermail_store::{Begun, Run, RunState, Store, StoreError};
use support::{World, community, now, operator};

fn at(minute: i64) -> Timestamp {
    now() + SignedDuration::from_mins(minute)
}

fn name(text: &str) -> LaunchpadName {
    LaunchpadName::parse(text).unwrap()
}

fn domain() -> DomainName {
    community()[0].clone()
}

impl World {
    /// A member whom Launchpad calls so when they are checked at that minute.
    async fn checked(&self, word: &str, id: u64, called: &str, minute: i64) -> MemberId {
        let member = self.member(word, &format!("{word}@mail.example")).await;
        self.check(member.id, id, called, minute).await;
        member.id
    }

    async fn check(&self, member: MemberId, id: u64, called: &str, minute: i64) {
        let person = Some((LaunchpadId(id), &name(called)));
        self.store.record_outcome(member, &Outcome::NoTeam, person, at(minute)).await.unwrap();
    }

    async fn found_by(&self, called: &str) -> Option<MemberId> {
        self.store.member_by_name(&name(called)).await.unwrap().map(|member| member.id)
    }

    /// The first so many transactions of this store meet another one, and are not done.
    fn in_conflict(&self, times: u32) -> Store {
        let conflicts = Conflicts { left: Arc::new(AtomicU32::new(times)), is_on: Arc::default() };
        let config = self.client.config().to_builder().interceptor(conflicts).build();
        Store::new(aws_sdk_dynamodb::Client::from_conf(config), &self.table)
    }
}

#[tokio::test]
async fn an_old_name_that_comes_late_or_again_does_not_come_back() {
    let world = World::new("old-name").await;
    let alice = world.checked("alice", 7, "alice", 0).await;
    assert!(world.store.rename_member(alice, &name("alina"), at(10)).await.unwrap());
    assert!(!world.store.rename_member(alice, &name("alina"), at(10)).await.unwrap(), "twice is as once");
    assert!(world.store.rename_member(alice, &name("alma"), at(20)).await.unwrap());
    // Somebody else takes the name that she had in between.
    let other = world.checked("other", 8, "alina", 30).await;

    assert!(!world.store.rename_member(alice, &name("alina"), at(10)).await.unwrap());
    assert_eq!(world.found_by("alina").await, Some(other), "a ban of alina would be a ban of somebody else");
    assert_eq!(world.found_by("alma").await, Some(alice));
    assert_eq!(world.store.member(alice).await.unwrap().unwrap().launchpad_name, Some(name("alma")));

    // What she is called when she signs in counts, and so does a later sync.
    world.check(alice, 7, "alice", 40).await;
    assert!(!world.store.rename_member(alice, &name("alma"), at(20)).await.unwrap());
    assert_eq!(world.found_by("alice").await, Some(alice));
    assert!(world.store.rename_member(alice, &name("alma"), at(50)).await.unwrap());
    assert_eq!(world.found_by("alma").await, Some(alice));
}

/// The rename itself was never told, so that nothing of hers is newer; the name is somebody else's all the same.
#[tokio::test]
async fn a_late_name_does_not_hide_who_has_it_now() {
    let world = World::new("taken-name").await;
    let alice = world.checked("alice", 7, "alice", 0).await;
    let other = world.checked("other", 8, "alina", 30).await;
    assert!(!world.store.rename_member(alice, &name("alina"), at(10)).await.unwrap());
    assert_eq!(world.found_by("alina").await, Some(other));
    assert_eq!(world.found_by("alice").await, Some(alice));
}

#[tokio::test]
async fn names_of_before_there_were_times_give_way() {
    let world = World::new("no-times").await;
    let alice = world.checked("alice", 7, "alice", 0).await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    for (pk, sk) in [(format!("MEMBER#{alice}"), "PROFILE"), ("NAME#alice".to_owned(), "-")] {
        let update = world.client.update_item().table_name(&world.table).key("pk", text(&pk)).key("sk", text(sk));
        update.update_expression("REMOVE named_at").send().await.unwrap();
    }
    assert_eq!(world.found_by("alice").await, Some(alice));
    assert!(world.store.rename_member(alice, &name("alina"), at(-10)).await.unwrap());
    assert_eq!(world.found_by("alina").await, Some(alice));
}

#[tokio::test]
async fn shredding_that_meets_another_write_is_to_come_again() {
    let world = World::new("shred-conflict").await;
    let alice = world.checked("alice", 7, "alice", 0).await;
    let store = world.in_conflict(1);
    let shred = || store.shred(alice, operator(now()), &OsRandom);
    let error = shred().await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict) && error.is_retryable(), "{error}");
    assert!(!world.store.member(alice).await.unwrap().unwrap().is_shredded());
    assert!(shred().await.unwrap());
    assert!(world.store.member(alice).await.unwrap().unwrap().is_shredded());
}

#[tokio::test]
async fn a_rename_that_meets_another_write_is_to_come_again() {
    let world = World::new("rename-conflict").await;
    let alice = world.checked("alice", 7, "alice", 0).await;
    let store = world.in_conflict(1);
    assert!(matches!(store.rename_member(alice, &name("alina"), at(1)).await, Err(StoreError::Conflict)));
    assert!(store.rename_member(alice, &name("alina"), at(1)).await.unwrap());
}

/// A lease can outlive the entry of its run, and an entry the lease.
#[tokio::test]
async fn no_run_is_made_up_of_a_lease_alone_and_none_that_ended_dies() {
    let world = World::new("leases").await;
    let begin = async |minute: i64| {
        let id = member::ulid(at(minute), &OsRandom);
        match world.store.begin_run(id, &domain(), at(minute), at(minute + 1), "request-1").await.unwrap() {
            Begun::Started(run) => *run,
            Begun::Busy { .. } => panic!("busy"),
        }
    };
    let gone = begin(0).await;
    let delete = world.client.delete_item().table_name(&world.table);
    delete
        .key("pk", AttributeValue::S(format!("SYNC#{}", domain())))
        .key("sk", AttributeValue::S(format!("RUN#{}", gone.id)))
        .send()
        .await
        .unwrap();
    let ended = begin(10).await;
    let runs = world.store.runs(&domain(), 10).await.unwrap();
    assert_eq!(runs, std::slice::from_ref(&ended), "a run was made up");

    // It came to its end, and its lease was left behind.
    let ended = Run { state: RunState::Applied, finished: Some(at(11)), ..ended };
    let lease = world.client.get_item().table_name(&world.table).consistent_read(true);
    let lease = lease
        .key("pk", AttributeValue::S(format!("SYNC#{}", domain())))
        .key("sk", AttributeValue::S("LEASE".to_owned()))
        .send()
        .await
        .unwrap();
    world.store.finish_run(&ended, None).await.unwrap();
    world.client.put_item().table_name(&world.table).set_item(lease.item).send().await.unwrap();
    let next = begin(20).await;
    assert_eq!(world.store.runs(&domain(), 10).await.unwrap(), [next, ended]);
}

/// Makes of a transaction a request that does nothing, and of its answer what DynamoDB says of two at once: that it does
/// not say so when a test would like it to is why.
#[derive(Debug)]
struct Conflicts {
    left: Arc<AtomicU32>,
    /// Of the request that is on its way.
    is_on: Arc<AtomicBool>,
}

const TARGET: &str = "x-amz-target";

impl Intercept for Conflicts {
    fn name(&self) -> &'static str {
        "Conflicts"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let transacts = request.headers().get(TARGET).is_some_and(|target| target.ends_with(".TransactWriteItems"));
        let one_less = |left: u32| left.checked_sub(1);
        let conflict = transacts && self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok();
        self.is_on.store(conflict, Ordering::SeqCst);
        if conflict {
            request.headers_mut().insert(TARGET, "DynamoDB_20120810.ListTables");
            request.headers_mut().insert("content-length", "2");
            *request.body_mut() = "{}".into();
        }
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.is_on.load(Ordering::SeqCst) {
            let why = r#"{"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", "Message": "cancelled",
                "CancellationReasons": [{"Code": "TransactionConflict", "Message": "in conflict"}]}"#;
            *context.response_mut() = HttpResponse::new(400_u16.try_into()?, why.into());
        }
        Ok(())
    }
}
