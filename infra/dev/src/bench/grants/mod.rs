//! The second part of `cargo dev bench sync`: how long the grant of a sign-in waits while the steps of a first sync of
//! 100,000 members fill the write queue. docs/benchmarks.md says what is measured.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use membermail_toolbox::{step, workspace};
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use self::aws::Aws;
use self::queue::Queue;
use super::dynamodb::dynamodb;
use super::figures::{Spread, rounded, spread};
use super::invoker::Invoker;
use super::start;
use crate::functions::{Profile, program_of};
use crate::site;

mod aws;
mod queue;
mod table;

/// Members of the first sync, each with one step.
const MEMBERS: usize = 100_000;
/// Sign-ins that are measured, and the time from one to the next: more than the 2,000 an hour of a first day.
const SIGN_INS: usize = 30;
const INTERVAL: Duration = Duration::from_secs(1);
/// The longest that a grant may wait, in seconds.
const GOAL: f64 = 10.0;
/// The measurement ends with an error after this time.
const LIMIT: Duration = Duration::from_secs(180);

/// An event source mapping of the template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct EventSource {
    batch: usize,
    concurrency: usize,
}

/// What was measured.
pub(super) struct Figures {
    /// Seconds from the grant in the queue to the address in the table, of each sign-in.
    waits: Vec<f64>,
    /// Messages of the sync that were handled meanwhile, and those that were left.
    handled: usize,
    left: usize,
}

impl Figures {
    fn longest(&self) -> f64 {
        self.waits.iter().copied().fold(0.0, f64::max)
    }

    /// The rows of a table.
    pub(super) fn rows(&self) -> Vec<Vec<String>> {
        let Spread { p50, p90 } = spread(self.waits.clone());
        let head = ["sign-in grants", "wait p50 s", "p90 s", "longest s", "sync messages handled", "left"];
        let times = [p50, p90, self.longest()].map(|seconds| format!("{seconds:.2}"));
        let counts = [self.handled, self.left].map(|count| count.to_string());
        let row = [self.waits.len().to_string()].into_iter().chain(times).chain(counts);
        vec![head.map(str::to_owned).to_vec(), row.collect()]
    }

    /// The same as JSON.
    pub(super) fn json(&self) -> Value {
        let Spread { p50, p90 } = spread(self.waits.clone());
        json!({
            "grants": self.waits.len(), "sync_messages_handled": self.handled, "sync_messages_left": self.left,
            "wait_seconds": { "p50": rounded(p50), "p90": rounded(p90), "longest": rounded(self.longest()) },
        })
    }

    /// The goals that are missed.
    pub(super) fn missed(&self) -> Vec<String> {
        let mut missed = Vec::new();
        if self.waits.len() != SIGN_INS {
            missed.push(format!("{} of {SIGN_INS} sign-ins have an address", self.waits.len()));
        }
        if self.longest() > GOAL {
            missed.push(format!("a sign-in waited {:.1} s for its address, at most {GOAL}", self.longest()));
        }
        if self.left == 0 {
            missed.push("the write queue ran empty, so that no grant had to wait".to_owned());
        }
        missed
    }
}

/// Measures with the release build, which is there already.
pub(super) async fn measure() -> Result<Figures> {
    let template = std::fs::read_to_string(workspace().join("template.yaml"))?;
    let (decided, granted) = (event_source(&template, "Decided")?, event_source(&template, "Granted")?);
    let state = site::state("bench-grants");
    let _ = std::fs::remove_dir_all(&state);
    std::fs::create_dir_all(&state)?;
    let dynamodb = dynamodb(&state).await?;
    let table = table::Table::at(dynamodb.port).await?;
    let members = table.fill(MEMBERS + SIGN_INS).await?;
    let aws = Aws::start(dynamodb.port).await?;
    let (steps, grants) = (Arc::new(Queue::default()), Arc::new(Queue::default()));
    let (new, first_sync) = members.split_at(SIGN_INS);
    steps.send_all(table.steps(first_sync)?);
    let all = steps.waiting();
    let mut running = JoinSet::new();
    let mut functions = Vec::new();
    for (source, queue) in [(decided, &steps), (granted, &grants)] {
        for _ in 0..source.concurrency {
            let api = Invoker::start().await?;
            functions.push(function(&api, &aws.url)?);
            running.spawn(handle(api, Arc::clone(queue), source.batch));
        }
    }
    let begin = Instant::now();
    let arrivals = async {
        for (number, member) in (1..).zip(new) {
            sleep_until(begin + INTERVAL * number).await;
            grants.send(table.grant(*member)?);
        }
        grants.until_handled(SIGN_INS).await;
        anyhow::Ok(())
    };
    tokio::select! {
        arrived = timeout(LIMIT, arrivals) => arrived.context("grants are left after the time of the measurement")??,
        Some(ended) = running.join_next() => match ended? {
            Ok(()) => bail!("a function ended"),
            Err(cause) => return Err(cause),
        },
    }
    let left = steps.waiting();
    running.shutdown().await;
    drop(functions);
    for member in new {
        ensure!(table.has_address(*member).await?, "a grant was handled, and there is no address");
    }
    Ok(Figures { waits: grants.waits(), handled: all - left, left })
}

