//! `cargo dev bench sync`: what a sync costs by the size of its team. docs/benchmarks.md says what is measured and why so.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use membermail_toolbox::service::Service;
use membermail_toolbox::step;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::counting::Counting;
use super::dynamodb::{aws, built, dynamodb, free_port};
use super::figures::markdown;
use super::grants;
use crate::functions::{Profile, said};
use crate::{site, stand_ins, tools};

/// What a run at the largest size may take of our own.
const CPU_SECONDS: f64 = 5.0;
const PEAK_MB: f64 = 100.0;
/// People on a page of Launchpad's.
const PAGE: u64 = 300;
/// The runs.
const FIRST: &str = "first";
const UNCHANGED: &str = "no change";
const SKIPPED: &str = "not read";
const RESUMED: &str = "resumed";
const CHANGED: &str = "1% change";

/// How much, and how it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Sizes of the team
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000, 100_000])]
    people: Vec<usize>,
    /// Measure this part alone
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// JSON in the place of a table
    #[arg(long)]
    json: bool,
}

/// What can be measured alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// The cost of a sync by size of the team
    Sizes,
    /// The wait of a sign-in during a first sync
    Grants,
}

/// Measures each size with a table and a Launchpad of its own, and the wait of sign-ins.
pub(crate) async fn sync(options: &Options) -> Result<()> {
    tools::install()?;
    membermail_localstack::install()?;
    let is_wanted = |part| options.only.is_none_or(|only| only == part);
    let (mut value, mut missed) = (json!({}), Vec::new());
    if is_wanted(Part::Sizes) {
        let (table, all) = sizes(options, &mut missed).await?;
        report_part(options, &table);
        value["sizes"] = Value::Array(all);
    }
    if is_wanted(Part::Grants) {
        grants::build()?;
        let figures = grants::measure().await.context("sign-ins during a first sync")?;
        report_part(options, &figures.rows());
        value["grants"] = figures.json();
        missed.extend(figures.missed());
    }
    if options.json {
        println!("{value:#}");
    }
    ensure!(missed.is_empty(), "missed:\n  {}", missed.join("\n  "));
    Ok(())
}

fn report_part(options: &Options, table: &[Vec<String>]) {
    if !options.json {
        println!("{}\n", markdown(table));
    }
}

/// The rows of the table, and the figures.
async fn sizes(options: &Options, missed: &mut Vec<String>) -> Result<(Vec<Vec<String>>, Vec<Value>)> {
    for (package, what) in
        [("membermail-stand-ins", ["--bin", "stand-ins"]), ("membermail-sync", ["--example", "measure"])]
    {
        let mut cargo = Command::new("cargo");
        cargo.current_dir(membermail_toolbox::workspace());
        said(cargo.args(["build", "--release", "--package", package]).args(what))?;
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
        for (run, figures) in size(*people).await.with_context(|| format!("{people} people"))? {
            let number = |name: &str| figures[name].as_f64().unwrap_or_default();
            missed
                .extend(goals(*people, run, &figures).into_iter().map(|why| format!("{people} people, {run}: {why}")));
            let mut row = vec![people.to_string(), run.to_owned()];
            row.extend(["seconds", "cpu_seconds", "peak_mb"].map(|name| format!("{:.1}", number(name))));
            row.extend(["launchpad", "reads", "item_writes", "steps"].map(|name| format!("{:.0}", number(name))));
            table.push(row);
            all.push(json!({ "people": people, "run": run, "figures": figures }));
        }
    }
    Ok((table, all))
}

