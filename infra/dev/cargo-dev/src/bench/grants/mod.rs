//! The second part of `cargo dev bench sync`: the wait of a sign-in's grant while the steps of a first sync of 100,000
//! members fill the write queue. docs/benchmarks.md describes the measurement.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use membermail_toolbox::step;
use serde_json::{Value, json};
use tokio::process::Child;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use self::queue::Queue;
use super::figures::{Spread, rounded};
use super::growth::Template;
use super::runtime_api::{RuntimeApi, sqs_event};
use super::start;
use crate::builds::Profile;
use crate::dynamodb::{BENCHMARK_HEAP, start_dynamodb};
use crate::functions::program_of;
use crate::site;

mod aws;
mod queue;
mod table;

/// Members of the first sync, each with one step.
const MEMBERS: usize = 100_000;
/// Measured sign-ins, and the interval between them: more than the 2,000 per hour of a first day.
const SIGN_INS: usize = 30;
const INTERVAL: Duration = Duration::from_secs(1);
/// Maximum wait of a grant in seconds.
const MAX_WAIT: f64 = 10.0;
/// Timeout of the measurement.
const TIMEOUT: Duration = Duration::from_secs(180);

/// The result of the measurement.
pub(super) struct Figures {
    /// Seconds from the grant in the queue to the address in the table, per sign-in.
    waits: Vec<f64>,
    /// Sync messages handled in the meantime.
    handled: usize,
    /// Sync messages still in the queue.
    left: usize,
}

impl Figures {
    fn longest(&self) -> f64 {
        self.waits.iter().copied().fold(0.0, f64::max)
    }

    /// Rows of a table.
    pub(super) fn rows(&self) -> Vec<Vec<String>> {
        let Spread { p50, p90 } = Spread::of(self.waits.iter().copied());
        let head = ["sign-in grants", "wait p50 s", "p90 s", "longest s", "sync messages handled", "left"];
        let times = [p50, p90, self.longest()].map(|seconds| format!("{seconds:.2}"));
        let counts = [self.handled, self.left].map(|count| count.to_string());
        let row = [self.waits.len().to_string()].into_iter().chain(times).chain(counts);
        vec![head.map(str::to_owned).to_vec(), row.collect()]
    }

    /// The figures as JSON.
    pub(super) fn json(&self) -> Value {
        let Spread { p50, p90 } = Spread::of(self.waits.iter().copied());
        json!({
            "grants": self.waits.len(), "sync_messages_handled": self.handled, "sync_messages_left": self.left,
            "wait_seconds": { "p50": rounded(p50), "p90": rounded(p90), "longest": rounded(self.longest()) },
        })
    }

    /// The missed targets.
    pub(super) fn missed(&self) -> Vec<String> {
        let mut missed = Vec::new();
        if self.waits.len() != SIGN_INS {
            missed.push(format!("{} of {SIGN_INS} sign-ins have an address", self.waits.len()));
        }
        if self.longest() > MAX_WAIT {
            missed.push(format!("a sign-in waited {:.1} s for its address, maximum {MAX_WAIT}", self.longest()));
        }
        if self.left == 0 {
            missed.push("the write queue ran empty, so no grant had to wait".to_owned());
        }
        missed
    }
}

/// Measures the release build, which must exist.
pub(super) async fn measure() -> Result<Figures> {
    // An account with a raised quota, where grants have their own executions.
    let template = Template::read()?.with("SmallQuota", "false")?.with("WriteConcurrency", "10")?;
    let function = template.function("write-aliases")?;
    let state = site::empty_state("bench-grants")?;
    let dynamodb = start_dynamodb(&state, BENCHMARK_HEAP).await?;
    let table = table::Table::create(dynamodb.port).await?;
    let members = table.fill(MEMBERS + SIGN_INS).await?;
    let endpoint = aws::start(dynamodb.port).await?;
    let steps = Arc::new(Queue::default());
    let grants = Arc::new(Queue::default());
    let (new, first_sync) = members.split_at(SIGN_INS);
    steps.send_all(table.steps(first_sync)?);
    let total = steps.waiting();
    let mut running = JoinSet::new();
    let mut functions = Vec::new();
    for (name, queue) in [("WriteQueue", &steps), ("GrantQueue", &grants)] {
        let source = function.queues.iter().find(|source| source.queue == name).context("no event source")?;
        for _ in 0..source.max_concurrency.context("no maximum concurrency")? {
            let api = RuntimeApi::start().await?;
            functions.push(start_function(&api, &endpoint)?);
            running.spawn(handle_batches(api, Arc::clone(queue), source.batch_size));
        }
    }
    let started = Instant::now();
    let arrivals = async {
        for (number, member) in (1..).zip(new) {
            sleep_until(started + INTERVAL * number).await;
            grants.send(table.grant(*member)?);
        }
        grants.wait_for_handled(SIGN_INS).await;
        anyhow::Ok(())
    };
    tokio::select! {
        arrived = timeout(TIMEOUT, arrivals) => arrived.context("the measurement timed out with unhandled grants")??,
        Some(finished) = running.join_next() => match finished? {
            Ok(()) => bail!("a function exited"),
            Err(error) => return Err(error),
        },
    }
    let left = steps.waiting();
    running.shutdown().await;
    drop(functions);
    for member in new {
        ensure!(table.has_address(*member).await?, "a grant was handled, but there is no address");
    }
    Ok(Figures { waits: grants.waits(), handled: total - left, left })
}

/// Starts one process of the function, as an execution environment of Lambda.
fn start_function(api: &RuntimeApi, endpoint: &str) -> Result<Child> {
    let program = program_of("write-aliases", Profile::Release);
    let mut command = start::function_command(&program, "write-aliases", api);
    command.env("AWS_ENDPOINT_URL", endpoint).env("TABLE_NAME", table::TABLE);
    command.spawn().context("cannot start write-aliases")
}

/// Invokes a function with one batch after another, as an event source mapping does.
async fn handle_batches(api: RuntimeApi, queue: Arc<Queue>, batch: usize) -> Result<()> {
    loop {
        let messages = queue.receive(batch).await;
        let response = api.invoke(&sqs_event(messages.iter().map(|message| message.body.as_str()))).await?;
        let failed = response["batchItemFailures"].as_array().map(Vec::len);
        ensure!(failed == Some(0), "messages failed: {response}");
        queue.mark_handled(&messages);
    }
}

/// Builds the function in release mode.
pub(super) fn build() -> Result<()> {
    step::with_progress("build write-aliases (release)", || {
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
    fn each_target_is_missed_alone() {
        assert_eq!(figures().missed(), [""; 0]);
        let late = Figures { waits: [vec![0.1; SIGN_INS - 1], vec![10.1]].concat(), ..figures() };
        let lost = Figures { waits: vec![0.1; SIGN_INS - 1], ..figures() };
        let empty = Figures { left: 0, ..figures() };
        for missed in [late, lost, empty] {
            assert_eq!(missed.missed().len(), 1, "{:?}", missed.missed());
        }
    }
}
