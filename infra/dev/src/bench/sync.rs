//! `cargo dev bench sync`: what a sync costs by the size of its team. docs/benchmarks.md says what is measured and why so.

use std::process::Command;

use anyhow::{Context, Result};
use membermail_toolbox::service::Service;
use membermail_toolbox::step;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::counting::Counting;
use super::dynamodb::{aws, built, dynamodb, free_port};
use super::report;
use crate::functions::said;
use crate::{site, stand_ins, tools};

/// What a run at the largest size may take of our own.
const CPU_SECONDS: f64 = 5.0;
const PEAK_MB: f64 = 100.0;
/// People on a page of Launchpad's.
const PAGE: u64 = 300;

/// How much, and how it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Sizes of the team
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000, 100_000])]
    people: Vec<usize>,
    /// JSON in the place of a table
    #[arg(long)]
    json: bool,
}

/// Measures each size with a table and a Launchpad of its own.
pub(crate) async fn sync(options: &Options) -> Result<()> {
    tools::install()?;
    membermail_localstack::install()?;
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
    let (mut all, mut missed) = (Vec::new(), Vec::new());
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
    report(options.json.then_some(&Value::Array(all)), &table, &missed)
}

/// What a run is to be like, and is not.
fn goals(people: usize, run: &str, figures: &Value) -> Vec<String> {
    let mut missed = Vec::new();
    let mut exactly = |name: &str, wanted: Value| {
        if figures[name] != wanted {
            missed.push(format!("{name} {}, not {wanted}", figures[name]));
        }
    };
    exactly("most_in_flight", json!(1));
    match run {
        "no change" => {
            exactly("state", json!("unchanged"));
            exactly("steps", json!(0));
            exactly("item_writes", json!(0));
            exactly("launchpad", json!(figures["participants"].as_u64().unwrap_or_default().div_ceil(PAGE)));
            for (name, most) in [("cpu_seconds", CPU_SECONDS), ("peak_mb", PEAK_MB)] {
                if figures[name].as_f64().is_none_or(|found| found > most) {
                    missed.push(format!("{name} {}, at most {most}", figures[name]));
                }
            }
        }
        "1% change" => {
            exactly("state", json!("applied"));
            exactly("steps", json!(people / 100));
        }
        _ => exactly("state", json!("applied")),
    }
    missed
}

/// The three runs of one size.
async fn size(people: usize) -> Result<Vec<(&'static str, Value)>> {
    let state = site::state("bench-sync");
    let _ = std::fs::remove_dir_all(&state);
    std::fs::create_dir_all(&state)?;
    let dynamodb = dynamodb(&state).await?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let table = listener.local_addr()?.port();
    let counting = Counting::start(listener, &format!("http://127.0.0.1:{}", dynamodb.port))?;
    let launchpad = stand_ins::crowd(free_port()?, people, &state).await?;
    let world = World { launchpad, table, direct: dynamodb.port, counting };
    world.measure("fill", world.direct).await?;
    let first = world.run().await?;
    world.measure("apply", world.direct).await?;
    let unchanged = world.run().await?;
    world.change(people / 100).await?;
    let changed = world.run().await?;
    Ok(vec![("first", first), ("no change", unchanged), ("1% change", changed)])
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
    /// One sync in a process of its own, which is all that is measured.
    async fn run(&self) -> Result<Value> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let counts = format!("{}/control/counts", self.launchpad.url);
        client.delete(&counts).send().await?.error_for_status()?;
        self.counting.take();
        self.counting.take_items();
        let mut figures = self.measure("run", self.table).await?;
        let (calls, items) = (self.counting.take(), self.counting.take_items());
        let of =
            |names: &[&str]| -> u64 { names.iter().filter_map(|name| calls.get(&format!("dynamodb.{name}"))).sum() };
        let asked: Value = client.get(&counts).send().await?.json().await?;
        figures["launchpad"] = asked["launchpad"].clone();
        figures["most_in_flight"] = asked["launchpad_most_in_flight"].clone();
        figures["reads"] = json!(of(&["GetItem", "Query"]));
        // Its own entry and its lease, when it begins and when it ends. Whatever is beyond is an item's.
        let others = items.iter().filter(|(kind, _)| !["SYNC/RUN", "SYNC/LEASE"].contains(&kind.as_str()));
        figures["item_writes"] = json!(others.map(|(_, count)| count).sum::<u64>());
        let team = format!("{}/control/teams/ubuntumembers", self.launchpad.url);
        let team: Value = client.get(team).send().await?.json().await?;
        figures["participants"] = team["participants"].clone();
        Ok(figures)
    }

    /// Starts the program that does it: see shared/sync/examples/measure.rs.
    async fn measure(&self, what: &str, table: u16) -> Result<Value> {
        let mut command = aws(Command::new(built("release", "examples/measure")), table);
        command.args([what, "--launchpad", &self.launchpad.url]);
        let what = what.to_owned();
        // The counting proxy is a task of this process, so its thread must not be held up by the wait.
        let text = tokio::task::spawn_blocking(move || step::run(&what, &mut command)).await??;
        serde_json::from_str(text.lines().last().unwrap_or_default()).with_context(|| text.clone())
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

    #[test]
    fn a_run_that_does_too_much_or_too_little_is_told() {
        let unchanged = json!({
            "state": "unchanged", "steps": 0, "item_writes": 0, "participants": 901, "launchpad": 4, "most_in_flight": 1,
            "cpu_seconds": 0.1, "peak_mb": 9.0,
        });
        assert!(goals(900, "no change", &unchanged).is_empty());
        for (name, bad) in [
            ("state", json!("failed")),
            ("steps", json!(1)),
            ("item_writes", json!(1)),
            ("launchpad", json!(5)),
            ("launchpad", json!(3)),
            ("most_in_flight", json!(2)),
            ("cpu_seconds", json!(5.1)),
            ("peak_mb", Value::Null),
        ] {
            let mut figures = unchanged.clone();
            figures[name] = bad;
            assert_eq!(goals(900, "no change", &figures).len(), 1, "{name}");
        }
        let changed = json!({ "state": "applied", "steps": 9, "most_in_flight": 1 });
        assert!(goals(900, "1% change", &changed).is_empty());
        assert_eq!(goals(1_000, "1% change", &changed).len(), 1);
    }
}
