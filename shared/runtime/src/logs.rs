//! Logs: JSON, one line an event, to the standard output that Lambda keeps.

use tracing_subscriber::EnvFilter;

/// Starts the log of this process; `LOG_LEVEL` is a filter of `tracing` (`info` unless set).
pub fn init() {
    let filter = EnvFilter::try_from_env("LOG_LEVEL").unwrap_or_else(|_| EnvFilter::new("info"));
    // A second start in the same process (tests) keeps the first.
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_env_filter(filter)
        .with_writer(std::io::stdout)
        .try_init();
}
