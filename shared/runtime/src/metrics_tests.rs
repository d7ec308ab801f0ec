//! Checks every line against the rules of the specification, and the checks against lines that break a rule.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use membermail_core::clock::ManualClock;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;

/// The rule that a line breaks: of the published JSON schema, or of the text where a schema cannot express it.
fn broken_rule(line: &str) -> Option<&'static str> {
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
    directives.iter().find_map(|directive| broken_directive_rule(&root, directive))
}

fn broken_directive_rule(root: &serde_json::Map<String, Value>, directive: &Value) -> Option<&'static str> {
    if !is_text(&directive["Namespace"], 1024) {
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
            if !is_text(name, 250) {
                return Some("a dimension's name has 1 to 250 characters");
            }
            // Target members: a dimension's value is a string of 1 to 1024 characters.
            if !name.as_str().and_then(|name| root.get(name)).is_some_and(|value| is_text(value, 1024)) {
                return Some("a dimension has a value");
            }
        }
    }
    let Some(metrics) = directive["Metrics"].as_array().filter(|metrics| metrics.len() <= 100) else {
        return Some("at most 100 metrics");
    };
    for metric in metrics {
        if !is_text(&metric["Name"], 1024) {
            return Some("a metric's name has 1 to 1024 characters");
        }
        const UNITS: [&str; 5] = ["Seconds", "Milliseconds", "Count", "Bytes", "None"];
        if !metric["Unit"].as_str().is_none_or(|unit| UNITS.contains(&unit)) {
            return Some("a unit that CloudWatch knows");
        }
        if !metric["Name"].as_str().and_then(|name| root.get(name)).is_some_and(is_metric_value) {
            return Some("a metric has a value");
        }
    }
    None
}

/// Target members: a metric's value is a number, or an array of at most 100.
fn is_metric_value(value: &Value) -> bool {
    match value {
        Value::Array(values) => values.len() <= 100 && values.iter().all(Value::is_number),
        value => value.is_number(),
    }
}

/// Whether the value is a string of 1 to `most` characters.
fn is_text(value: &Value, most: usize) -> bool {
    value.as_str().is_some_and(|text| (1..=most).contains(&text.chars().count()))
}

fn line(measure: &Measure<'_>) -> String {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let clock = ManualClock::at("2026-11-24T10:00:00.5Z".parse().unwrap());
    Metrics::to_sink("membermail-staging", clock, move |line| sink.lock().unwrap().push(line.to_owned()))
        .record(measure);
    let lines = lines.lock().unwrap();
    assert_eq!(lines.len(), 1);
    lines[0].clone()
}

fn domain() -> DomainName {
    "ubuntu.com".parse().unwrap()
}

fn message(failed: bool, is_repeated: bool) -> Measure<'static> {
    Measure::Message { function: "notify", age: Some(Duration::from_millis(1500)), failed, is_repeated }
}

