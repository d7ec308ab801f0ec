//! The functions as Lambda runs them: the real programs in processes of their own, each behind a Runtime API, one event at
//! a time, so that everything counted meanwhile belongs to that event.

use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::template::Function;
use super::usage::Usage;
use crate::bench::invoker::Invoker;
use crate::functions::{Profile, program_of};

/// No event takes longer.
const PATIENCE: Duration = Duration::from_secs(120);
/// The lines START, END and REPORT that Lambda writes for an invocation, and what CloudWatch adds to each event.
const PLATFORM_BYTES: usize = 330;
const EVENT_BYTES: usize = 26;

/// One function.
pub(crate) struct Lambda {
    pub(crate) function: Function,
    invoker: Invoker,
    lines: Arc<Mutex<Vec<String>>>,
    _process: Child,
}

impl Lambda {
    /// Starts it with the template's variables, and these in the place of those that depend on the account.
    pub(crate) async fn start(function: &Function, overrides: &[(String, String)]) -> Result<Self> {
        let invoker = Invoker::start().await?;
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
            ("AWS_LAMBDA_RUNTIME_API", &invoker.address),
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
        Ok(Self { function: function.clone(), invoker, lines, _process: process })
    }

    /// Hands it an event: its answer, and what its log and the invocation itself take.
    pub(crate) async fn invoke(&self, event: &Value) -> Result<(Value, Logged)> {
        let answer = tokio::time::timeout(PATIENCE, self.invoker.invoke(event)).await;
        let answer = answer.with_context(|| format!("{} does not answer", self.function.name))?;
        // What it wrote before the answer is on its way through the pipe.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let lines = std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner));
        let answer = answer.with_context(|| format!("{}:\n{}", self.function.name, lines.join("\n")))?;
        let failed = answer["batchItemFailures"].as_array().is_some_and(|failed| !failed.is_empty());
        ensure!(!failed, "{} gave a message back:\n{}", self.function.name, lines.join("\n"));
        if answer["statusCode"].as_u64().is_some_and(|status| status >= 500) {
            bail!("{} answered {answer}:\n{}", self.function.name, lines.join("\n"));
        }
        Ok((answer, Logged::of(&lines)))
    }

    /// A message as Lambda hands it over.
    pub(crate) fn message(body: &str) -> Value {
        json!({ "Records": [{
            "messageId": "00000000-0000-0000-0000-000000000000", "receiptHandle": "bench", "body": body,
            "attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": "1790000000000" },
            "messageAttributes": {}, "md5OfBody": "", "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:bench", "awsRegion": "us-east-1",
        }] })
    }
}

/// What an invocation left on the log.
pub(crate) struct Logged {
    pub(crate) usage: Usage,
    pub(crate) mails: f64,
}

impl Logged {
    fn of(lines: &[String]) -> Self {
        let bytes: usize = lines.iter().map(|line| line.len() + EVENT_BYTES).sum();
        let bytes = u32::try_from(bytes + PLATFORM_BYTES).map_or(f64::MAX, f64::from);
        let (mut usage, mut mails) = (Usage::of("log bytes", bytes), 0.0);
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
    use super::*;

    #[test]
    fn series_are_metrics_with_their_dimensions() {
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
