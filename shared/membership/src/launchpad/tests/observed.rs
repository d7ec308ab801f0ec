//! Each request is observed, repeated ones included.

use std::sync::{Arc, Mutex};

use super::*;

/// The observed requests of one lookup: whether each failed, and their total duration.
async fn observe(server: &MockServer) -> (Vec<bool>, Duration) {
    let observed = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&observed);
    let page_timeout = Duration::from_millis(500);
    let pauses = vec![Duration::from_millis(1)];
    let client = Client::new(Settings { page_timeout, pauses, ..settings(&server.uri()) }).unwrap();
    let client = client.observed_by(move |took, failed| sink.lock().unwrap().push((took, failed)));
    let _ = client.group(&team()).await;
    let observed = observed.lock().unwrap();
    (observed.iter().map(|(_, failed)| *failed).collect(), observed.iter().map(|(took, _)| *took).sum())
}

#[tokio::test]
async fn absent_team_is_no_failure() {
    let server = serve(team_request(), ResponseTemplate::new(404)).await;
    assert_eq!(observe(&server).await.0, [false]);
}

#[tokio::test]
async fn each_attempt_is_observed() {
    let server = MockServer::start().await;
    team_request().respond_with(ResponseTemplate::new(503)).up_to_n_times(1).mount(&server).await;
    team_request().respond_with(json_response(&alice()).set_delay(Duration::from_millis(100))).mount(&server).await;
    let (failed, took) = observe(&server).await;
    assert_eq!(failed, [true, false]);
    assert!(took >= Duration::from_millis(100), "{took:?}");
}

#[tokio::test]
async fn late_answer_is_failure() {
    let server = serve(team_request(), json_response(&alice()).set_delay(Duration::from_secs(5))).await;
    let (failed, _) = observe(&server).await;
    assert_eq!(failed, [true, true]);
}

#[tokio::test]
async fn malformed_answer_is_failure() {
    let server = serve(team_request(), json_response(&json!({}))).await;
    assert_eq!(observe(&server).await.0, [true]);
}
