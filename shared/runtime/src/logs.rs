//! Structured logs: one JSON line per event on standard output, where Lambda collects them.

use std::panic::{self, PanicHookInfo};

use tracing::level_filters::LevelFilter;
use tracing::{Span, Subscriber, error};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::build_profile;
use crate::variables::process_variable;

/// Initializes the log of this process, also for panics, and marks its build profile. `LOG_LEVEL` (default `info`) is a
/// level, or a list of levels per target (`info,aws_smithy_runtime=debug`).
pub fn init() {
    build_profile::embed();
    init_with(Targets::new().with_default(LevelFilter::INFO));
    panic::set_hook(Box::new(log_panic));
}

/// Only the place: the message of a panic can contain personal data, and what `expect` prints of a remote response.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let at = panic.location().map(ToString::to_string);
    error!(at, "panicked");
}

/// Initializes the log of a program that runs for one task: only warnings of the libraries, such as the AWS SDK.
pub fn init_own(target: &'static str) {
    init_with(Targets::new().with_default(LevelFilter::WARN).with_target(target, LevelFilter::INFO));
}

fn init_with(default: Targets) {
    // `EnvFilter` would add a regular-expression engine to every function's zip.
    let configured = process_variable("LOG_LEVEL").and_then(|text| text.parse().ok());
    let filter = configured.unwrap_or(default);
    // Fails if a test of the same process has initialized it before.
    let _ = subscriber(filter, std::io::stdout).try_init();
}

/// Writes the events that pass the filter.
pub(crate) fn subscriber<W>(filter: Targets, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    // Traces of the SDK contain whole responses, and so secrets and personal data.
    let no_sdk_traces = Targets::new().with_default(LevelFilter::TRACE).with_target("aws_", LevelFilter::DEBUG);
    let json = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_writer(writer);
    tracing_subscriber::registry().with(filter).with(no_sdk_traces).with(json)
}

/// The span of one request; each log line in it has the request id as `span.request_id`.
pub fn request_span(request_id: &str) -> Span {
    tracing::info_span!("request", request_id)
}
