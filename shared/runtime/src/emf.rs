//! Metrics as JSON lines in the log. A line with `_aws` is in CloudWatch's embedded metric format, from which CloudWatch
//! extracts metrics; a line without it only serves log queries. Neither needs a request, so recording a metric cannot block
//! or fail.
//!
//! From the specification, "Embedded metric format document structure": the root node must hold `_aws`, with `Timestamp`
//! in milliseconds since 1970 and `CloudWatchMetrics`, an array of directives. A directive has a `Namespace`,
//! `Dimensions` and `Metrics`. `Dimensions` is an array of dimension sets; an empty set makes a metric without dimensions.
//! `Metrics` is an array of at most 100 definitions, each with a `Unit` and a `Name`; the root node has a numeric member of
//! that name. Other members of the root node are properties, which only log queries see.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
//!
//! The crates for this format (`metrics_cloudwatch_embedded`, `metrique-writer-format-emf`) bring a registry that aggregates
//! the counts of many threads between two flushes. A function handles one event at a time and writes a few lines, so it
//! does not need one.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// The value of a property.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Property<'a> {
    Text(&'a str),
    Number(f64),
}

/// A count. It has no dimension, because CloudWatch bills each value of a dimension as a metric of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) value: f64,
}

/// One line of the log.
pub(crate) struct Document<'a> {
    pub(crate) namespace: &'a str,
    /// Milliseconds since the Unix epoch.
    pub(crate) timestamp: i64,
    pub(crate) properties: &'a [(&'static str, Property<'a>)],
    pub(crate) metric: Option<Metric>,
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut root = serializer.serialize_map(None)?;
        if let Some(Metric { name, .. }) = self.metric {
            let metrics = [Definition { name, unit: "Count" }];
            let directive = Directive { namespace: self.namespace, dimensions: [[]], metrics };
            root.serialize_entry("_aws", &Metadata { timestamp: self.timestamp, metrics: [directive] })?;
        }
        for (name, value) in self.properties {
            root.serialize_entry(name, value)?;
        }
        if let Some(Metric { name, value }) = self.metric {
            root.serialize_entry(name, &value)?;
        }
        root.end()
    }
}

#[derive(Serialize)]
struct Metadata<'a> {
    #[serde(rename = "Timestamp")]
    timestamp: i64,
    #[serde(rename = "CloudWatchMetrics")]
    metrics: [Directive<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive<'a> {
    namespace: &'a str,
    dimensions: [[&'static str; 0]; 1],
    metrics: [Definition; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    name: &'static str,
    unit: &'static str,
}
