//! An in-memory queue with long polling.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

/// A message with its send time.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) body: String,
    sent: Instant,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Message>,
    /// Seconds from sending to completion of each handled message.
    waits: Vec<f64>,
}

/// The queue.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    arrived: Notify,
    handled: Notify,
}

impl Queue {
    pub(super) fn send(&self, body: String) {
        self.send_all([body]);
    }

    pub(super) fn send_all(&self, bodies: impl IntoIterator<Item = String>) {
        let sent = Instant::now();
        self.state().waiting.extend(bodies.into_iter().map(|body| Message { body, sent }));
        self.arrived.notify_one();
    }

    /// Waits for messages and receives at most `limit`.
    pub(super) async fn receive(&self, limit: usize) -> Vec<Message> {
        loop {
            let (messages, has_more) = {
                let mut state = self.state();
                let count = limit.min(state.waiting.len());
                (state.waiting.drain(..count).collect::<Vec<_>>(), !state.waiting.is_empty())
            };
            if has_more {
                self.arrived.notify_one();
            }
            if !messages.is_empty() {
                return messages;
            }
            self.arrived.notified().await;
        }
    }

    pub(super) fn mark_handled(&self, messages: &[Message]) {
        self.state().waits.extend(messages.iter().map(|message| message.sent.elapsed().as_secs_f64()));
        self.handled.notify_one();
    }

    /// Waits until this many messages are handled. For a single caller.
    pub(super) async fn wait_for_handled(&self, messages: usize) {
        while self.state().waits.len() < messages {
            self.handled.notified().await;
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    pub(super) fn waits(&self) -> Vec<f64> {
        self.state().waits.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