/// One process of the function, as an execution environment of Lambda.
fn function(api: &Invoker, aws: &str) -> Result<Child> {
    let mut command = Command::new(program_of("write-aliases", Profile::Release));
    command.env_clear().envs(start::environment()).env("AWS_LAMBDA_FUNCTION_NAME", "write-aliases");
    command.env("AWS_LAMBDA_RUNTIME_API", &api.address).env("AWS_ENDPOINT_URL", aws).env("TABLE_NAME", table::TABLE);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    command.spawn().context("the function cannot be started")
}

/// Gives a function one batch after the other, as an event source mapping does.
async fn handle(api: Invoker, queue: Arc<Queue>, batch: usize) -> Result<()> {
    loop {
        let messages = queue.receive(batch).await;
        let answer = api.invoke(&queue::event(&messages)).await?;
        let failed = answer["batchItemFailures"].as_array().map(Vec::len);
        ensure!(failed == Some(0), "messages failed: {answer}");
        queue.handled(&messages);
    }
}

/// The limits of an event source of `WriteAliases`.
fn event_source(template: &str, name: &str) -> Result<EventSource> {
    let missing = || format!("the template has no event source {name} of WriteAliases");
    let (_, function) = template.split_once("\n  WriteAliases:\n").with_context(missing)?;
    let (function, _) = function.split_once("\n  WriteAliasesLogs:\n").with_context(missing)?;
    let (_, source) = function.split_once(&format!("\n        {name}:\n")).with_context(missing)?;
    let lines: Vec<_> = source.lines().take_while(|line| line.starts_with("          ")).collect();
    let number = |name: &str| -> Result<usize> {
        let value = lines.iter().find_map(|line| line.split_once(&format!("{name}: "))).with_context(missing)?.1;
        let digits: String = value.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().with_context(missing)
    };
    Ok(EventSource { batch: number("BatchSize")?, concurrency: number("MaximumConcurrency")? })
}

/// Compiles the function as it is shipped.
pub(super) fn build() -> Result<()> {
    step::during("build write-aliases as it is shipped", || {
        crate::functions::build(&["write-aliases"], Profile::Release)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> Figures {
        Figures { waits: vec![0.1; SIGN_INS], handled: 100, left: 4_900 }
    }

    #[test]
    fn grants_miss_each_goal_alone() {
        assert_eq!(figures().missed(), [""; 0]);
        let late = Figures { waits: [vec![0.1; SIGN_INS - 1], vec![10.1]].concat(), ..figures() };
        let lost = Figures { waits: vec![0.1; SIGN_INS - 1], ..figures() };
        let empty = Figures { left: 0, ..figures() };
        for missed in [late, lost, empty] {
            assert_eq!(missed.missed().len(), 1, "{:?}", missed.missed());
        }
    }

    #[test]
    fn limits_come_from_template() {
        let template = std::fs::read_to_string(workspace().join("template.yaml")).unwrap();
        for name in ["Decided", "Granted"] {
            let EventSource { batch, concurrency } = event_source(&template, name).unwrap();
            assert!((1..=10).contains(&batch) && (2..=10).contains(&concurrency), "{name}: {batch} {concurrency}");
        }
        assert_ne!(event_source(&template, "Decided").unwrap(), event_source(&template, "Granted").unwrap());
        assert!(event_source(&template, "Asked").is_err());
    }
}
