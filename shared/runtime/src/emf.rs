//! Measures as lines of JSON on the log. A line with `_aws` is in CloudWatch's embedded metric format, out of which
//! CloudWatch makes metrics; a line without costs nothing but its bytes, and is for queries. Neither costs a request, so
//! no function waits for one and none can fail.
//!
//! From the specification, "Embedded metric format document structure": the root node must hold `_aws`, with `Timestamp`
//! in milliseconds since 1970 and `CloudWatchMetrics`, an array of directives. A directive has a `Namespace`,
//! `Dimensions` and `Metrics`. `Dimensions` is an array of dimension sets; an empty set makes a metric without dimensions.
//! `Metrics` is an array of at most 100 definitions, each with a `Name`, which a member of the root node with a number has
//! too, and a `Unit`. Other members of the root node are properties, which only queries see.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
//!
//! The crates that write this (`metrics_cloudwatch_embedded`, `metrique-writer-format-emf`) bring a registry that gathers
//! what many threads count between two flushes. A function handles one event at a time and writes a handful of lines, so
//! the page of the specification is all that is needed, and no zip grows by a registry.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// A member of the line that is no metric.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Property<'a> {
    Text(&'a str),
    Number(f64),
}

/// A count without a dimension: each value of a dimension would be a metric that costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) value: f64,
}

/// One line.
pub(crate) struct Document<'a> {
    pub(crate) namespace: &'static str,
    /// In milliseconds since 1970.
    pub(crate) timestamp: i64,
    pub(crate) properties: &'a [(&'static str, Property<'a>)],
    pub(crate) metrics: &'a [Metric],
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut root = serializer.serialize_map(None)?;
        if !self.metrics.is_empty() {
            let metrics = self.metrics.iter().map(|metric| Definition { name: metric.name, unit: "Count" }).collect();
            let directive = Directive { namespace: self.namespace, dimensions: [[]], metrics };
            root.serialize_entry("_aws", &Metadata { timestamp: self.timestamp, metrics: [directive] })?;
        }
        for (name, value) in self.properties {
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
    dimensions: [[&'static str; 0]; 1],
    metrics: Vec<Definition>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    name: &'static str,
    unit: &'static str,
}
