//! Runs the real functions as Lambda does: one process each behind a Runtime API. Only one event is in flight, so that all
//! counted usage belongs to it.

use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::template::Function;
use super::usage::Usage;
use crate::bench::figures::float;
use crate::bench::runtime_api::RuntimeApi;
use crate::builds::Profile;
use crate::functions::program_of;

const INVOCATION_TIMEOUT: Duration = Duration::from_secs(120);
/// Overhead that CloudWatch adds to each log event.
const EVENT_BYTES: usize = 26;

/// A running function.
pub(crate) struct Lambda {
    pub(crate) function: Function,
    api: RuntimeApi,
    lines: Arc<Mutex<Vec<String>>>,
    _process: Child,
}

impl Lambda {
    /// Starts a function with the variables of the template and these overrides.
    pub(crate) async fn start(function: &Function, overrides: &[(String, String)]) -> Result<Self> {
        let api = RuntimeApi::start().await?;
        let mut command = Command::new(program_of(&function.name, Profile::Dev));
        command.env_clear().envs(function.variables.iter().cloned()).envs(overrides.iter().cloned()).envs([
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_LAMBDA_FUNCTION_NAME", &function.name),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &function.memory.to_string()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "bench"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
            ("AWS_LAMBDA_RUNTIME_API", &api.address),
            ("METRICS_NAMESPACE", "bench"),
        ]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
        let program = program_of(&function.name, Profile::Dev);
        let mut process = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        let mut output = BufReader::new(process.stdout.take().context("no output")?).lines();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&lines);
        tokio::spawn(async move {
            while let Ok(Some(line)) = output.next_line().await {
                log.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        Ok(Self { function: function.clone(), api, lines, _process: process })
    }

    /// Invokes the function. Returns its response and the usage of its log.
    pub(crate) async fn invoke(&self, event: &Value) -> Result<(Value, Logged)> {
        let response = tokio::time::timeout(INVOCATION_TIMEOUT, self.api.invoke(event)).await;
        let response = response.with_context(|| format!("{} timed out", self.function.name))?;
        // Log lines written before the response may still be in the pipe.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let lines = std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner));
        let response = response.with_context(|| format!("{}:\n{}", self.function.name, lines.join("\n")))?;
        let has_failures = response["batchItemFailures"].as_array().is_some_and(|failures| !failures.is_empty());
        ensure!(!has_failures, "{} failed to handle a message:\n{}", self.function.name, lines.join("\n"));
        if response["statusCode"].as_u64().is_some_and(|status| status >= 500) {
            bail!("{} responded with {response}:\n{}", self.function.name, lines.join("\n"));
        }
        Ok((response, Logged::of(&lines)))
    }
}

/// Usage found in the log of an invocation.
pub(crate) struct Logged {
    pub(crate) usage: Usage,
    pub(crate) mails: f64,
}

impl Logged {
    fn of(lines: &[String]) -> Self {
        let bytes: usize = lines.iter().map(|line| line.len() + EVENT_BYTES).sum();
        // Lambda adds no lines to a successful invocation (`SystemLogLevel`).
        let mut usage = Usage::of("log bytes", float(bytes));
        let mut mails = 0.0;
        for line in lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            mails += line["Mails"].as_f64().unwrap_or_default();
            for directive in line["_aws"]["CloudWatchMetrics"].as_array().into_iter().flatten() {
                let dimensions = directive["Dimensions"][0].as_array().into_iter().flatten().filter_map(Value::as_str);
                let values: String = dimensions.map(|name| format!(" {name}={}", line[name])).collect();
                for metric in directive["Metrics"].as_array().into_iter().flatten() {
                    let name = metric["Name"].as_str().unwrap_or_default();
                    usage.add(&format!("series {name}{values}"), 1.0);
                }
            }
        }
        Self { usage, mails }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn metric_series_include_dimensions() {
        let plain = json!({ "message": "a line" }).to_string();
        let metric = json!({
            "_aws": { "Timestamp": 1, "CloudWatchMetrics": [{
                "Namespace": "N", "Dimensions": [["Domain"]], "Metrics": [{ "Name": "A" }, { "Name": "B" }],
            }] },
            "Domain": "ubuntu.com", "A": 1, "B": 2,
        });
        let logged = Logged::of(&[plain, metric.to_string()]);
        for series in [r#"series A Domain="ubuntu.com""#, r#"series B Domain="ubuntu.com""#] {
            assert_eq!(logged.usage.get(series), 1.0, "{:?}", logged.usage);
        }
        assert_eq!(Logged::of(&[json!({ "Mails": 1.0 }).to_string()]).mails, 1.0);
    }
}
