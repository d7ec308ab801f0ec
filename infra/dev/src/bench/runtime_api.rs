//! Lambda's Runtime API on a loopback port, for one process and one event: it hands the event out, notes when the
//! answer comes, and lets the process wait for a second event that never comes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const REQUEST: &str = "00000000-0000-0000-0000-000000000000";

/// What the process said, and when.
#[derive(Debug)]
pub(crate) struct Answer {
    /// When it was here.
    pub(crate) at: Instant,
    /// Its body.
    pub(crate) body: String,
}

/// The API while it listens; it ends with this value.
pub(crate) struct RuntimeApi {
    /// What `AWS_LAMBDA_RUNTIME_API` is set to.
    pub(crate) address: String,
    answer: oneshot::Receiver<Result<Answer>>,
    server: JoinHandle<()>,
}

struct Shared {
    event: Mutex<Option<String>>,
    answer: Mutex<Option<oneshot::Sender<Result<Answer>>>>,
}

impl RuntimeApi {
    /// Listens, with this event to hand out.
    pub(crate) async fn with(event: &str) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?.to_string();
        let (sender, answer) = oneshot::channel();
        let shared = Shared { event: Mutex::new(Some(event.to_owned())), answer: Mutex::new(Some(sender)) };
        let app = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{how}", post(answered))
            .route("/2018-06-01/runtime/init/error", post(failed))
            .with_state(Arc::new(shared));
        // A header and a body in two segments would wait for each other without this.
        let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
        let server = tokio::spawn(async move { drop(axum::serve(listener, app).await) });
        Ok(Self { address, answer, server })
    }

    /// Waits for the first answer.
    pub(crate) async fn first_answer(&mut self) -> Result<Answer> {
        (&mut self.answer).await.context("no answer")?
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn take<T>(one: &Mutex<Option<T>>) -> Option<T> {
    one.lock().unwrap_or_else(PoisonError::into_inner).take()
}

async fn next(State(shared): State<Arc<Shared>>) -> Response {
    match take(&shared.event) {
        Some(body) => event(body),
        None => std::future::pending().await,
    }
}

/// An event as the API hands it out.
pub(super) fn event(body: String) -> Response {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("lambda-runtime-aws-request-id", REQUEST),
        ("lambda-runtime-deadline-ms", "4102444800000"),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:bench"),
        ("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000;Sampled=0"),
        ("content-type", "application/json"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    (headers, body).into_response()
}

async fn answered(
    State(shared): State<Arc<Shared>>,
    Path((_, how)): Path<(String, String)>,
    body: String,
) -> StatusCode {
    let at = Instant::now();
    let answer = if how == "response" { Ok(Answer { at, body }) } else { Err(anyhow::anyhow!("it failed: {body}")) };
    tell(&shared, answer)
}

async fn failed(State(shared): State<Arc<Shared>>, body: String) -> StatusCode {
    tell(&shared, fail(&body))
}

fn fail(body: &str) -> Result<Answer> {
    bail!("it cannot start: {body}")
}

fn tell(shared: &Shared, answer: Result<Answer>) -> StatusCode {
    if let Some(sender) = take(&shared.answer) {
        // Whoever measures may have given up.
        let _ = sender.send(answer);
    }
    StatusCode::ACCEPTED
}
