//! What comes late, comes again, or meets another who writes at the same moment, in a real DynamoDB.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::support::{World, community, days, minutes, now, observation, operator};
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::config::interceptors::{
    BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::types::AttributeValue;
use membermail_core::address::DomainName;
use membermail_core::member;
use membermail_core::random::OsRandom;
use membermail_store::{Begun, Erasure, Record, Recorded, Run, RunState, Store, StoreError};

fn domain() -> DomainName {
    community()[0].clone()
}

impl World {
    /// The first so many transactions of this store meet another one, and are not done.
    fn in_conflict(&self, times: u32) -> Store {
        let conflicts = Conflicts { left: Arc::new(AtomicU32::new(times)), is_on: Arc::default() };
        let config = self.client.config().to_builder().interceptor(conflicts).build();
        Store::new(aws_sdk_dynamodb::Client::from_conf(config), &self.table)
    }
}

#[tokio::test]
async fn shredding_is_retryable_after_conflict() {
    let world = World::new("shred-conflict").await;
    let alice = world.named("alice", "alice").await.id;
    let store = world.in_conflict(1);
    let shred = || store.shred(alice, operator(days(2)), &OsRandom);
    let error = shred().await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict) && error.is_retryable(), "{error}");
    assert!(!world.store.member(alice).await.unwrap().unwrap().is_shredded());
    assert_eq!(shred().await.unwrap(), Erasure::Done);
    assert!(world.store.member(alice).await.unwrap().unwrap().is_shredded());
}

#[tokio::test]
async fn record_survives_conflict_with_another_write() {
    let world = World::new("record-conflict").await;
    let alice = world.member("alice", "alice@mail.example").await;
    let seen = observation("alice", now());
    let record = Record { member: &alice, observation: Some(&seen), outcome: None, takes_name_from: None, now: now() };
    assert_eq!(world.in_conflict(2).record(record, &OsRandom).await.unwrap(), Recorded::Recorded);
    let later = observation("alina", minutes(1));
    let record = Record { observation: Some(&later), ..record };
    let error = world.in_conflict(9).record(record, &OsRandom).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict), "{error}");
}

/// A lease can outlive the entry of its run, and an entry the lease.
#[tokio::test]
async fn lease_alone_makes_no_run() {
    let world = World::new("leases").await;
    let begin = async |minute: i64| {
        let id = member::ulid(minutes(minute), &OsRandom);
        match world.store.begin_run(id, &domain(), minutes(minute), minutes(minute + 1), "request-1").await.unwrap() {
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
    let ended = Run { state: RunState::Applied, finished: Some(minutes(11)), ..ended };
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

/// Replaces a transaction by a request that does nothing, and its answer by DynamoDB's for a conflict: a test cannot make
/// DynamoDB answer so.
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
