//! What every function needs around its own work: settings, logs, AWS clients, the master secret, queues.

pub mod aws;
pub mod batch;
pub mod http;
pub mod logs;
pub mod queue;
pub mod retry;
pub mod secret;
pub mod variables;
