//! Metrics in CloudWatch's embedded metric format: a line of JSON on the log, out of which CloudWatch makes metrics. It
//! costs no request, so nobody waits for it and nothing of it can fail.
//!
//! From the specification, "Embedded metric format document structure": the root node must hold `_aws`, with `Timestamp`
//! in milliseconds since 1970 and `CloudWatchMetrics`, an array of directives. A directive has a `Namespace`,
//! `Dimensions` and `Metrics`. `Dimensions` is an array of dimension sets, each an array of at most 30 names of members of
//! the root node whose values are strings; an empty set makes a metric without dimensions. `Metrics` is an array of at
//! most 100 definitions, each with a `Name`, which a member of the root node with a number has too, and a `Unit`.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
//!
//! The crates that write this (`metrics_cloudwatch_embedded`, `metrique-writer-format-emf`) bring a registry that gathers
//! what many threads count between two flushes. A function handles one event at a time and writes a handful of lines, so
//! the page of the specification is all that is needed, and no zip grows by a registry.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// The unit of a metric, of those that CloudWatch knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Unit {
    Count,
    Milliseconds,
    Seconds,
}

/// One metric with its value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    pub(crate) value: f64,
}

/// One line: metrics that share their time and their dimensions.
pub(crate) struct Document<'a> {
    pub(crate) namespace: &'static str,
    /// In milliseconds since 1970.
    pub(crate) timestamp: i64,
    /// Name and value of at most one: what a metric costs is counted by the values of its dimensions.
    pub(crate) dimension: Option<(&'static str, &'a str)>,
    pub(crate) metrics: &'a [Metric],
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names = self.dimension.map(|(name, _)| name);
        let definitions =
            self.metrics.iter().map(|metric| Definition { name: metric.name, unit: metric.unit }).collect();
        let directive =
            Directive { namespace: self.namespace, dimensions: [names.into_iter().collect()], metrics: definitions };
        let mut root = serializer.serialize_map(None)?;
        root.serialize_entry("_aws", &Metadata { timestamp: self.timestamp, metrics: [directive] })?;
        if let Some((name, value)) = self.dimension {
            root.serialize_entry(name, value)?;
        }
        for metric in self.metrics {
            root.serialize_entry(metric.name, &metric.value)?;
        }
        root.end()
    }
}

#[derive(Serialize)]
struct Metadata {
    #[serde(rename = "Timestamp")]
    timestamp: i64,
    #[serde(rename = "CloudWatchMetrics")]
    metrics: [Directive; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive {
    namespace: &'static str,
    dimensions: [Vec<&'static str>; 1],
    metrics: Vec<Definition>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    name: &'static str,
    unit: Unit,
}
