//! A Secrets Manager that answers, changes its mind, and falls silent.

use std::sync::Arc;

use aws_sdk_secretsmanager::Config;
use aws_sdk_secretsmanager::config::{BehaviorVersion, Credentials, Region};
use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

use super::*;

const ONE: &str = "the first of two secrets, long enough";
const TWO: &str = "the second of two secrets, long enough";
/// What an answer takes that waits for nothing.
const AT_ONCE: Duration = Duration::from_millis(300);

/// The secret, the one before it, and how often it was asked for; without a secret it is silent.
#[derive(Default)]
struct Manager {
    current: Option<&'static str>,
    previous: Option<&'static str>,
    asked: usize,
}

type Shared = Arc<Mutex<Manager>>;

async fn answer(State(manager): State<Shared>, body: String) -> Response {
    let text = {
        let mut manager = manager.lock().unwrap();
        manager.asked += 1;
        if body.contains(PREVIOUS) { manager.current.and(manager.previous) } else { manager.current }
    };
    let Some(text) = text else { return std::future::pending().await };
    ([(CONTENT_TYPE, "application/x-amz-json-1.1")], format!("{{\"SecretString\":\"{text}\"}}")).into_response()
}

async fn secret() -> (Arc<MasterSecret>, Shared) {
    let manager = Shared::default();
    manager.lock().unwrap().current = Some(ONE);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(answer).with_state(Arc::clone(&manager));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let config = Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "a test"))
        .http_client(crate::http::client().unwrap())
        .endpoint_url(url);
    (Arc::new(MasterSecret::new(Client::from_conf(config.build()), "arn")), manager)
}

fn keys(current: &str, previous: Option<&str>) -> MasterKeys {
    let key = |text: &str| Zeroizing::new(text.as_bytes().to_vec());
    MasterKeys::new(key(current), previous.map(key))
}

/// Lets time pass for whoever looks at the clock, and for nothing that is on its way.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_changed_secret_is_read_after_a_while_and_not_before() {
    let (secret, manager) = secret().await;
    for _ in 0..5 {
        assert!(secret.keys().await.unwrap() == keys(ONE, None));
    }
    manager.lock().unwrap().current = Some(TWO);
    pass(FRESH - Duration::from_secs(5)).await;
    assert!(secret.keys().await.unwrap() == keys(ONE, None));
    assert_eq!(manager.lock().unwrap().asked, 1);
    pass(Duration::from_secs(6)).await;
    assert!(secret.keys().await.unwrap() == keys(TWO, None));
    assert_eq!(manager.lock().unwrap().asked, 2);
}

/// Good keys are at hand, and whoever needs some goes on with them; whether the one who reads again waits, or is cut off.
#[tokio::test]
async fn a_silent_manager_costs_one_caller_a_moment() {
    let (secret, manager) = secret().await;
    secret.keys().await.unwrap();
    manager.lock().unwrap().current = None;
    pass(FRESH).await;
    let cut_off = timeout(AT_ONCE, secret.keys()).await;
    assert!(cut_off.is_err(), "nobody asked for newer ones");
    for _ in 0..3 {
        assert!(timeout(AT_ONCE, secret.keys()).await.unwrap().unwrap() == keys(ONE, None));
    }
    pass(AGAIN).await;
    let begin = Instant::now();
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let secret = Arc::clone(&secret);
        all.spawn(async move { (secret.keys().await.unwrap(), begin.elapsed()) });
    }
    let all = all.join_all().await;
    assert!(all.iter().all(|(known, took)| *known == keys(ONE, None) && *took < SLOWEST + AT_ONCE));
    assert_eq!(all.iter().filter(|(_, took)| *took > AT_ONCE).count(), 1, "{:?}", all.iter().map(|one| one.1).max());

    manager.lock().unwrap().current = Some(TWO);
    pass(AGAIN).await;
    assert!(secret.keys().await.unwrap() == keys(TWO, None));
}

#[tokio::test]
async fn what_does_not_open_makes_nobody_else_wait() {
    let (secret, manager) = secret().await;
    let known = secret.keys().await.unwrap();
    manager.lock().unwrap().current = None;
    let asking = tokio::spawn({
        let (secret, known) = (Arc::clone(&secret), known.clone());
        async move { timeout(AT_ONCE * 2, secret.newer(&known)).await.is_err() }
    });
    tokio::time::sleep(AT_ONCE / 3).await;
    assert!(timeout(AT_ONCE, secret.keys()).await.unwrap().unwrap() == known);
    assert!(asking.await.unwrap(), "it was told of others");
    // Nor does it ask more often than allowed, and it says that it could not.
    let asked = manager.lock().unwrap().asked;
    assert!(matches!(timeout(AT_ONCE, secret.newer(&known)).await.unwrap(), Err(SecretError::Unavailable(_))));
    assert_eq!(manager.lock().unwrap().asked, asked);

    *manager.lock().unwrap() = Manager { current: Some(TWO), previous: Some(ONE), asked: 0 };
    pass(PAUSE).await;
    for _ in 0..3 {
        assert!(secret.newer(&known).await.unwrap() == Some(keys(TWO, Some(ONE))));
    }
    assert_eq!(manager.lock().unwrap().asked, 2, "the current one and the previous, once each");
}

#[tokio::test]
async fn whoever_waits_for_the_first_keys_hears_when_they_do_not_come() {
    let (secret, manager) = secret().await;
    manager.lock().unwrap().current = Some("short");
    let all: Vec<_> = (0..20)
        .map(|_| {
            tokio::spawn({
                let secret = Arc::clone(&secret);
                async move { secret.keys().await.is_err() }
            })
        })
        .collect();
    for one in all {
        assert!(one.await.unwrap());
    }
    assert!(manager.lock().unwrap().asked < 20, "each has asked by itself");
    manager.lock().unwrap().current = Some(ONE);
    assert!(secret.keys().await.unwrap() == keys(ONE, None));
}
