//! A fake of AWS for tests: SDK clients whose requests a closure answers in memory, without sockets.

mod captured_logs;
mod denials;
mod fixed;
mod items;
mod planted;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_config::{Region, SdkConfig};
use aws_lambda_events::event::sqs::SqsEvent;
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use membermail_core::clock::Clock;
use membermail_core::random::OsRandom;
use serde::Serialize;
use serde_json::{Value, json};

pub use self::captured_logs::CapturedLogs;
pub use self::denials::Denials;
pub use self::fixed::FixedResponses;
pub use self::items::{attribute, item};
pub use self::planted::{PLANTED, planted_responses};
use crate::aws;
use crate::batch::Worker;
use crate::metrics::Metrics;
use crate::queue::Queue;

/// A response of the fake.
#[derive(Clone, Debug)]
pub enum Response {
    /// Success, with this body.
    Ok(Value),
    /// An error, with its HTTP status and body.
    Error(u16, Value),
    /// A body of any form, with its HTTP status.
    Raw(u16, String),
    /// No response: the request never completes.
    Never,
}

impl Response {
    /// A client error (400) of this type, such as `ConditionalCheckFailedException`.
    pub fn error(kind: &str) -> Self {
        Self::Error(400, json!({ "__type": kind }))
    }
}

/// The first delivery of a message.
///
/// # Errors
/// If the message cannot be serialized.
pub fn sqs_event(message: &impl Serialize) -> serde_json::Result<SqsEvent> {
    let record = json!({
        "messageId": "message-1", "receiptHandle": "receipt", "messageAttributes": {},
        "body": serde_json::to_string(message)?, "attributes": { "ApproximateReceiveCount": "1" },
    });
    let mut event = SqsEvent::default();
    event.records = vec![serde_json::from_value(record)?];
    Ok(event)
}

/// The first number with this name in a section of `template.yaml`; none if there is none.
pub fn template_number(section: &str, name: &str) -> Option<u32> {
    let template = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml")).ok()?;
    let (_, section) = template.split_once(&format!("\n  {section}:\n"))?;
    let mut lines = section.lines().take_while(|line| line.is_empty() || line.starts_with("    "));
    let value = lines.find_map(|line| Some(line.split_once(&format!("{name}: "))?.1))?;
    value.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

/// Answers the requests of AWS clients. Gets the operation, such as `SendMessage`, and the body of the request.
type Handler = dyn Fn(&str, &Value) -> Response + Send + Sync;

/// A fake of AWS.
#[derive(Clone)]
pub struct FakeAws {
    handler: Arc<Handler>,
    latency: Duration,
}

impl fmt::Debug for FakeAws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeAws").field("latency", &self.latency).finish_non_exhaustive()
    }
}

impl FakeAws {
    /// A fake whose requests `handler` answers.
    pub fn new(handler: impl Fn(&str, &Value) -> Response + Send + Sync + 'static) -> Self {
        Self { handler: Arc::new(handler), latency: Duration::ZERO }
    }

    /// Delays every response by tokio's clock, which a test can pause.
    pub fn with_latency(self, latency: Duration) -> Self {
        Self { latency, ..self }
    }

    /// A DynamoDB client.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config())
    }

    /// A Secrets Manager client.
    pub fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.config())
    }

    /// The queue with the URL `http://queue.example/NAME`.
    pub fn queue(&self, name: &str) -> Queue {
        Queue::new(aws_sdk_sqs::Client::new(&self.config()), format!("http://queue.example/{name}"))
    }

    /// A worker of [`queue`](Self::queue) `name`, without failure reports. It drops its metrics.
    pub fn worker(&self, name: &str, clock: impl Clock + Clone + 'static) -> Worker {
        Worker {
            function: "a-test",
            queue: self.queue(name),
            notify_queue: self.queue("notify"),
            max_receives: None,
            metrics: Metrics::to_sink("test", clock.clone(), |_| {}),
            clock: Box::new(clock),
            random: Box::new(OsRandom),
        }
    }

    fn config(&self) -> SdkConfig {
        let connector = SharedHttpConnector::new(self.clone());
        let credentials = Credentials::new("test", "test", None, None, "a test");
        aws::defaults()
            .into_builder()
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build()
    }

    fn respond(&self, request: &HttpRequest) -> Option<Response> {
        let operation = request.headers().get("x-amz-target")?.rsplit('.').next()?;
        let body = serde_json::from_slice(request.body().bytes()?).ok()?;
        Some((self.handler)(operation, &body))
    }
}

impl HttpConnector for FakeAws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let response = self.respond(&request);
        let latency = self.latency;
        HttpConnectorFuture::new(async move {
            if !latency.is_zero() {
                tokio::time::sleep(latency).await;
            }
            let (status, body) = match response {
                Some(Response::Ok(body)) => (200, body.to_string()),
                Some(Response::Error(status, body)) => (status, body.to_string()),
                Some(Response::Raw(status, body)) => (status, body),
                Some(Response::Never) => std::future::pending().await,
                None => return Err(ConnectorError::user("not a JSON request with an operation".into())),
            };
            let status = status.try_into().map_err(|_| ConnectorError::user("not an HTTP status".into()))?;
            Ok(HttpResponse::new(status, SdkBody::from(body)))
        })
    }
}
