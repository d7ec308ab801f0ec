//! Every line against the rules of the specification, and the rules against lines that break them.

use std::sync::{Arc, Mutex};

use membermail_core::clock::ManualClock;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;

/// What the published JSON schema asks for, and beyond it what the text says that a schema cannot: which rule is broken.
fn broken(line: &str) -> Option<&'static str> {
    let Ok(Value::Object(root)) = serde_json::from_str::<Value>(line) else { return Some("one JSON object") };
    if line.len() > 1024 * 1024 || line.contains('\n') {
        return Some("one line of at most 1 MB");
    }
    let Some(Value::Object(aws)) = root.get("_aws") else { return Some("_aws is an object") };
    if !aws.get("Timestamp").is_some_and(Value::is_u64) {
        return Some("Timestamp is an integer");
    }
    let Some(Value::Array(directives)) = aws.get("CloudWatchMetrics") else {
        return Some("CloudWatchMetrics is an array");
    };
    directives.iter().find_map(|directive| broken_directive(&root, directive))
}

fn broken_directive(root: &serde_json::Map<String, Value>, directive: &Value) -> Option<&'static str> {
    let text =
        |value: &Value, most: usize| value.as_str().is_some_and(|text| (1..=most).contains(&text.chars().count()));
    if !text(&directive["Namespace"], 1024) {
        return Some("Namespace has 1 to 1024 characters");
    }
    let Some(sets) = directive["Dimensions"].as_array().filter(|sets| !sets.is_empty()) else {
        return Some("Dimensions has a set");
    };
    for set in sets {
        let Some(names) = set.as_array().filter(|names| names.len() <= 30) else {
            return Some("a dimension set has at most 30 names");
        };
        for name in names {
            if !text(name, 250) {
                return Some("a dimension's name has 1 to 250 characters");
            }
            // Target members: a dimension's value is a string of 1 to 1024 characters.
            if !name.as_str().and_then(|name| root.get(name)).is_some_and(|value| text(value, 1024)) {
                return Some("a dimension has a value");
            }
        }
    }
    let Some(metrics) = directive["Metrics"].as_array().filter(|metrics| metrics.len() <= 100) else {
        return Some("at most 100 metrics");
    };
    for metric in metrics {
        if !text(&metric["Name"], 1024) {
            return Some("a metric's name has 1 to 1024 characters");
        }
        const UNITS: [&str; 5] = ["Seconds", "Milliseconds", "Count", "Bytes", "None"];
        if !metric["Unit"].as_str().is_none_or(|unit| UNITS.contains(&unit)) {
            return Some("a unit that CloudWatch knows");
        }
        // Target members: a metric's value is a number, or an array of at most 100.
        let is_value = |value: &Value| match value {
            Value::Array(all) => all.len() <= 100 && all.iter().all(Value::is_number),
            one => one.is_number(),
        };
        if !metric["Name"].as_str().and_then(|name| root.get(name)).is_some_and(is_value) {
            return Some("a metric has a value");
        }
    }
    None
}

fn line(measure: &Measure<'_>) -> String {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let clock = ManualClock::at("2026-11-24T10:00:00.5Z".parse().unwrap());
    Metrics::to(clock, move |line| sink.lock().unwrap().push(line.to_owned())).record(measure);
    let lines = lines.lock().unwrap();
    assert_eq!(lines.len(), 1);
    lines[0].clone()
}

fn domain() -> DomainName {
    "ubuntu.com".parse().unwrap()
}

