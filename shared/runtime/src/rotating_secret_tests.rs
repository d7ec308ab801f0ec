//! RotatingSecret against a fake Secrets Manager.

use std::sync::Mutex as SyncMutex;

use serde_json::json;

use super::*;
use crate::testing::{FakeAws, Response};

#[derive(Default)]
struct FakeManager {
    current: Option<&'static str>,
    previous: Option<&'static str>,
    requests: usize,
}

fn secret(current: &'static str) -> (RotatingSecret, Arc<SyncMutex<FakeManager>>) {
    let manager = FakeManager { current: Some(current), ..FakeManager::default() };
    let manager = Arc::new(SyncMutex::new(manager));
    let fake = Arc::clone(&manager);
    let aws = FakeAws::new(move |_, request| {
        let mut manager = fake.lock().unwrap();
        manager.requests += 1;
        let is_current = request["VersionStage"].is_null();
        match if is_current { manager.current } else { manager.previous } {
            Some(text) => Response::Ok(json!({ "SecretString": text })),
            None if is_current => Response::Error(400, json!({ "__type": "InternalServiceError" })),
            None => Response::Error(400, json!({ "__type": "ResourceNotFoundException" })),
        }
    });
    (RotatingSecret::new(aws.secrets(), "arn"), manager)
}

fn texts(versions: &Versions) -> Vec<&str> {
    versions.iter().map(|version| version.as_str()).collect()
}

async fn advance(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn current_version_comes_first() {
    let (secret, manager) = secret("new\n");
    manager.lock().unwrap().previous = Some("old");
    let versions = secret.versions().await.unwrap();
    assert_eq!(texts(&versions), ["new", "old"]);
    secret.versions().await.unwrap();
    assert_eq!((manager.lock().unwrap().requests, format!("{versions:?}")), (2, "Versions([redacted])".to_owned()));
}

/// The provider has the new secret already, and the cache has only the old one.
#[tokio::test]
async fn refused_version_is_fetched_again() {
    let (secret, manager) = secret("old");
    let old = secret.versions().await.unwrap();
    let rotated = FakeManager { current: Some("new"), previous: Some("old"), requests: 0 };
    *manager.lock().unwrap() = rotated;
    assert_eq!(secret.newer_than(&old).await.unwrap(), None, "a moment ago it was current");
    advance(MIN_INTERVAL).await;
    let newer = secret.newer_than(&old).await.unwrap().unwrap();
    assert_eq!(texts(&newer), ["new", "old"]);
    assert_eq!(secret.newer_than(&newer).await.unwrap(), None);
    assert_eq!(manager.lock().unwrap().requests, 2);
}

#[tokio::test]
async fn failing_manager_leaves_cached_versions() {
    let (secret, manager) = secret("one");
    secret.versions().await.unwrap();
    manager.lock().unwrap().current = None;
    advance(REFRESH_INTERVAL).await;
    assert_eq!(texts(&secret.versions().await.unwrap()), ["one"]);
}

#[tokio::test]
async fn empty_secret_is_an_error() {
    let (secret, _) = secret(" ");
    assert!(secret.versions().await.is_err());
}
