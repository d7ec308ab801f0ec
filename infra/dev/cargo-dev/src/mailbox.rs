//! The mail server of the notices.

use std::path::Path;

use anyhow::Result;
use membermail_test_mail_host::sink::{MailSink, SinkOptions};
use serde_json::{Value, json};

use crate::secrets;

/// Starts the server on a free port.
pub(crate) async fn start(state: &Path) -> Result<MailSink> {
    MailSink::start(state.join("mailbox"), SinkOptions::default()).await
}

/// Mail settings for this server, as JSON of the mail secret.
pub(crate) fn settings(sink: &MailSink) -> Value {
    json!({
        "relay": format!("smtp://127.0.0.1:{}", sink.port),
        "from": "Ubuntu mail <noreply@notices.example>",
        "reply-to": "Ubuntu mail help <help@notices.example>",
        "operators": "operators@notices.example",
    })
}

/// Creates the mail secret, as an operator would, and returns its ARN.
pub(crate) fn create_secret(sink: &MailSink, endpoint: &str) -> Result<String> {
    secrets::create_one(endpoint, "membermail-mail", &settings(sink).to_string())
}
