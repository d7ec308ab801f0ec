//! First responses of new instances. A changed configuration replaces the instances of the unpublished version, and the
//! former configuration is restored afterwards.

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::aws::Aws;
use crate::report::ColdStart;
use crate::stack::Stack;

/// Functions that can be invoked without an effect.
const FUNCTIONS: [&str; 6] = ["Sso", "Account", "VerifyMember", "WriteAliases", "SyncTeam", "Notify"];

/// An event that changes nothing: a health check, the start page, or no message.
fn event(function: &str) -> Value {
    let path = match function {
        "Sso" => "/health",
        "Account" => "/",
        _ => return json!({ "Records": [] }),
    };
    json!({
        "resource": path, "path": path, "httpMethod": "GET", "headers": {}, "multiValueHeaders": {},
        "queryStringParameters": null, "multiValueQueryStringParameters": null, "pathParameters": null,
        "stageVariables": null, "body": null, "isBase64Encoded": false,
        "requestContext": {
            "accountId": "0", "apiId": "smoke", "httpMethod": "GET", "path": path, "protocol": "HTTP/1.1",
            "requestId": "smoke-test", "resourceId": "smoke", "resourcePath": path, "stage": "live",
            "identity": { "sourceIp": "127.0.0.1" },
        },
    })
}

/// Measures the first response of each function whose log reports it.
pub(crate) fn measure(aws: &Aws<'_>, stack: &Stack) -> Result<Vec<ColdStart>> {
    let folder = tempfile::tempdir()?;
    let mut measured = Vec::new();
    for id in FUNCTIONS {
        let Some(function) = stack.resources.get(id) else { continue };
        let payload = folder.path().join(format!("{id}.json"));
        std::fs::write(&payload, event(id).to_string())?;
        let payload = format!("fileb://{}", payload.display());
        let response = folder.path().join(format!("{id}.response"));
        let response = response.to_str().context("the path is not UTF-8")?;
        let name = ["--function-name", function.name.as_str()];
        let before = aws.json(&[&["lambda", "get-function-configuration"], &name[..]].concat())?;
        let [probe, restore] = configurations(&before);
        update(aws, &name, &probe)?;
        let invoke = ["lambda", "invoke", "--log-type", "Tail", "--payload", &payload];
        let invoked = aws.json(&[&invoke, &name[..], &[response]].concat());
        update(aws, &name, &restore)?;
        let log = invoked?["LogResult"].as_str().map(|log| STANDARD.decode(log)).transpose()?.unwrap_or_default();
        if let Some((init, duration)) = report(&String::from_utf8_lossy(&log)) {
            measured.push(ColdStart {
                function: id.to_owned(),
                architecture: before["Architectures"][0].as_str().unwrap_or("x86_64").to_owned(),
                memory: before["MemorySize"].as_u64().unwrap_or_default(),
                init,
                duration,
            });
        }
    }
    Ok(measured)
}

fn update(aws: &Aws<'_>, name: &[&str; 2], configuration: &[String]) -> Result<()> {
    let configuration: Vec<_> = configuration.iter().map(String::as_str).collect();
    aws.run(&[&["lambda", "update-function-configuration"], &name[..], &configuration].concat())?;
    aws.run(&[&["lambda", "wait", "function-updated-v2"], &name[..]].concat()).map(drop)
}

/// Options of the update before the measurement and of the one after it. The first also makes the log report the times.
fn configurations(before: &Value) -> [Vec<String>; 2] {
    let description = before["Description"].as_str().unwrap_or_default();
    let described = |text: &str| vec!["--description".to_owned(), text.to_owned()];
    let [mut probe, mut restore] = [described(&format!("{description} (cold start)")), described(description)];
    let logging = &before["LoggingConfig"];
    if logging["LogFormat"] == "JSON" {
        let mut verbose = logging.clone();
        verbose["SystemLogLevel"] = json!("INFO");
        for (options, logging) in [(&mut probe, &verbose), (&mut restore, logging)] {
            options.extend(["--logging-config".to_owned(), logging.to_string()]);
        }
    }
    [probe, restore]
}

/// The milliseconds of the init phase and of the first request, from the end of a function's log.
fn report(log: &str) -> Option<(f64, f64)> {
    log.lines().find_map(|line| {
        if let Ok(line) = serde_json::from_str::<Value>(line) {
            let metrics = &line["record"]["metrics"];
            return Some((metrics["initDurationMs"].as_f64()?, metrics["durationMs"].as_f64()?));
        }
        let line = line.strip_prefix("REPORT ")?;
        let milliseconds = |name: &str| {
            line.split('\t').find_map(|part| part.trim().strip_prefix(name)?.split(' ').next()?.parse().ok())
        };
        Some((milliseconds("Init Duration: ")?, milliseconds("Duration: ")?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "START RequestId: 1\nREPORT RequestId: 1\tDuration: 118.90 ms\tBilled Duration: 160 ms\t\
        Memory Size: 256 MB\tMax Memory Used: 24 MB\tInit Duration: 41.40 ms\t\n";
    const JSON: &str = r#"{"level":"INFO","message":"handled"}
{"time":"2026-11-29T10:00:00Z","type":"platform.report","record":{"requestId":"1","metrics":{"durationMs":118.9,"billedDurationMs":160,"initDurationMs":41.4}}}"#;

    #[rstest::rstest]
    #[case::text(TEXT, Some((41.4, 118.9)))]
    #[case::json(JSON, Some((41.4, 118.9)))]
    #[case::warm("REPORT RequestId: 1\tDuration: 3.10 ms\tBilled Duration: 4 ms", None)]
    #[case::emulator("", None)]
    fn report_is_read(#[case] log: &str, #[case] expected: Option<(f64, f64)>) {
        assert_eq!(report(log), expected);
    }

    #[test]
    fn configuration_is_restored() {
        let logging = json!({ "LogFormat": "JSON", "SystemLogLevel": "WARN", "LogGroup": "sso" });
        let [probe, restore] = configurations(&json!({ "Description": "Sign-in", "LoggingConfig": logging }));
        assert_eq!(restore, ["--description", "Sign-in", "--logging-config", &logging.to_string()]);
        assert!(probe != restore && probe.last().unwrap().contains(r#""SystemLogLevel":"INFO""#), "{probe:?}");
    }
}
