//! MasterSecret against a fake Secrets Manager that answers, rotates its secret and stops answering.

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::testing::{FakeAws, Response};

const ONE: &str = "the first of two secrets, long enough";
const TWO: &str = "the second of two secrets, long enough";
/// Upper bound for a response that does not wait for Secrets Manager.
const IMMEDIATE: Duration = Duration::from_millis(300);

/// Without a current secret it never answers.
#[derive(Default)]
struct FakeManager {
    current: Option<&'static str>,
    previous: Option<&'static str>,
    requests: usize,
}

type Shared = Arc<Mutex<FakeManager>>;

fn secret() -> (Arc<MasterSecret>, Shared) {
    let manager = Shared::new(Mutex::new(FakeManager { current: Some(ONE), ..FakeManager::default() }));
    let fake = Arc::clone(&manager);
    let aws = FakeAws::new(move |_, request| {
        let mut manager = fake.lock().unwrap();
        manager.requests += 1;
        let text = match request["VersionStage"].as_str() {
            Some(PREVIOUS_STAGE) => manager.current.and(manager.previous),
            _ => manager.current,
        };
        text.map_or(Response::Never, |text| Response::Ok(json!({ "SecretString": text })))
    });
    // Concurrent callers overlap.
    let aws = aws.with_latency(IMMEDIATE / 10);
    (Arc::new(MasterSecret::new(aws.secrets(), "arn")), manager)
}

fn keys(current: &str, previous: Option<&str>) -> MasterKeys {
    MasterKeys::new(key(current), previous.map(key))
}

fn key(text: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(text.as_bytes().to_vec())
}

/// Advances the clock without firing the timeouts of requests in flight.
async fn advance(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn rotated_secret_is_fetched_when_due() {
    let (secret, manager) = secret();
    for _ in 0..5 {
        assert!(secret.keys().await.unwrap() == keys(ONE, None));
    }
    manager.lock().unwrap().current = Some(TWO);
    advance(REFRESH_INTERVAL - Duration::from_secs(5)).await;
    assert!(secret.keys().await.unwrap() == keys(ONE, None));
    assert_eq!(manager.lock().unwrap().requests, 1);
    advance(Duration::from_secs(6)).await;
    assert!(secret.keys().await.unwrap() == keys(TWO, None));
    assert_eq!(manager.lock().unwrap().requests, 2);
}

/// One caller waits for the refresh, or is cancelled; all others get the cached keys at once.
#[tokio::test]
async fn silent_manager_delays_one_caller() {
    let (secret, manager) = secret();
    secret.keys().await.unwrap();
    manager.lock().unwrap().current = None;
    advance(REFRESH_INTERVAL).await;
    let cancelled = timeout(IMMEDIATE, secret.keys()).await;
    assert!(cancelled.is_err(), "no caller refreshed the keys");
    for _ in 0..3 {
        assert!(timeout(IMMEDIATE, secret.keys()).await.unwrap().unwrap() == keys(ONE, None));
    }
    advance(RETRY_INTERVAL).await;
    let started_at = Instant::now();
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let secret = Arc::clone(&secret);
        callers.spawn(async move { (secret.keys().await.unwrap(), started_at.elapsed()) });
    }
    let results = callers.join_all().await;
    assert!(
        results.iter().all(|(result, elapsed)| *result == keys(ONE, None) && *elapsed < REFRESH_TIMEOUT + IMMEDIATE)
    );
    let waited = results.iter().filter(|(_, elapsed)| *elapsed > IMMEDIATE).count();
    assert_eq!(waited, 1, "{:?}", results.iter().map(|(_, elapsed)| elapsed).max());

    manager.lock().unwrap().current = Some(TWO);
    advance(RETRY_INTERVAL).await;
    assert!(secret.keys().await.unwrap() == keys(TWO, None));
}

#[tokio::test]
async fn forced_refresh_delays_no_other_caller() {
    let (secret, manager) = secret();
    let known = secret.keys().await.unwrap();
    manager.lock().unwrap().current = None;
    let forced = tokio::spawn({
        let secret = Arc::clone(&secret);
        let known = known.clone();
        async move { timeout(IMMEDIATE * 2, secret.fetch_newer_than(&known)).await.is_err() }
    });
    tokio::time::sleep(IMMEDIATE / 3).await;
    assert!(timeout(IMMEDIATE, secret.keys()).await.unwrap().unwrap() == known);
    assert!(forced.await.unwrap(), "the forced refresh returned");
    // Within the interval, the failure is returned without another request.
    let requests = manager.lock().unwrap().requests;
    let result = timeout(IMMEDIATE, secret.fetch_newer_than(&known)).await.unwrap();
    assert!(matches!(result, Err(SecretError::RecentlyFailed)));
    assert_eq!(manager.lock().unwrap().requests, requests);

    *manager.lock().unwrap() = FakeManager { current: Some(TWO), previous: Some(ONE), requests: 0 };
    advance(FORCED_REFRESH_INTERVAL).await;
    for _ in 0..3 {
        assert!(secret.fetch_newer_than(&known).await.unwrap() == Some(keys(TWO, Some(ONE))));
    }
    assert_eq!(manager.lock().unwrap().requests, 2, "the current and the previous secret, once each");
}

#[tokio::test]
async fn failed_first_load_fails_waiting_callers() {
    let (secret, manager) = secret();
    manager.lock().unwrap().current = Some("short");
    let callers: Vec<_> = (0..20)
        .map(|_| {
            tokio::spawn({
                let secret = Arc::clone(&secret);
                async move { secret.keys().await.is_err() }
            })
        })
        .collect();
    for caller in callers {
        assert!(caller.await.unwrap());
    }
    assert!(manager.lock().unwrap().requests < 20, "each caller made its own request");
    manager.lock().unwrap().current = Some(ONE);
    assert!(secret.keys().await.unwrap() == keys(ONE, None));
}
