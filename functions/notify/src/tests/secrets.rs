//! Errors and logs contain neither the mail secret nor a response that comes instead of it.

use std::sync::{Arc, Mutex};

use membermail_runtime::batch::chain;
use membermail_runtime::testing::{CapturedLogs, FakeAws, PLANTED, Response, planted_responses};
use serde_json::{Value, json};

use crate::mailer::MailSecret;

fn document() -> Value {
    json!({
        "relay": "smtp://127.0.0.1:2525", "user": "membermail", "password": PLANTED,
        "from": "noreply@ubuntu.example", "reply-to": "help@ubuntu.example", "operators": "ops@ubuntu.example",
    })
}

/// Secrets that cannot be used, and responses that hold none.
fn broken() -> Vec<Response> {
    let with = |name: &str, value: Value| {
        let mut document = document();
        document[name] = value;
        document.to_string()
    };
    let mut cut_off = document().to_string();
    cut_off.pop();
    let texts = [
        PLANTED.to_owned(),
        json!(PLANTED).to_string(),
        json!([PLANTED]).to_string(),
        cut_off,
        with("password", json!([PLANTED])),
        with("password", json!({ PLANTED: 1 })),
        with(PLANTED, json!(1)),
        with("relay", json!(PLANTED)),
        with("relay", json!(format!("smtps:{PLANTED}"))),
        with("relay", json!(format!("{PLANTED}://mail.example"))),
        with("from", json!(PLANTED)),
        with("operators", json!(PLANTED)),
        with("certificate", json!(format!("-----BEGIN {PLANTED}"))).replace("smtp://", "smtps://"),
    ];
    let secrets = texts.into_iter().map(|text| Response::Ok(json!({ "SecretString": text })));
    planted_responses().into_iter().chain(secrets).collect()
}

#[tokio::test(start_paused = true)]
async fn broken_mail_secret_is_not_quoted() {
    for response in broken() {
        let logs = CapturedLogs::start();
        let current = Arc::new(Mutex::new(response.clone()));
        let fake = Arc::clone(&current);
        let aws = FakeAws::new(move |_, _| fake.lock().unwrap().clone());
        let mail = MailSecret::new(aws.secrets(), Some("arn".to_owned()));
        let printed = match mail.mailer().await {
            Ok(mailer) => format!("{:?}", mailer.unwrap().settings),
            Err(error) => format!("{error} {error:?} {}", chain(&error)),
        };
        assert!(!printed.contains(PLANTED), "{response:?} leaks: {printed}");

        *current.lock().unwrap() = Response::Ok(json!({ "SecretString": document().to_string() }));
        assert!(mail.mailer().await.unwrap().is_some());
        *current.lock().unwrap() = response.clone();
        mail.mark_stale().await;
        assert!(mail.mailer().await.unwrap().is_some());
        assert!(!logs.text().contains(PLANTED), "{response:?} leaks: {}", logs.text());
    }
}
