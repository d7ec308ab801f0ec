//! Errors and logs contain no response of Secrets Manager or SQS.

use std::sync::{Arc, Mutex};

use aws_lambda_events::event::sqs::SqsEvent;
use membermail_core::clock::ManualClock;
use membermail_core::message::SyncTeam;
use serde_json::{Value, json};
use tokio::time::advance;

use crate::batch::{Retryable, chain};
use crate::queue::QueueError;
use crate::secret::{self, MasterSecret, SecretError};
use crate::testing::{CapturedLogs, FakeAws, PLANTED, Response, planted_responses, sqs_event};

fn aws(response: &Response) -> FakeAws {
    let response = response.clone();
    FakeAws::new(move |_, _| response.clone())
}

fn sync() -> SyncTeam {
    serde_json::from_value(json!({ "domain": "ubuntu.com", "request_id": "r-1" })).unwrap()
}

/// Everything that a program may print of an error.
fn printed(error: &(dyn std::error::Error + 'static)) -> String {
    format!("{error} {error:?} {error:#?} {}", chain(error))
}

fn assert_clean(text: &str, response: &Response) {
    assert!(!text.contains(PLANTED), "{response:?} leaks: {text}");
}

#[tokio::test(start_paused = true)]
async fn secret_error_quotes_no_response() {
    for response in planted_responses() {
        let logs = CapturedLogs::start();
        let client = aws(&response).secrets();
        let master = MasterSecret::new(client.clone(), "arn");
        let errors: [SecretError; 4] = [
            secret::fetch(&client, "arn").await.unwrap_err(),
            secret::fetch_previous(&client, "arn").await.unwrap_err(),
            master.keys().await.err().unwrap(),
            master.check_access().await.unwrap_err(),
        ];
        errors.iter().for_each(|error| assert_clean(&printed(error), &response));
        assert_clean(&logs.text(), &response);
    }
}

#[tokio::test(start_paused = true)]
async fn failed_refresh_logs_no_response() {
    for response in planted_responses() {
        let logs = CapturedLogs::start();
        let current = Arc::new(Mutex::new(Response::Ok(json!({ "SecretString": "k".repeat(64) }))));
        let fake = Arc::clone(&current);
        let aws = FakeAws::new(move |_, _| fake.lock().unwrap().clone());
        let master = MasterSecret::new(aws.secrets(), "arn");
        let known = master.keys().await.unwrap();
        *current.lock().unwrap() = response.clone();
        advance(secret::REFRESH_INTERVAL).await;
        assert!(master.keys().await.unwrap() == known);
        let text = logs.text();
        assert!(text.contains("refreshing the master secret"), "{text}");
        assert_clean(&text, &response);
        assert_clean(&printed(&master.fetch_newer_than(&known).await.err().unwrap()), &response);
    }
}

#[tokio::test(start_paused = true)]
async fn queue_error_quotes_no_response() {
    for response in planted_responses() {
        let logs = CapturedLogs::start();
        let queue = aws(&response).queue("sync");
        let results: [Result<(), QueueError>; 5] = [
            queue.send(&sync()).await,
            queue.send_delayed(&sync(), 1).await,
            queue.send_all(&[sync()]).await,
            queue.check_access().await,
            queue.set_visibility_timeout("receipt", 1).await,
        ];
        assert!(results[0].is_err(), "{response:?}");
        results.iter().filter_map(|result| result.as_ref().err()).for_each(|error| {
            assert_clean(&printed(error), &response);
        });
        assert_clean(&logs.text(), &response);
    }
}

#[tokio::test]
async fn rejected_entry_quotes_no_response() {
    let failed =
        json!([{ "Id": "0", "Code": format!("{PLANTED} {PLANTED}"), "SenderFault": true, "Message": PLANTED }]);
    let response = Response::Ok(json!({ "Successful": [], "Failed": failed }));
    let error = aws(&response).queue("sync").send_all(&[sync()]).await.unwrap_err();
    assert!(
        error.to_string().ends_with("1 messages of a batch were rejected, the first with an unknown code"),
        "{error}"
    );
    assert_clean(&printed(&error), &response);
}

#[derive(Debug, thiserror::Error)]
#[error("cannot read a secret")]
struct Failed(#[from] SecretError);

impl Retryable for Failed {
    fn is_retryable(&self) -> bool {
        true
    }
}

/// A worker with one attempt per message, and the bodies that it sends to `notify`.
fn worker(response: &Response) -> (crate::batch::Worker, Arc<Mutex<Vec<String>>>, FakeAws) {
    let sent: Arc<Mutex<Vec<String>>> = Arc::default();
    let bodies = Arc::clone(&sent);
    let response = response.clone();
    let aws = FakeAws::new(move |operation, request: &Value| {
        if operation == "SendMessage" {
            bodies.lock().unwrap().push(request["MessageBody"].to_string());
        }
        response.clone()
    });
    let mut worker = aws.worker("sync", ManualClock::at("2026-11-28T12:00:00Z".parse().unwrap()));
    worker.max_receives = Some(1);
    (worker, sent, aws)
}

#[tokio::test(start_paused = true)]
async fn failed_message_reports_no_response() {
    for response in planted_responses() {
        let logs = CapturedLogs::start();
        let (worker, sent, aws) = worker(&response);
        let client = &aws.secrets();
        let handle = |_: SyncTeam| async move { secret::fetch(client, "arn").await.map(drop).map_err(Failed::from) };
        let failed = worker.process(sqs_event(&sync()).unwrap(), handle).await;
        assert_eq!(failed.batch_item_failures.len(), 1);
        let sent = sent.lock().unwrap().join("\n");
        assert!(sent.contains("cannot read a secret"), "{sent}");
        assert!(logs.text().contains("message failed"));
        assert_clean(&sent, &response);
        assert_clean(&logs.text(), &response);
    }
}

#[tokio::test]
async fn malformed_message_is_not_quoted() {
    let logs = CapturedLogs::start();
    let ok = Response::Ok(json!({}));
    let (worker, sent, _) = worker(&ok);
    let bodies = [json!(PLANTED), json!({ "domain": [PLANTED] }), json!({ "domain": PLANTED }), json!({ PLANTED: 1 })];
    for body in bodies {
        let event: SqsEvent = sqs_event(&body).unwrap();
        let handle = |_: SyncTeam| async { Ok::<(), Failed>(()) };
        assert_eq!(worker.process(event, handle).await.batch_item_failures.len(), 1, "{body}");
    }
    let printed = format!("{} {}", logs.text(), sent.lock().unwrap().join("\n"));
    assert!(printed.contains("message is malformed"), "{printed}");
    assert_clean(&printed, &ok);
}
