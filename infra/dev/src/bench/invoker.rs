//! Lambda's Runtime API on a loopback port for one process and many events, one after another.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::runtime_api::event;

/// The API while it listens; it ends with this value.
pub(crate) struct Invoker {
    /// What `AWS_LAMBDA_RUNTIME_API` is set to.
    pub(crate) address: String,
    events: mpsc::Sender<Event>,
    server: JoinHandle<()>,
}

struct Event {
    body: String,
    answer: oneshot::Sender<Result<String>>,
}

struct Shared {
    events: tokio::sync::Mutex<mpsc::Receiver<Event>>,
    answer: Mutex<Option<oneshot::Sender<Result<String>>>>,
}

impl Invoker {
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?.to_string();
        let (events, receiver) = mpsc::channel(1);
        let shared = Shared { events: tokio::sync::Mutex::new(receiver), answer: Mutex::default() };
        let app = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{how}", post(answered))
            .with_state(Arc::new(shared));
        let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
        let server = tokio::spawn(async move { drop(axum::serve(listener, app).await) });
        Ok(Self { address, events, server })
    }

    /// Hands an event out and waits for its answer.
    pub(crate) async fn invoke(&self, event: &Value) -> Result<Value> {
        let (answer, answered) = oneshot::channel();
        self.events.send(Event { body: event.to_string(), answer }).await.ok().context("the API ended")?;
        let body = answered.await.context("no answer")??;
        serde_json::from_str(&body).with_context(|| body.clone())
    }
}

impl Drop for Invoker {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn next(State(shared): State<Arc<Shared>>) -> Response {
    let Some(Event { body, answer }) = shared.events.lock().await.recv().await else {
        return std::future::pending().await;
    };
    *shared.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    event(body)
}

async fn answered(
    State(shared): State<Arc<Shared>>,
    Path((_, how)): Path<(String, String)>,
    body: String,
) -> StatusCode {
    let answer = shared.answer.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(answer) = answer {
        // The receiver may be gone after a timeout.
        let _ = answer.send(if how == "response" { Ok(body) } else { failed(&body) });
    }
    StatusCode::ACCEPTED
}

fn failed(body: &str) -> Result<String> {
    bail!("it failed: {body}")
}
