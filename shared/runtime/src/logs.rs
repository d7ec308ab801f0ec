//! Logs: JSON, one line an event, to the standard output that Lambda keeps.

use tracing::Span;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::variables::of_process;

/// Starts the log of this process; `LOG_LEVEL` is a level, or levels of targets (`info,aws_smithy_runtime=debug`).
/// It is `info` unless set.
pub fn init() {
    // `Targets` and not `EnvFilter`, whose regular expressions would be in every function's zip.
    let asked = of_process("LOG_LEVEL").and_then(|text| text.parse().ok());
    let filter = asked.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let json = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_writer(std::io::stdout);
    // A second start in the same process (tests) keeps the first.
    let _ = tracing_subscriber::registry().with(filter).with(json).try_init();
}

/// Around everything that is done for one request: each of its lines has the request id as `span.request_id`.
pub fn request(request_id: &str) -> Span {
    tracing::info_span!("request", request_id)
}
