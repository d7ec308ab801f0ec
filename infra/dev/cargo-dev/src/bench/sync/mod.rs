//! `cargo dev bench sync`: the cost of a sync by team size. docs/benchmarks.md describes the measurement.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use membermail_toolbox::net::free_port;
use membermail_toolbox::service::Service;
use membermail_toolbox::step;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::counting::{Counted, Counting};
use super::dynamodb::{start_dynamodb, with_dynamodb};
use super::figures::{float, markdown};
use super::grants;
use crate::builds::Profile;
use crate::functions::program_of;
use crate::{fakes, site, tools};

/// Target: CPU seconds of a run without changes.
const MAX_CPU_SECONDS: f64 = 5.0;
/// Target: peak memory in MB of a run without changes.
const MAX_PEAK_MB: f64 = 100.0;
/// Entries on a page of Launchpad.
const PAGE: u64 = 300;
// Names of the runs.
const FIRST: &str = "first";
const UNCHANGED: &str = "no change";
const SKIPPED: &str = "not read";
const RESUMED: &str = "resumed";
const CHANGED: &str = "1% change";

/// Options of `cargo dev bench sync`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Team sizes
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000, 100_000])]
    people: Vec<usize>,
    /// Measure only this part
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// Parts of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Cost of a sync by team size
    Sizes,
    /// Wait of a sign-in during a first sync
    Grants,
}

/// Measures each size with a separate table and Launchpad, and the wait of sign-ins.
pub(crate) async fn sync(options: &Options) -> Result<()> {
    tools::install()?;
    membermail_localstack::install()?;
    let mut value = json!({});
    let mut missed = Vec::new();
    if options.only != Some(Part::Grants) {
        let (table, all) = sizes(options, &mut missed).await?;
        report_part(options, &table);
        value["sizes"] = Value::Array(all);
    }
    if options.only != Some(Part::Sizes) {
        grants::build()?;
        let figures = grants::measure().await.context("sign-ins during a first sync")?;
        report_part(options, &figures.rows());
        value["grants"] = figures.json();
        missed.extend(figures.missed());
    }
    if options.json {
        println!("{value:#}");
    }
    ensure!(missed.is_empty(), "missed targets:\n  {}", missed.join("\n  "));
    Ok(())
}

fn report_part(options: &Options, table: &[Vec<String>]) {
    if !options.json {
        println!("{}\n", markdown(table));
    }
}

/// Rows of the table, and the figures as JSON.
async fn sizes(options: &Options, missed: &mut Vec<String>) -> Result<(Vec<Vec<String>>, Vec<Value>)> {
    for (package, what) in [("membermail-fakes", ["--bin", "fakes"]), ("membermail-sync", ["--example", "measure"])] {
        step::run_attached(step::cargo().args(["build", "--release", "--package", package]).args(what))?;
    }
    let head = [
        "people",
        "run",
        "seconds",
        "our CPU s",
        "peak MB",
        "Launchpad requests",
        "table reads",
        "item writes",
        "steps",
    ];
    let mut table = vec![head.map(str::to_owned).to_vec()];
    let mut all = Vec::new();
    for people in &options.people {
        for (run, figures) in measure_size(*people).await.with_context(|| format!("{people} people"))? {
            missed.extend(
                missed_targets(*people, run, &figures).into_iter().map(|why| format!("{people} people, {run}: {why}")),
            );
            let mut row = vec![people.to_string(), run.to_owned()];
            for (names, digits) in
                [(&["seconds", "cpu_seconds", "peak_mb"][..], 1), (&["launchpad", "reads", "item_writes", "steps"], 0)]
            {
                row.extend(names.iter().map(|name| format!("{:.digits$}", figures[name].as_f64().unwrap_or_default())));
            }
            table.push(row);
            all.push(json!({ "people": people, "run": run, "figures": figures }));
        }
    }
    Ok((table, all))
}

