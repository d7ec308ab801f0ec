//! All metrics of the service. Only those with an alarm are CloudWatch metrics, which cost money; all others are log lines
//! for queries. `docs/observation.md` explains each one.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use membermail_core::address::DomainName;
use membermail_core::clock::{Clock, SystemClock};

use crate::emf::{Document, Metric, Property};

/// An event with its figures. Outcomes are fixed words from the source, and domains are the community's: no line contains a
/// member or an address.
#[derive(Clone, Copy, Debug)]
pub enum Measure<'a> {
    /// A callback from the sign-in provider.
    SignIn {
        /// `signed-in`, or the reason of the failure.
        outcome: &'static str,
    },
    /// A check of a member.
    Verification {
        /// The outcome of the check.
        outcome: &'static str,
    },
    /// One request to the membership source.
    Source {
        /// Time until the response was read or the request failed.
        duration: Duration,
        /// Whether there was no usable response.
        failed: bool,
    },
    /// A finished sync: the team was read and a plan was made.
    Sync {
        /// The synced domain.
        domain: &'a DomainName,
        /// Active aliases before the plan.
        active: u64,
        /// Aliases that the plan creates, renames or restores.
        grants: u64,
        /// Active aliases that the plan removes.
        removals: u64,
    },
    /// The number of domains without a finished sync for two periods; recorded only if there are some.
    DomainsWithoutSync(u64),
    /// An attempt to process a message.
    Message {
        /// The function that processed it.
        function: &'static str,
        /// Time since it was sent, with all delays and retries.
        age: Option<Duration>,
        /// Whether the attempt failed, so that the message returns to its queue.
        failed: bool,
        /// Whether there were earlier attempts.
        is_repeated: bool,
    },
    /// A mail that was submitted to the mail server.
    Mail {
        /// `sent`, or how the mail server refused it.
        outcome: &'static str,
    },
}

impl<'a> Measure<'a> {
    /// The figures for log queries.
    fn properties(&self) -> Vec<(&'static str, Property<'a>)> {
        match *self {
            Self::SignIn { outcome } => vec![("SignIns", count(1)), ("Outcome", Property::Text(outcome))],
            Self::Verification { outcome } => vec![("Verifications", count(1)), ("Outcome", Property::Text(outcome))],
            Self::Mail { outcome } => vec![("Mails", count(1)), ("Outcome", Property::Text(outcome))],
            Self::Source { duration, failed } => {
                let latency = Property::Number(duration.as_secs_f64() * 1000.0);
                vec![("SourceLatency", latency), ("SourceErrors", count(failed.into()))]
            }
            Self::Sync { domain, active, grants, removals } => vec![
                ("Domain", Property::Text(domain.as_str())),
                ("SyncsFinished", count(1)),
                ("PlanActive", count(active)),
                ("PlanCreations", count(grants)),
                ("PlanRemovals", count(removals)),
            ],
            Self::DomainsWithoutSync(_) => Vec::new(),
            Self::Message { function, age, failed, .. } => {
                let age = age.map(|age| ("QueueAge", Property::Number(age.as_secs_f64())));
                let function = [("Function", Property::Text(function))];
                function.into_iter().chain(age).chain([("MessagesFailed", count(failed.into()))]).collect()
            }
        }
    }

    /// The metric of an alarm. CloudWatch bills a metric for each hour in which it has a value, so only failures are recorded,
    /// not their absence.
    fn metric(&self) -> Option<Metric> {
        let (name, value) = match *self {
            Self::DomainsWithoutSync(domains) => ("DomainsWithoutSync", float(domains)),
            // The second attempt often succeeds, so a first failure is no reason for an alarm.
            Self::Message { failed: true, is_repeated: true, .. } => ("MessagesFailedAgain", 1.0),
            // The average of this metric is the failure rate. An unknown mailbox is a problem of its owner, not of ours.
            Self::Mail { outcome: "no-mailbox" } => return None,
            // The mail server rejects all mail, so a ratio would only delay the alarm.
            Self::Mail { outcome: "not-allowed" } => ("MailsNotAuthorized", 1.0),
            Self::Mail { outcome } => ("MailsFailed", float((outcome != "sent").into())),
            Self::SignIn { .. }
            | Self::Verification { .. }
            | Self::Source { .. }
            | Self::Sync { .. }
            | Self::Message { .. } => return None,
        };
        Some(Metric { name, value })
    }
}

fn count(number: u64) -> Property<'static> {
    Property::Number(float(number))
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn float(number: u64) -> f64 {
    number as f64
}

/// Records metrics.
#[derive(Clone)]
pub struct Metrics {
    /// The CloudWatch namespace: the stack's name, so that the alarms of one stack see no other stack of the account.
    namespace: Arc<str>,
    clock: Arc<dyn Clock>,
    sink: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Metrics {
    /// Writes to standard output, which is the log.
    pub fn to_log(namespace: &str) -> Self {
        Self::to_sink(namespace, SystemClock, |line| {
            // A single write, so that lines do not interleave. A failure cannot be reported anywhere.
            let _ = std::io::stdout().lock().write_all(format!("{line}\n").as_bytes());
        })
    }

    /// Passes each line to `sink`.
    pub fn to_sink(namespace: &str, clock: impl Clock + 'static, sink: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { namespace: namespace.into(), clock: Arc::new(clock), sink: Arc::new(sink) }
    }

    /// Writes one line.
    pub fn record(&self, measure: &Measure<'_>) {
        let document = Document {
            namespace: &self.namespace,
            timestamp: self.clock.now().as_millisecond(),
            properties: &measure.properties(),
            metric: measure.metric(),
        };
        // Serialization cannot fail: all values are strings and numbers.
        if let Ok(line) = serde_json::to_string(&document) {
            (self.sink)(&line);
        }
    }
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
