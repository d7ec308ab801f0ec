//! Replay protection: the nonce of an OpenID assertion and the state of a sign-in are consumed once.

use jiff::{SignedDuration, Timestamp};
use membermail_core::random::Random;

use crate::error::StoreError;
use crate::keys;
use crate::table::{NoAttributes, Store, TRIES, Transacted, Write, pause};

/// Much longer than an assertion or a state is accepted, with any clock skew.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// The result of consuming a nonce and a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consumed {
    /// Both are consumed now.
    Fresh,
    /// The nonce or the state was consumed before.
    AlreadyUsed,
}

impl Store {
    /// Consumes a nonce (OpenID Authentication 2.0, 11.3) and a state, both or neither.
    ///
    /// A conflict is retried, since DynamoDB can cancel both of two transactions and the provider confirms an assertion
    /// only once: without a retry both sign-ins would fail.
    pub async fn consume_sign_in(
        &self,
        issuer: &str,
        nonce: &str,
        state: &str,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Consumed, StoreError> {
        let until = now.saturating_add(KEPT).unwrap_or(Timestamp::MAX);
        let mut writes = Vec::new();
        for key in [keys::nonce(issuer, nonce), keys::state(state)] {
            writes.push(Write::create(&key, &NoAttributes {})?.expires(until));
        }
        for tried in 0..TRIES {
            match self.commit(writes.clone()).await? {
                Transacted::Committed => return Ok(Consumed::Fresh),
                Transacted::Conflict => pause(tried, random).await,
                Transacted::ConditionFailed(_) => return Ok(Consumed::AlreadyUsed),
            }
        }
        Err(StoreError::Conflict)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
    use axum::http::StatusCode;
    use axum::response::IntoResponse;
    use membermail_core::random::CountingRandom;

    use super::*;

    const CONFLICT: &str = r#"{"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "CancellationReasons": [{"Code": "TransactionConflict"}, {"Code": "None"}]}"#;

    /// A table that cancels the first `conflicts` transactions with `TransactionConflict`, which no emulator does, and the
    /// number of transactions that it received.
    async fn contended(conflicts: u32) -> (Store, Arc<AtomicU32>) {
        let tried = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&tried);
        let router = axum::Router::new().fallback(move || {
            let is_cancelled = seen.fetch_add(1, Ordering::Relaxed) < conflicts;
            let status = if is_cancelled { StatusCode::BAD_REQUEST } else { StatusCode::OK };
            let body = if is_cancelled { CONFLICT } else { "{}" };
            async move { (status, [("content-type", "application/x-amz-json-1.0")], body).into_response() }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12()).endpoint_url(url);
        let config = config.region(Region::new("us-east-1"));
        let config = config.credentials_provider(Credentials::new("test", "test", None, None, "a test")).load().await;
        (Store::new(Client::new(&config), "table"), tried)
    }

    #[rstest::rstest]
    #[case::no_conflict(0, Some(Consumed::Fresh), 1)]
    #[case::one_conflict(1, Some(Consumed::Fresh), 2)]
    #[case::last_attempt(TRIES - 1, Some(Consumed::Fresh), TRIES)]
    #[case::too_many(TRIES, None, TRIES)]
    #[tokio::test]
    async fn conflict_is_retried(#[case] conflicts: u32, #[case] expected: Option<Consumed>, #[case] tries: u32) {
        let (store, tried) = contended(conflicts).await;
        let consumed =
            store.consume_sign_in("issuer", "n", "s", Timestamp::UNIX_EPOCH, &CountingRandom::default()).await;
        assert_eq!(tried.load(Ordering::Relaxed), tries);
        match expected {
            Some(expected) => assert_eq!(consumed.unwrap(), expected),
            None => assert!(consumed.unwrap_err().is_retryable()),
        }
    }
}
