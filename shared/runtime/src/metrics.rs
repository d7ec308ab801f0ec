//! What is measured: each metric of the service, once. `docs/observation.md` says what each is good for.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use membermail_core::address::DomainName;
use membermail_core::clock::{Clock, SystemClock};

use crate::emf::{Document, Metric, Unit};

/// All our metrics are in this one.
pub const NAMESPACE: &str = "Membermail";

/// Something that happened, with its figures. A word is one of a few that stand in the source, and a domain one of the
/// community's: no metric is made for a member or an address.
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
    },
    /// A mail was handed to the mail server.
    Mail {
        /// What it said.
        outcome: &'static str,
    },
}

impl Measure<'_> {
    fn dimension(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::SignIn { outcome } | Self::Verification { outcome } | Self::Mail { outcome } => {
                Some(("Outcome", outcome))
            }
            Self::Sync { domain, .. } => Some(("Domain", domain.as_str())),
            Self::Message { function, .. } => Some(("Function", function)),
            Self::Launchpad { .. } | Self::DomainsWithoutSync(_) => None,
        }
    }

    fn metrics(&self) -> Vec<Metric> {
        match *self {
            Self::SignIn { .. } => vec![count("SignIns", 1)],
            Self::Verification { .. } => vec![count("Verifications", 1)],
            Self::Mail { .. } => vec![count("Mails", 1)],
            Self::Launchpad { took, failed } => {
                let value = took.as_secs_f64() * 1000.0;
                let latency = Metric { name: "LaunchpadLatency", unit: Unit::Milliseconds, value };
                vec![latency, count("LaunchpadErrors", failed.into())]
            }
            Self::Sync { active, given, taken, .. } => vec![
                count("SyncsFinished", 1),
                count("PlanActive", active),
                count("PlanGiven", given),
                count("PlanTaken", taken),
            ],
            Self::DomainsWithoutSync(domains) => vec![count("DomainsWithoutSync", domains)],
            Self::Message { age, failed, .. } => {
                let age = age.map(|age| Metric { name: "QueueAge", unit: Unit::Seconds, value: age.as_secs_f64() });
                age.into_iter().chain([count("MessagesFailed", failed.into())]).collect()
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "nothing that is counted here comes near 2^53")]
fn count(name: &'static str, number: u64) -> Metric {
    Metric { name, unit: Unit::Count, value: number as f64 }
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
            dimension: measure.dimension(),
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