/// A metric costs up to $0.30 a month without a dimension, and that much per value with one.
#[rstest]
#[case::no_syncs(Measure::DomainsWithoutSync(2), "DomainsWithoutSync", 2.0)]
#[case::failed_again(message(true, true), "MessagesFailedAgain", 1.0)]
#[case::mail(Measure::Mail { outcome: "sent" }, "MailsFailed", 0.0)]
#[case::mail_later(Measure::Mail { outcome: "later" }, "MailsFailed", 1.0)]
#[case::mail_not_allowed(Measure::Mail { outcome: "not-allowed" }, "MailsNotAuthorized", 1.0)]
#[case::mail_refused(Measure::Mail { outcome: "refused" }, "MailsFailed", 1.0)]
fn metric_has_no_dimension(#[case] measure: Measure<'_>, #[case] name: &str, #[case] value: f64) {
    let line = line(&measure);
    assert_eq!(broken_rule(&line), None, "{line}");
    let document: Value = serde_json::from_str(&line).unwrap();
    let directive = &document["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(directive["Namespace"], "membermail-staging");
    assert_eq!(directive["Dimensions"], json!([[]]));
    assert_eq!(directive["Metrics"], json!([{ "Name": name, "Unit": "Count" }]));
    assert_eq!(document[name], value);
}

/// The metrics of the stack in `template.yaml`'s alarms, which must have no dimension.
fn watched_metrics() -> BTreeSet<String> {
    let template = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml")).unwrap();
    let (_, alarms) = template.split_once("\n  VerifyDeadLettersAlarm:\n").unwrap();
    let mut own = alarms.split("Namespace: !Ref AWS::StackName").skip(1).map(|metric| {
        let metric = metric.split("Namespace: ").next().unwrap().lines().take(3).collect::<Vec<_>>().join("\n");
        assert!(!metric.contains("Dimensions"), "{metric}");
        let (_, name) = metric.split_once("MetricName: ").unwrap();
        name.chars().take_while(char::is_ascii_alphanumeric).collect()
    });
    own.by_ref().collect()
}

/// An alarm on any other metric would stay silent, and any other metric would cost without use.
#[test]
fn alarms_watch_the_recorded_metrics() {
    let domain = domain();
    let outcomes = ["sent", "later", "not-allowed", "refused", "no-mailbox"];
    let measures = [
        Measure::SignIn { outcome: "signed-in" },
        Measure::Verification { outcome: "no-team" },
        Measure::Source { duration: Duration::from_millis(120), failed: true },
        Measure::Sync { domain: &domain, active: 1000, grants: 3, removals: 1 },
        Measure::DomainsWithoutSync(1),
        message(false, false),
        message(true, false),
        message(true, true),
    ];
    let measures = measures.into_iter().chain(outcomes.map(|outcome| Measure::Mail { outcome }));
    let recorded: BTreeSet<_> = measures.filter_map(|measure| Some(measure.metric()?.name.to_owned())).collect();
    assert_eq!(watched_metrics(), recorded);
}

#[rstest]
#[case::sign_in(Measure::SignIn { outcome: "signed-in" }, json!({ "SignIns": 1.0, "Outcome": "signed-in" }))]
#[case::verification(
    Measure::Verification { outcome: "no-team" }, json!({ "Verifications": 1.0, "Outcome": "no-team" })
)]
#[case::launchpad(
    Measure::Source { duration: Duration::from_millis(120), failed: true },
    json!({ "SourceLatency": 120.0, "SourceErrors": 1.0 })
)]
#[case::sync(
    Measure::Sync { domain: &domain(), active: 1000, grants: 3, removals: 1 },
    json!({
        "Domain": "ubuntu.com", "SyncsFinished": 1.0, "PlanActive": 1000.0, "PlanCreations": 3.0, "PlanRemovals": 1.0,
    })
)]
#[case::message(message(false, true), json!({ "Function": "notify", "QueueAge": 1.5, "MessagesFailed": 0.0 }))]
#[case::first_failure(message(true, false), json!({ "Function": "notify", "QueueAge": 1.5, "MessagesFailed": 1.0 }))]
#[case::message_of_unknown_age(
    Measure::Message { function: "notify", age: None, failed: false, is_repeated: false },
    json!({ "Function": "notify", "MessagesFailed": 0.0 })
)]
#[case::no_mailbox(Measure::Mail { outcome: "no-mailbox" }, json!({ "Mails": 1.0, "Outcome": "no-mailbox" }))]
fn measure_without_alarm_is_no_metric(#[case] measure: Measure<'_>, #[case] expected: Value) {
    assert_eq!(serde_json::from_str::<Value>(&line(&measure)).unwrap(), expected);
}

#[test]
fn metric_line_keeps_its_properties() {
    assert_eq!(
        line(&message(true, true)),
        r#"{"_aws":{"Timestamp":1795514400500,"CloudWatchMetrics":[{"Namespace":"membermail-staging","Dimensions":[[]],"#
            .to_owned()
            + r#""Metrics":[{"Name":"MessagesFailedAgain","Unit":"Count"}]}]},"#
            + r#""Function":"notify","QueueAge":1.5,"MessagesFailed":1.0,"MessagesFailedAgain":1.0}"#
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
fn checks_detect_broken_rules(#[case] line: &str, #[case] rule: &str) {
    assert_eq!(broken_rule(line), Some(rule));
}

fn with(directive: &str, members: &str) -> String {
    format!(r#"{{"_aws":{{"Timestamp":1,"CloudWatchMetrics":[{{{directive}}}]}}{members}}}"#)
}
