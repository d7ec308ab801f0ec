//! Lambda's Runtime API on a loopback port, for one process and one event at a time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

const REQUEST_ID: &str = "00000000-0000-0000-0000-000000000000";

/// The result of an invocation.
#[derive(Debug)]
pub(crate) struct Reply {
    /// Time of arrival.
    pub(crate) at: Instant,
    pub(crate) body: String,
}

/// A running API; dropping it stops the server.
pub(crate) struct RuntimeApi {
    /// Value of `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) address: String,
    invocations: mpsc::Sender<Invocation>,
    polled: Arc<Notify>,
    server: JoinHandle<()>,
}

type ReplySender = oneshot::Sender<Result<Reply>>;

struct Invocation {
    event: String,
    reply: ReplySender,
}

struct Shared {
    invocations: tokio::sync::Mutex<mpsc::Receiver<Invocation>>,
    in_flight: Mutex<Option<ReplySender>>,
    polled: Arc<Notify>,
}

impl RuntimeApi {
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?.to_string();
        let (invocations, receiver) = mpsc::channel(1);
        let polled = Arc::new(Notify::new());
        let shared = Shared {
            invocations: tokio::sync::Mutex::new(receiver),
            in_flight: Mutex::default(),
            polled: Arc::clone(&polled),
        };
        let app = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{outcome}", post(finish))
            .route("/2018-06-01/runtime/init/error", post(fail_init))
            .with_state(Arc::new(shared));
        // Without TCP_NODELAY, a header and a body in two segments would wait for each other.
        let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
        let server = tokio::spawn(async move { drop(axum::serve(listener, app).await) });
        Ok(Self { address, invocations, polled, server })
    }

    /// Waits until the function has asked for an event, which ends its initialisation.
    pub(crate) async fn polled(&self) {
        self.polled.notified().await;
    }

    /// Invokes the function with an event as text and waits for the reply.
    pub(crate) async fn invoke_text(&self, event: String) -> Result<Reply> {
        let (reply, receiver) = oneshot::channel();
        self.invocations.send(Invocation { event, reply }).await.ok().context("the Runtime API has stopped")?;
        receiver.await.context("the function sent no reply")?
    }

    /// Invokes the function and parses its reply.
    pub(crate) async fn invoke(&self, event: &Value) -> Result<Value> {
        let reply = self.invoke_text(event.to_string()).await?;
        serde_json::from_str(&reply.body).with_context(|| reply.body.clone())
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn next(State(shared): State<Arc<Shared>>) -> Response {
    shared.polled.notify_one();
    let Some(Invocation { event, reply }) = shared.invocations.lock().await.recv().await else {
        return std::future::pending().await;
    };
    *shared.in_flight.lock().unwrap_or_else(PoisonError::into_inner) = Some(reply);
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("lambda-runtime-aws-request-id", REQUEST_ID),
        ("lambda-runtime-deadline-ms", "4102444800000"),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:bench"),
        ("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000;Sampled=0"),
        ("content-type", "application/json"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    (headers, event).into_response()
}

async fn finish(
    State(shared): State<Arc<Shared>>,
    Path((_, outcome)): Path<(String, String)>,
    body: String,
) -> StatusCode {
    let at = Instant::now();
    let reply = shared.in_flight.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(reply) = reply {
        let result = if outcome == "response" { Ok(Reply { at, body }) } else { Err(anyhow!("it failed: {body}")) };
        // The receiver is gone after a timeout.
        let _ = reply.send(result);
    }
    StatusCode::ACCEPTED
}

/// A function whose start fails has not fetched its event, so the event fails here.
async fn fail_init(State(shared): State<Arc<Shared>>, body: String) -> StatusCode {
    if let Ok(invocation) = shared.invocations.lock().await.try_recv() {
        let _ = invocation.reply.send(Err(anyhow!("it cannot start: {body}")));
    }
    StatusCode::ACCEPTED
}

/// The SQS event of these bodies, as Lambda sends it.
pub(crate) fn sqs_event<'a>(bodies: impl IntoIterator<Item = &'a str>) -> Value {
    let records = bodies.into_iter().enumerate().map(|(index, body)| {
        json!({
            "messageId": index.to_string(), "receiptHandle": "receipt", "body": body,
            "attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": "1790000000000" },
            "messageAttributes": {}, "md5OfBody": "", "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:bench", "awsRegion": "us-east-1",
        })
    });
    json!({ "Records": records.collect::<Vec<_>>() })
}