/// The missed targets of a run.
fn missed_targets(people: usize, run: &str, figures: &Value) -> Vec<String> {
    let pages = figures["participants"].as_u64().unwrap_or_default().div_ceil(PAGE);
    let rolling = figures["rolling"].as_u64().unwrap_or_default();
    // The run reads the aliases of the domain once.
    let mut exact = vec![("max_in_flight", json!(1)), ("domain_readings", json!(1))];
    match run {
        UNCHANGED | SKIPPED => {
            exact.extend([("state", json!("unchanged")), ("steps", json!(0)), ("item_writes", json!(0))]);
            if run == SKIPPED {
                // The team itself, its total, and one request per member of the rolling check.
                exact.extend([("is_skipped", json!(true)), ("launchpad", json!(2 + rolling))]);
            } else {
                // The pages, the team itself, and one request per member of the rolling check.
                exact.push(("launchpad", json!(pages + 1 + rolling)));
            }
        }
        // Both parts fetch the team; no page is fetched twice.
        RESUMED => exact.extend([
            ("state", json!("unchanged")),
            ("steps", json!(0)),
            ("launchpad", json!(pages + 2 + rolling)),
        ]),
        CHANGED => exact.extend([("state", json!("applied")), ("steps", json!(people / 100))]),
        _ => exact.push(("steps", json!(0))),
    }
    let mut limits = Vec::new();
    if matches!(run, UNCHANGED | SKIPPED) {
        let rolling = float(rolling);
        limits.extend([("cpu_seconds", MAX_CPU_SECONDS), ("peak_mb", MAX_PEAK_MB)]);
        limits.extend([("observations", rolling), ("names", rolling), ("cursors", 1.0)]);
    }
    let wrong = exact.into_iter().filter(|(name, wanted)| figures[*name] != *wanted);
    let wrong = wrong.map(|(name, wanted)| format!("{name} {}, not {wanted}", figures[name]));
    let exceeded =
        limits.into_iter().filter(|(name, limit)| figures[*name].as_f64().is_none_or(|found| found > *limit));
    let exceeded = exceeded.map(|(name, limit)| format!("{name} {}, maximum {limit}", figures[name]));
    wrong.chain(exceeded).collect()
}

/// Measures all runs of one team size.
async fn measure_size(people: usize) -> Result<Vec<(&'static str, Value)>> {
    let state = site::empty_state("bench-sync")?;
    let dynamodb = start_dynamodb(&state).await?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let table = listener.local_addr()?.port();
    let counting = Counting::start(listener, &format!("http://127.0.0.1:{}", dynamodb.port))?;
    let launchpad = fakes::start_with_people(free_port()?, people, &state, Profile::Release).await?;
    let world = World { launchpad, table, direct: dynamodb.port, counting };
    world.measure("fill", world.direct).await?;
    let first = world.run("run", false).await?;
    let unchanged = world.run("run", false).await?;
    let skipped = world.run("skip", false).await?;
    let resumed = world.run("run", true).await?;
    world.change(people / 100).await?;
    let changed = world.run("run", false).await?;
    Ok(vec![(FIRST, first), (UNCHANGED, unchanged), (SKIPPED, skipped), (RESUMED, resumed), (CHANGED, changed)])
}

struct World {
    launchpad: Service,
    /// Port of the counting proxy.
    table: u16,
    /// Port of DynamoDB Local.
    direct: u16,
    counting: Counting,
}

