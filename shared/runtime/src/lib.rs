//! What every function needs around its own work: settings, logs, metrics, AWS clients, the master secret, queues.

pub mod aws;
pub mod batch;
mod emf;
pub mod http;
pub mod logs;
pub mod metrics;
pub mod queue;
pub mod retry;
pub mod secret;
pub mod variables;