/// What a run is to be like, and is not.
fn goals(people: usize, run: &str, figures: &Value) -> Vec<String> {
    let number = |name: &str| figures[name].as_u64().unwrap_or_default();
    let mut missed = Vec::new();
    let mut exactly = |name: &str, wanted: Value| {
        if figures[name] != wanted {
            missed.push(format!("{name} {}, not {wanted}", figures[name]));
        }
    };
    exactly("most_in_flight", json!(1));
    // Its aliases, once.
    exactly("domain_readings", json!(1));
    let pages = number("participants").div_ceil(PAGE);
    match run {
        UNCHANGED => {
            exactly("state", json!("unchanged"));
            exactly("steps", json!(0));
            exactly("item_writes", json!(0));
            // The pages, the team itself, and one request a member of the rolling check.
            exactly("launchpad", json!(pages + 1 + number("rolling")));
        }
        SKIPPED => {
            exactly("is_skipped", json!(true));
            exactly("state", json!("unchanged"));
            exactly("steps", json!(0));
            exactly("item_writes", json!(0));
            // The team itself, its total, and one request a member of the rolling check.
            exactly("launchpad", json!(2 + number("rolling")));
        }
        RESUMED => {
            exactly("state", json!("unchanged"));
            exactly("steps", json!(0));
            // Each part asks about the team, and no page is read twice.
            exactly("launchpad", json!(pages + 2 + number("rolling")));
        }
        CHANGED => {
            exactly("state", json!("applied"));
            exactly("steps", json!(people / 100));
        }
        _ => exactly("steps", json!(0)),
    }
    let mut most = |name: &str, most: f64| {
        if figures[name].as_f64().is_none_or(|found| found > most) {
            missed.push(format!("{name} {}, at most {most}", figures[name]));
        }
    };
    if matches!(run, UNCHANGED | SKIPPED) {
        most("cpu_seconds", CPU_SECONDS);
        most("peak_mb", PEAK_MB);
        let rolling = u32::try_from(number("rolling")).map_or(f64::MAX, f64::from);
        most("observations", rolling);
        most("names", rolling);
        most("cursors", 1.0);
    }
    missed
}

/// The runs of one size.
async fn size(people: usize) -> Result<Vec<(&'static str, Value)>> {
    let state = site::state("bench-sync");
    let _ = std::fs::remove_dir_all(&state);
    std::fs::create_dir_all(&state)?;
    let dynamodb = dynamodb(&state).await?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let table = listener.local_addr()?.port();
    let counting = Counting::start(listener, &format!("http://127.0.0.1:{}", dynamodb.port))?;
    let launchpad = stand_ins::crowd(free_port()?, people, &state, Profile::Release).await?;
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
    /// Port of the table, where what is asked for is counted.
    table: u16,
    /// Port of the table itself.
    direct: u16,
    counting: Counting,
}

impl World {
    /// One sync in a process of its own, which is all that is measured; where it is interrupted, in two, of which the
    /// second is.
    async fn run(&self, what: &str, is_interrupted: bool) -> Result<Value> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let counts = format!("{}/control/counts", self.launchpad.url);
        let team = format!("{}/control/teams/ubuntumembers", self.launchpad.url);
        let team: Value = client.get(team).send().await?.json().await?;
        let participants = team["participants"].as_u64().context("no participants")?;
        client.delete(&counts).send().await?.error_for_status()?;
        drop((self.counting.take(), self.counting.take_items(), self.counting.take_partitions()));
        if is_interrupted {
            self.interrupt((participants.div_ceil(PAGE) / 2).max(1)).await?;
        }
        let mut figures = self.measure(what, self.table).await?;
        let (calls, mut items) = (self.counting.take(), self.counting.take_items());
        let of =
            |names: &[&str]| -> u64 { names.iter().filter_map(|name| calls.get(&format!("dynamodb.{name}"))).sum() };
        let asked: Value = client.get(&counts).send().await?.json().await?;
        figures["launchpad"] = asked["launchpad"].clone();
        figures["most_in_flight"] = asked["launchpad_most_in_flight"].clone();
        figures["reads"] = json!(of(&["GetItem", "BatchGetItem", "Query"]));
        figures["domain_readings"] = json!(self.counting.take_partitions().get("DOMAIN/ALIAS"));
        // The run's own entry and its lease, and what the rolling check observed and where it goes on.
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

