use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lambda_http::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use membermail_core::clock::ManualClock;
use serde_json::Value;

use super::*;
use crate::build::Source;

/// Says what it is told to say, and counts how often it was asked.
#[derive(Clone)]
struct Told {
    says: Says,
    asked: Arc<AtomicUsize>,
}

#[derive(Clone, Copy)]
enum Says {
    Good,
    Bad,
    Nothing,
}

#[async_trait]
impl Dependency for Told {
    async fn ask(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        match self.says {
            Says::Good => Ok(()),
            Says::Bad => Err("the password is hunter2".into()),
            Says::Nothing => std::future::pending().await,
        }
    }
}

fn health(all: &[(&'static str, Says)]) -> (Health, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::default());
    let told = |says| Box::new(Told { says, asked: Arc::clone(&asked) }) as Box<dyn Dependency>;
    let dependencies = all.iter().map(|(name, says)| (*name, told(*says))).collect();
    let source = Source { commit: Some("c0ffee".into()), ..Source::default() };
    (Health::new(Build { version: "1.2.3", source }, dependencies), asked)
}

fn clock() -> ManualClock {
    ManualClock::at("2026-11-24T10:00:00Z".parse().unwrap())
}

async fn answered(health: &Health, clock: &ManualClock) -> (u16, Value) {
    let response = answer(health, clock).await;
    assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
    let Body::Text(text) = response.body() else { panic!("no text") };
    assert!(!text.contains("hunter2"), "{text}");
    (response.status().as_u16(), serde_json::from_str(text).unwrap())
}

#[rstest::rstest]
#[case::well(&[("table", Says::Good), ("secret", Says::Good)], 200, "ok", &[true, true])]
#[case::one_fails(&[("table", Says::Bad), ("secret", Says::Good)], 503, "failing", &[false, true])]
#[case::one_is_silent(&[("table", Says::Good), ("secret", Says::Nothing)], 503, "failing", &[true, false])]
#[tokio::test(start_paused = true)]
async fn one_that_fails_is_told_by_name_and_not_why(
    #[case] all: &[(&'static str, Says)],
    #[case] status: u16,
    #[case] word: &str,
    #[case] ok: &[bool],
) {
    let (health, _) = health(all);
    let (code, body) = answered(&health, &clock()).await;
    assert_eq!((code, &body["status"]), (status, &Value::from(word)));
    assert_eq!(body["build"]["version"], "1.2.3");
    assert_eq!(body["build"]["commit"], "c0ffee");
    let said: Vec<_> = body["dependencies"].as_array().unwrap().iter().map(|one| one["ok"] == true).collect();
    assert_eq!(said, ok);
    // As long as it was waited for, and no longer.
    let longest = body["dependencies"].as_array().unwrap().iter().filter_map(|one| one["milliseconds"].as_u64()).max();
    assert_eq!(longest, Some(if all.iter().any(|(_, says)| matches!(says, Says::Nothing)) { 3000 } else { 0 }));
}

#[tokio::test]
async fn many_who_ask_cost_one_question() {
    let (health, asked) = health(&[("table", Says::Good), ("secret", Says::Bad)]);
    let clock = clock();
    for _ in 0..100 {
        answered(&health, &clock).await;
        clock.advance(SignedDuration::from_millis(49));
    }
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    clock.advance(KEPT);
    answered(&health, &clock).await;
    assert_eq!(asked.load(Ordering::Relaxed), 4);
}
