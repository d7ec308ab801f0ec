//! The observer hears of each request, repeated ones included.

use std::sync::{Arc, Mutex};

use super::*;

/// What an observer heard of one look-up: whether each request failed, and the time of all.
async fn observe(server: &MockServer) -> (Vec<bool>, Duration) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&heard);
    let (page_timeout, pauses) = (Duration::from_millis(500), vec![Duration::from_millis(1)]);
    let client = Client::new(Settings { page_timeout, pauses, ..settings(&server.uri()) }).unwrap();
    let client = client.observed_by(move |took, failed| sink.lock().unwrap().push((took, failed)));
    let _ = client.group(&team()).await;
    let heard = heard.lock().unwrap();
    (heard.iter().map(|(_, failed)| *failed).collect(), heard.iter().map(|(took, _)| *took).sum())
}

#[tokio::test]
async fn absent_team_is_no_failure() {
    let server = MockServer::start().await;
    team_request().respond_with(ResponseTemplate::new(404)).mount(&server).await;
    assert_eq!(observe(&server).await.0, [false]);
}

#[tokio::test]
async fn each_attempt_is_observed() {
    let server = MockServer::start().await;
    team_request().respond_with(ResponseTemplate::new(503)).up_to_n_times(1).mount(&server).await;
    team_request().respond_with(json_answer(&alice()).set_delay(Duration::from_millis(100))).mount(&server).await;
    let (failed, took) = observe(&server).await;
    assert_eq!(failed, [true, false]);
    assert!(took >= Duration::from_millis(100), "{took:?}");
}

#[tokio::test]
async fn late_answer_is_failure() {
    let server = MockServer::start().await;
    team_request().respond_with(json_answer(&alice()).set_delay(Duration::from_secs(5))).mount(&server).await;
    let (failed, _) = observe(&server).await;
    assert_eq!(failed, [true, true]);
}

#[tokio::test]
async fn malformed_answer_is_failure() {
    let server = MockServer::start().await;
    team_request().respond_with(json_answer(&json!({}))).mount(&server).await;
    assert_eq!(observe(&server).await.0, [true]);
}
