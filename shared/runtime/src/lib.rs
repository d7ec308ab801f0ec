//! Shared by all functions: environment, logs, metrics, AWS clients, master secret, queues.

pub mod aws;
pub mod batch;
pub mod build_profile;
pub mod checks;
mod emf;
pub mod environment;
pub mod http;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod logs;
pub mod metrics;
#[cfg(test)]
mod planted_tests;
pub mod queue;
mod receive;
pub mod retry;
pub mod rotating_secret;
pub mod secret;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod variables;
