//! What may be used once only: the nonce of an assertion and the state of a sign-in.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use jiff::{SignedDuration, Timestamp};
use membermail_core::random::Random;

use crate::error::StoreError;
use crate::keys;
use crate::table::{Store, TRIES, Written, expires, pause, text};

/// Much longer than an assertion or a state is accepted, whatever the clocks say.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// Whether this was the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsedUp {
    /// It was; from now on it is used.
    Fresh,
    /// The nonce or the state was used before.
    AlreadyUsed,
}

impl Store {
    /// Uses up a nonce (OpenID Authentication 2.0, 11.3) and a state, both or neither.
    ///
    /// Whoever loses a race here has lost the sign-in: the provider confirms an assertion once. So a conflict, in which
    /// DynamoDB may have cancelled both who were in it, is run again.
    pub async fn use_up(
        &self,
        issuer: &str,
        nonce: &str,
        state: &str,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<UsedUp, StoreError> {
        let until = expires(now.saturating_add(KEPT).unwrap_or(Timestamp::MAX));
        let mut writes = Vec::new();
        for key in [keys::nonce(issuer, nonce), keys::state(state)] {
            let put = Put::builder()
                .table_name(&self.table)
                .item("pk", text(key.pk))
                .item("sk", text(key.sk))
                .item("expires", until.clone())
                .condition_expression("attribute_not_exists(pk)");
            writes.push(TransactWriteItem::builder().put(put.build()?).build());
        }
        for tried in 0..TRIES {
            match self.transact(writes.clone()).await? {
                Written::All => return Ok(UsedUp::Fresh),
                Written::Failed(places) if places.is_empty() => pause(tried, random).await,
                Written::Failed(_) => return Ok(UsedUp::AlreadyUsed),
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

    /// A table in which so many transactions are cancelled as DynamoDB may cancel both of two at once, which no emulator
    /// does; and how many were tried.
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
    #[case::nobody_else(0, Some(UsedUp::Fresh), 1)]
    #[case::both_were_cancelled(1, Some(UsedUp::Fresh), 2)]
    #[case::all_but_too_often(TRIES - 1, Some(UsedUp::Fresh), TRIES)]
    #[case::too_often(TRIES, None, TRIES)]
    #[tokio::test]
    async fn a_conflict_is_run_again(#[case] conflicts: u32, #[case] expected: Option<UsedUp>, #[case] tries: u32) {
        let (store, tried) = contended(conflicts).await;
        let used = store.use_up("issuer", "n", "s", Timestamp::UNIX_EPOCH, &CountingRandom::default()).await;
        assert_eq!(tried.load(Ordering::Relaxed), tries);
        match expected {
            Some(expected) => assert_eq!(used.unwrap(), expected),
            None => assert!(used.unwrap_err().is_retryable()),
        }
    }
}
