//! Transaction conflicts.

use std::sync::atomic::{AtomicU32, Ordering};

use membermail_core::random::OsRandom;
use membermail_store::{Erasure, Record, Recorded, Store, StoreError};

use crate::interceptor::{TARGET, is_transaction};
use crate::support::{World, days, minutes, now, observation, operator};

/// DynamoDB's response for a conflict.
const CONFLICT: &str = r#"{"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", "Message": "cancelled",
    "CancellationReasons": [{"Code": "TransactionConflict", "Message": "in conflict"}]}"#;

impl World {
    /// A store whose first `times` transactions fail with a conflict, because a test cannot cause one reliably. A request
    /// without effect replaces each.
    fn with_conflicts(&self, times: u32) -> Store {
        let left = AtomicU32::new(times);
        self.intercepted(move |request| {
            if !is_transaction(request)
                || left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err()
            {
                return None;
            }
            request.headers_mut().insert(TARGET, "DynamoDB_20120810.ListTables");
            request.headers_mut().insert("content-length", "2");
            *request.body_mut() = "{}".into();
            Some((400, CONFLICT))
        })
    }
}

#[tokio::test]
async fn erasure_conflict_is_retryable() {
    let Some(world) = World::in_dynamodb().await else { return };
    let alice = world.named("alice", "alice").await.id;
    let store = world.with_conflicts(1);
    let error = store.erase(alice, operator(days(2)), &OsRandom).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict) && error.is_retryable(), "{error}");
    assert!(!world.read(alice).await.is_erased());
    assert_eq!(store.erase(alice, operator(days(2)), &OsRandom).await.unwrap(), Erasure::Done);
    assert!(world.read(alice).await.is_erased());
}

#[tokio::test]
async fn record_retries_after_conflict() {
    let Some(world) = World::in_dynamodb().await else { return };
    let alice = world.member("alice", "alice@mail.example").await;
    let seen = observation("alice", now());
    let record = Record { member: &alice, observation: Some(&seen), outcome: None, claims_name_from: None, now: now() };
    assert_eq!(world.with_conflicts(2).record(record, &OsRandom).await.unwrap(), Recorded::Recorded);
    let later = observation("alina", minutes(1));
    let record = Record { observation: Some(&later), ..record };
    let error = world.with_conflicts(9).record(record, &OsRandom).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict), "{error}");
}