impl World {
    /// Measures one sync in its own process. With `is_interrupted`, a first process is aborted and the second, which
    /// resumes the run, is measured.
    async fn run(&self, what: &str, is_interrupted: bool) -> Result<Value> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let counts = format!("{}/control/counts", self.launchpad.url);
        let team = format!("{}/control/teams/ubuntumembers", self.launchpad.url);
        let team: Value = client.get(team).send().await?.json().await?;
        let participants = team["participants"].as_u64().context("no participants")?;
        client.delete(&counts).send().await?.error_for_status()?;
        self.counting.reset();
        if is_interrupted {
            self.interrupt((participants.div_ceil(PAGE) / 2).max(1)).await?;
        }
        let mut figures = self.measure(what, self.table).await?;
        let Counted { calls, mut items, queries } = self.counting.reset();
        let reads: u64 = ["GetItem", "BatchGetItem", "Query"]
            .iter()
            .filter_map(|operation| calls.get(&format!("dynamodb.{operation}")))
            .sum();
        let requests: Value = client.get(&counts).send().await?.json().await?;
        figures["launchpad"] = requests["launchpad"].clone();
        figures["max_in_flight"] = requests["launchpad_max_in_flight"].clone();
        figures["reads"] = json!(reads);
        figures["domain_readings"] = json!(queries.get("DOMAIN/ALIAS"));
        // Count the run with its lease, and the observations and cursor of the rolling check, separately.
        for kind in ["SYNC/RUN", "SYNC/LEASE"] {
            items.remove(kind);
        }
        for (name, kind) in [("observations", "MEMBER/PROFILE"), ("names", "NAME/-"), ("cursors", "SYNC/STATE")] {
            figures[name] = json!(items.remove(kind).unwrap_or_default());
        }
        // The remaining keys belong to items.
        figures["item_writes"] = json!(items.values().sum::<u64>());
        figures["items"] = json!(items);
        figures["participants"] = json!(participants);
        Ok(figures)
    }

    /// Runs a sync that aborts after this many pages.
    async fn interrupt(&self, pages: u64) -> Result<()> {
        let mut command = tokio::process::Command::from(self.program("run", self.table));
        command.args(["--stop-after", &pages.to_string()]).stderr(Stdio::null()).stdout(Stdio::null());
        let status = command.status().await?;
        ensure!(status.signal().is_some(), "the sync was not aborted, but exited with {status}");
        Ok(())
    }

    /// Runs shared/sync/examples/measure.rs.
    async fn measure(&self, task: &str, table: u16) -> Result<Value> {
        let mut command = self.program(task, table);
        let task = task.to_owned();
        // `spawn_blocking`, because the counting proxy runs in this process.
        let text = tokio::task::spawn_blocking(move || step::run(&task, &mut command)).await??;
        serde_json::from_str(text.lines().last().unwrap_or_default()).with_context(|| text.clone())
    }

    fn program(&self, task: &str, table: u16) -> Command {
        let mut command = with_dynamodb(program_of("examples/measure", Profile::Release), table);
        command.args([task, "--launchpad", &self.launchpad.url]);
        command
    }

    /// Changes `count` people: half of them leave, the others are renamed.
    async fn change(&self, count: usize) -> Result<()> {
        let mut changes = json!({});
        for number in 0..count {
            changes[format!("member{:04}", 1 + number)] = match number % 2 {
                0 => json!({ "leave": ["ubuntumembers"] }),
                _ => json!({ "name": format!("renamed{number}") }),
            };
        }
        let client = reqwest::Client::builder().no_proxy().build()?;
        let url = format!("{}/control/people", self.launchpad.url);
        client.patch(url).json(&changes).send().await?.error_for_status()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unchanged() -> Value {
        json!({
            "state": "unchanged", "steps": 0, "item_writes": 0, "participants": 901, "launchpad": 8, "rolling": 3,
            "max_in_flight": 1, "domain_readings": 1, "observations": 3, "names": 0, "cursors": 1,
            "cpu_seconds": 0.1, "peak_mb": 9.0,
        })
    }

    #[rstest::rstest]
    #[case::state("state", json!("failed"))]
    #[case::steps("steps", json!(1))]
    #[case::item_writes("item_writes", json!(1))]
    #[case::one_request_more("launchpad", json!(9))]
    #[case::one_request_less("launchpad", json!(7))]
    #[case::at_once("max_in_flight", json!(2))]
    #[case::read_twice("domain_readings", json!(2))]
    #[case::never_read("domain_readings", Value::Null)]
    #[case::observations("observations", json!(4))]
    #[case::names("names", json!(4))]
    #[case::cursors("cursors", json!(2))]
    #[case::cpu("cpu_seconds", json!(5.1))]
    #[case::memory("peak_mb", Value::Null)]
    fn unchanged_run_misses_target(#[case] name: &str, #[case] bad: Value) {
        assert_eq!(missed_targets(900, UNCHANGED, &unchanged()), [""; 0]);
        let mut figures = unchanged();
        figures[name] = bad;
        assert_eq!(missed_targets(900, UNCHANGED, &figures).len(), 1);
    }

    #[test]
    fn skipped_run_reads_no_page() {
        let mut skipped = unchanged();
        (skipped["is_skipped"], skipped["launchpad"]) = (json!(true), json!(5));
        assert_eq!(missed_targets(900, SKIPPED, &skipped), [""; 0]);
        skipped["launchpad"] = json!(8);
        assert_eq!(missed_targets(900, SKIPPED, &skipped).len(), 1);
        skipped["is_skipped"] = json!(false);
        assert_eq!(missed_targets(900, SKIPPED, &skipped).len(), 2);
    }

    #[test]
    fn changed_run_has_its_steps() {
        let changed = json!({ "state": "applied", "steps": 9, "max_in_flight": 1, "domain_readings": 1 });
        assert_eq!(missed_targets(900, CHANGED, &changed), [""; 0]);
        assert_eq!(missed_targets(1_000, CHANGED, &changed).len(), 1);
    }

    #[test]
    fn resumed_run_reads_no_page_twice() {
        let mut resumed = unchanged();
        (resumed["launchpad"], resumed["item_writes"]) = (json!(9), json!(2));
        assert_eq!(missed_targets(900, RESUMED, &resumed), [""; 0]);
        resumed["launchpad"] = json!(10);
        assert_eq!(missed_targets(900, RESUMED, &resumed).len(), 1);
    }
}
