//! Who counts the requests hears of each, with the ones that are repeated.

use std::sync::{Arc, Mutex};

use super::*;

/// What an observer heard of one look-up: of each request whether it failed, and how long all took.
async fn heard(server: &MockServer) -> (Vec<bool>, Duration) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&heard);
    let client = client(&server.uri()).observed_by(move |took, failed| sink.lock().unwrap().push((took, failed)));
    let _ = client.standing(&ClaimedIdentifier::parse(IDENTIFIER).unwrap()).await;
    let heard = heard.lock().unwrap();
    (heard.iter().map(|(_, failed)| *failed).collect(), heard.iter().map(|(took, _)| *took).sum())
}

#[tokio::test]
async fn nobody_is_an_answer() {
    let server = MockServer::start().await;
    person().respond_with(json_answer(&Value::Null)).mount(&server).await;
    assert_eq!(heard(&server).await.0, [false]);
}

#[tokio::test]
async fn a_request_that_is_repeated_counts_each_time() {
    let server = MockServer::start().await;
    person().respond_with(ResponseTemplate::new(503)).up_to_n_times(1).mount(&server).await;
    let slow = json_answer(&Value::Null).set_delay(Duration::from_millis(100));
    person().respond_with(slow).mount(&server).await;
    let (failed, took) = heard(&server).await;
    assert_eq!(failed, [true, false]);
    assert!(took >= Duration::from_millis(100), "{took:?}");
}

#[tokio::test]
async fn a_late_answer_is_none() {
    let server = MockServer::start().await;
    person().respond_with(json_answer(&Value::Null).set_delay(Duration::from_secs(5))).mount(&server).await;
    let (failed, _) = heard(&server).await;
    assert!(!failed.is_empty() && failed.iter().all(|failed| *failed), "{failed:?}");
}
