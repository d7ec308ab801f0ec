//! What is measured: each measure of the service, once. Only what an alarm looks at is a metric of CloudWatch, which costs;
//! everything else is a line on the log for queries. `docs/observation.md` says what each is good for.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use membermail_core::address::DomainName;
use membermail_core::clock::{Clock, SystemClock};

use crate::emf::{Document, Metric, Property};

/// All our metrics are in this one.
pub const NAMESPACE: &str = "Membermail";

/// Something that happened, with its figures. A word is one of a few that stand in the source, and a domain one of the
/// community's: no line names a member or an address.
#[derive(Clone, Copy, Debug)]
pub enum Measure<'a> {
    /// A browser came back from the sign-in provider.
    SignIn {
        /// What came of it.
        outcome: &'static str,
    },
    /// A member was looked up.
    Verification {
        /// What came of it.
        outcome: &'static str,
    },
    /// One request to Launchpad.
    Launchpad {
        /// Until its answer was read, or given up.
        took: Duration,
        /// Whether there was no answer that can be used.
        failed: bool,
    },
    /// A sync came to its end: the team was read and a plan was made.
    Sync {
        /// Of which domain.
        domain: &'a DomainName,
        /// Aliases that were active before.
        active: u64,
        /// Addresses that the plan makes or makes active again.
        given: u64,
        /// Active ones that it takes.
        taken: u64,
    },
    /// How many domains had no sync that came to its end for two periods.
    DomainsWithoutSync(u64),
    /// A message of a queue was handled, or it failed.
    Message {
        /// By which function.
        function: &'static str,
        /// How long ago it was sent; with the pauses between tries, and with a pause that it was sent with.
        age: Option<Duration>,
        /// Whether it goes back to its queue.
        failed: bool,
        /// Whether it was tried before.
        is_repeated: bool,
    },
    /// A mail was handed to the mail server.
    Mail {
        /// What it said.
        outcome: &'static str,
    },
}

impl<'a> Measure<'a> {
    /// What the line holds for queries.
    fn properties(&self) -> Vec<(&'static str, Property<'a>)> {
        match *self {
            Self::SignIn { outcome } => vec![("SignIns", count(1)), ("Outcome", Property::Text(outcome))],
            Self::Verification { outcome } => vec![("Verifications", count(1)), ("Outcome", Property::Text(outcome))],
            Self::Mail { outcome } => vec![("Mails", count(1)), ("Outcome", Property::Text(outcome))],
            Self::Launchpad { took, failed } => {
                let latency = Property::Number(took.as_secs_f64() * 1000.0);
                vec![("LaunchpadLatency", latency), ("LaunchpadErrors", count(failed.into()))]
            }
            Self::Sync { domain, active, given, taken } => vec![
                ("Domain", Property::Text(domain.as_str())),
                ("SyncsFinished", count(1)),
                ("PlanActive", count(active)),
                ("PlanGiven", count(given)),
                ("PlanTaken", count(taken)),
            ],
            Self::DomainsWithoutSync(_) => Vec::new(),
            Self::Message { function, age, failed, .. } => {
                let age = age.map(|age| ("QueueAge", Property::Number(age.as_secs_f64())));
                let function = [("Function", Property::Text(function))];
                function.into_iter().chain(age).chain([("MessagesFailed", count(failed.into()))]).collect()
            }
        }
    }

    /// What an alarm looks at. A metric costs by the hour in which it has a value, so that a failure is recorded where it
    /// occurs, and that nothing failed is not recorded.
    fn metrics(&self) -> Vec<Metric> {
        let metric = |name, value| vec![Metric { name, value }];
        match *self {
            Self::DomainsWithoutSync(domains) => metric("DomainsWithoutSync", float(domains)),
            // A first failure is often over by the second try.
            Self::Message { failed: true, is_repeated: true, .. } => metric("MessagesFailedAgain", 1.0),
            // The average is the ratio. That a mailbox does not exist is its owner's business.
            Self::Mail { outcome: "no-mailbox" } => Vec::new(),
            Self::Mail { outcome } => metric("MailsFailed", float((outcome != "sent").into())),
            Self::SignIn { .. }
            | Self::Verification { .. }
            | Self::Launchpad { .. }
            | Self::Sync { .. }
            | Self::Message { .. } => Vec::new(),
        }
    }
}

fn count(number: u64) -> Property<'static> {
    Property::Number(float(number))
}

#[expect(clippy::cast_precision_loss, reason = "nothing that is counted here comes near 2^53")]
fn float(number: u64) -> f64 {
    number as f64
}

/// Where measures go.
#[derive(Clone)]
pub struct Metrics {
    clock: Arc<dyn Clock>,
    sink: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Metrics {
    /// To the log, which is the standard output. CloudWatch reads them there.
    pub fn to_log() -> Self {
        Self::to(SystemClock, |line| {
            // One write, so that no other line comes between. Where it fails, there is nobody left to tell.
            let _ = std::io::stdout().lock().write_all(format!("{line}\n").as_bytes());
        })
    }

    /// To whoever reads the lines.
    pub fn to(clock: impl Clock + 'static, sink: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { clock: Arc::new(clock), sink: Arc::new(sink) }
    }

    /// Writes one line.
    pub fn record(&self, measure: &Measure<'_>) {
        let document = Document {
            namespace: NAMESPACE,
            timestamp: self.clock.now().as_millisecond(),
            properties: &measure.properties(),
            metrics: &measure.metrics(),
        };
        // Strings and numbers: there is nothing in it that JSON cannot hold.
        if let Ok(line) = serde_json::to_string(&document) {
            (self.sink)(&line);
        }
    }
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