    /// A sync that is aborted after so many pages.
    async fn interrupt(&self, pages: u64) -> Result<()> {
        let mut command = tokio::process::Command::from(self.program("run", self.table));
        command.args(["--stop-after", &pages.to_string()]).stderr(Stdio::null()).stdout(Stdio::null());
        let status = command.status().await?;
        ensure!(status.signal().is_some(), "it was not aborted, but ended with {status}");
        Ok(())
    }

    /// Starts the program that does it: see shared/sync/examples/measure.rs.
    async fn measure(&self, what: &str, table: u16) -> Result<Value> {
        let mut command = self.program(what, table);
        let what = what.to_owned();
        // The counting proxy is a task of this process, so its thread must not be held up by the wait.
        let text = tokio::task::spawn_blocking(move || step::run(&what, &mut command)).await??;
        serde_json::from_str(text.lines().last().unwrap_or_default()).with_context(|| text.clone())
    }

    fn program(&self, what: &str, table: u16) -> Command {
        let mut command = aws(Command::new(built("release", "examples/measure")), table);
        command.args([what, "--launchpad", &self.launchpad.url]);
        command
    }

    /// Half of so many leave, and half are renamed.
    async fn change(&self, many: usize) -> Result<()> {
        let name = |number: usize| format!("member{:04}", 1 + number);
        let changes: serde_json::Map<String, Value> = (0..many)
            .map(|number| {
                let change = match number % 2 {
                    0 => json!({ "leave": ["ubuntumembers"] }),
                    _ => json!({ "name": format!("renamed{number}") }),
                };
                (name(number), change)
            })
            .collect();
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
            "most_in_flight": 1, "domain_readings": 1, "observations": 3, "names": 0, "cursors": 1,
            "cpu_seconds": 0.1, "peak_mb": 9.0,
        })
    }

    #[rstest::rstest]
    #[case::state("state", json!("failed"))]
    #[case::steps("steps", json!(1))]
    #[case::item_writes("item_writes", json!(1))]
    #[case::one_request_more("launchpad", json!(9))]
    #[case::one_request_less("launchpad", json!(7))]
    #[case::at_once("most_in_flight", json!(2))]
    #[case::read_twice("domain_readings", json!(2))]
    #[case::never_read("domain_readings", Value::Null)]
    #[case::observations("observations", json!(4))]
    #[case::names("names", json!(4))]
    #[case::cursors("cursors", json!(2))]
    #[case::cpu("cpu_seconds", json!(5.1))]
    #[case::memory("peak_mb", Value::Null)]
    fn unchanged_run_misses_goal(#[case] name: &str, #[case] bad: Value) {
        assert_eq!(goals(900, UNCHANGED, &unchanged()), [""; 0]);
        let mut figures = unchanged();
        figures[name] = bad;
        assert_eq!(goals(900, UNCHANGED, &figures).len(), 1);
    }

    #[test]
    fn skipped_run_reads_no_page() {
        let mut skipped = unchanged();
        (skipped["is_skipped"], skipped["launchpad"]) = (json!(true), json!(5));
        assert_eq!(goals(900, SKIPPED, &skipped), [""; 0]);
        skipped["launchpad"] = json!(8);
        assert_eq!(goals(900, SKIPPED, &skipped).len(), 1);
        skipped["is_skipped"] = json!(false);
        assert_eq!(goals(900, SKIPPED, &skipped).len(), 2);
    }

    #[test]
    fn changed_run_has_its_steps() {
        let changed = json!({ "state": "applied", "steps": 9, "most_in_flight": 1, "domain_readings": 1 });
        assert_eq!(goals(900, CHANGED, &changed), [""; 0]);
        assert_eq!(goals(1_000, CHANGED, &changed).len(), 1);
    }

    #[test]
    fn resumed_run_reads_no_page_twice() {
        let mut resumed = unchanged();
        (resumed["launchpad"], resumed["item_writes"]) = (json!(9), json!(2));
        assert_eq!(goals(900, RESUMED, &resumed), [""; 0]);
        resumed["launchpad"] = json!(10);
        assert_eq!(goals(900, RESUMED, &resumed).len(), 1);
    }
}