#[rstest]
#[case::sign_in(Measure::SignIn { outcome: "signed-in" }, &["Outcome"], &["SignIns"])]
#[case::verification(Measure::Verification { outcome: "no-team" }, &["Outcome"], &["Verifications"])]
#[case::mail(Measure::Mail { outcome: "sent" }, &["Outcome"], &["Mails"])]
#[case::launchpad(
    Measure::Launchpad { took: Duration::from_millis(120), failed: true }, &[], &["LaunchpadLatency", "LaunchpadErrors"]
)]
#[case::sync(
    Measure::Sync { domain: &domain(), active: 1000, given: 3, taken: 1 },
    &["Domain"], &["SyncsFinished", "PlanActive", "PlanGiven", "PlanTaken"]
)]
#[case::no_syncs(Measure::DomainsWithoutSync(2), &[], &["DomainsWithoutSync"])]
#[case::message(
    Measure::Message { function: "notify", age: Some(Duration::from_secs(90)), failed: false },
    &["Function"], &["QueueAge", "MessagesFailed"]
)]
#[case::message_of_unknown_age(
    Measure::Message { function: "notify", age: None, failed: true }, &["Function"], &["MessagesFailed"]
)]
fn every_line_keeps_the_rules(#[case] measure: Measure<'_>, #[case] dimensions: &[&str], #[case] names: &[&str]) {
    let line = line(&measure);
    assert_eq!(broken(&line), None, "{line}");
    let document: Value = serde_json::from_str(&line).unwrap();
    let directive = &document["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(directive["Namespace"], "Membermail");
    assert_eq!(directive["Dimensions"], json!([dimensions]));
    let found: Vec<_> = directive["Metrics"].as_array().unwrap().iter().map(|metric| &metric["Name"]).collect();
    assert_eq!(found, names);
}

#[test]
fn a_line_as_it_stands_in_the_log() {
    let measure = Measure::Message { function: "notify", age: Some(Duration::from_millis(1500)), failed: false };
    assert_eq!(
        line(&measure),
        r#"{"_aws":{"Timestamp":1795514400500,"CloudWatchMetrics":[{"Namespace":"Membermail","Dimensions":[["Function"]],"#
            .to_owned()
            + r#""Metrics":[{"Name":"QueueAge","Unit":"Seconds"},{"Name":"MessagesFailed","Unit":"Count"}]}]},"#
            + r#""Function":"notify","QueueAge":1.5,"MessagesFailed":0.0}"#
    );
}

#[rstest]
#[case("[]", "one JSON object")]
#[case(r#"{"A":1}"#, "_aws is an object")]
#[case(r#"{"_aws":{"Timestamp":"now","CloudWatchMetrics":[]}}"#, "Timestamp is an integer")]
#[case(r#"{"_aws":{"Timestamp":1,"CloudWatchMetrics":{}}}"#, "CloudWatchMetrics is an array")]
#[case(&with(r#""Namespace":"","Dimensions":[[]],"Metrics":[]"#, ""), "Namespace has 1 to 1024 characters")]
#[case(&with(r#""Namespace":"M","Dimensions":[],"Metrics":[]"#, ""), "Dimensions has a set")]
#[case(&with(r#""Namespace":"M","Dimensions":[["D"]],"Metrics":[]"#, ""), "a dimension has a value")]
#[case(&with(r#""Namespace":"M","Dimensions":[["D"]],"Metrics":[]"#, r#","D":1"#), "a dimension has a value")]
#[case(&with(r#""Namespace":"M","Dimensions":[["D"]],"Metrics":[]"#, r#","D":"""#), "a dimension has a value")]
#[case(&with(r#""Namespace":"M","Dimensions":[[]],"Metrics":[{"Name":"N"}]"#, ""), "a metric has a value")]
#[case(&with(r#""Namespace":"M","Dimensions":[[]],"Metrics":[{"Name":"N"}]"#, r#","N":"1""#), "a metric has a value")]
#[case(
    &with(r#""Namespace":"M","Dimensions":[[]],"Metrics":[{"Name":"N","Unit":"Hours"}]"#, r#","N":1"#),
    "a unit that CloudWatch knows"
)]
fn the_rules_are_seen_to_be_broken(#[case] line: &str, #[case] rule: &str) {
    assert_eq!(broken(line), Some(rule));
}

fn with(directive: &str, members: &str) -> String {
    format!(r#"{{"_aws":{{"Timestamp":1,"CloudWatchMetrics":[{{{directive}}}]}}{members}}}"#)
}
