use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lambda_http::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use membermail_core::clock::ManualClock;
use serde_json::Value;

use super::*;
use crate::build::Source;

/// A dependency with a fixed behavior, which counts the checks.
#[derive(Clone)]
struct FakeDependency {
    behavior: Behavior,
    checks: Arc<AtomicUsize>,
}

#[derive(Clone, Copy)]
enum Behavior {
    Works,
    Fails,
    Hangs,
}

#[async_trait]
impl Dependency for FakeDependency {
    async fn check(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.checks.fetch_add(1, Ordering::Relaxed);
        match self.behavior {
            Behavior::Works => Ok(()),
            Behavior::Fails => Err("the password is hunter2".into()),
            Behavior::Hangs => std::future::pending().await,
        }
    }
}

fn health(all: &[(&'static str, Behavior)]) -> (HealthCheck, Arc<AtomicUsize>) {
    let checks = Arc::new(AtomicUsize::default());
    let dependencies = all.iter().map(|(name, behavior)| {
        let fake = FakeDependency { behavior: *behavior, checks: Arc::clone(&checks) };
        (*name, Box::new(fake) as Box<dyn Dependency>)
    });
    let source = Source { commit: Some("c0ffee".into()), ..Source::default() };
    (HealthCheck::new(Build { version: "1.2.3", source }, dependencies.collect()), checks)
}

fn clock() -> ManualClock {
    ManualClock::at("2026-11-24T10:00:00Z".parse().unwrap())
}

async fn response_of(health: &HealthCheck, clock: &ManualClock) -> (u16, Value) {
    let response = respond(health, clock).await;
    assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
    let Body::Text(text) = response.body() else { panic!("no text") };
    assert!(!text.contains("hunter2"), "{text}");
    (response.status().as_u16(), serde_json::from_str(text).unwrap())
}

#[rstest::rstest]
#[case::all_work(&[("table", Behavior::Works), ("secret", Behavior::Works)], 200, "ok", &[true, true])]
#[case::one_fails(&[("table", Behavior::Fails), ("secret", Behavior::Works)], 503, "failing", &[false, true])]
#[case::one_hangs(&[("table", Behavior::Works), ("secret", Behavior::Hangs)], 503, "failing", &[true, false])]
#[tokio::test(start_paused = true)]
async fn failing_dependency_is_named_without_cause(
    #[case] all: &[(&'static str, Behavior)],
    #[case] status: u16,
    #[case] word: &str,
    #[case] ok: &[bool],
) {
    let (health, _) = health(all);
    let (code, body) = response_of(&health, &clock()).await;
    assert_eq!((code, &body["status"]), (status, &Value::from(word)));
    assert_eq!(body["build"]["version"], "1.2.3");
    assert_eq!(body["build"]["commit"], "c0ffee");
    let dependencies = body["dependencies"].as_array().unwrap();
    let results: Vec<_> = dependencies.iter().map(|dependency| dependency["ok"] == true).collect();
    assert_eq!(results, ok);
    // A dependency that hangs takes exactly as long as the timeout.
    let longest = dependencies.iter().filter_map(|dependency| dependency["milliseconds"].as_u64()).max();
    assert_eq!(
        longest,
        Some(if all.iter().any(|(_, behavior)| matches!(behavior, Behavior::Hangs)) { 3000 } else { 0 })
    );
}

#[tokio::test]
async fn reports_are_cached() {
    let (health, checks) = health(&[("table", Behavior::Works), ("secret", Behavior::Fails)]);
    let clock = clock();
    for _ in 0..100 {
        response_of(&health, &clock).await;
        clock.advance(SignedDuration::from_millis(49));
    }
    assert_eq!(checks.load(Ordering::Relaxed), 2);
    clock.advance(REPORT_TTL);
    response_of(&health, &clock).await;
    assert_eq!(checks.load(Ordering::Relaxed), 4);
}
