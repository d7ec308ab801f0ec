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
            if run == "no change" && number("item_writes") > 0.0 {
                missed.push(format!("{people} people, {run}: {} items were written", number("item_writes")));
            }
            for (name, most) in [("cpu_seconds", CPU_SECONDS), ("peak_mb", PEAK_MB)] {
                if run == "no change" && number(name) > most {
                    missed.push(format!("{people} people, {run}: {name} {}, at most {most}", number(name)));
                }
            }
            let mut row = vec![people.to_string(), run.to_owned()];
            row.extend(["seconds", "cpu_seconds", "peak_mb"].map(|name| format!("{:.1}", number(name))));
            row.extend(["launchpad", "reads", "item_writes", "steps"].map(|name| format!("{:.0}", number(name))));
            table.push(row);
            all.push(json!({ "people": people, "run": run, "figures": figures }));
        }
    }
    report(options.json.then_some(&Value::Array(all)), &table, &missed)
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
        let mut figures = self.measure("run", self.table).await?;
        let calls = self.counting.take();
        let of =
            |names: &[&str]| -> u64 { names.iter().filter_map(|name| calls.get(&format!("dynamodb.{name}"))).sum() };
        let asked: Value = client.get(&counts).send().await?.json().await?;
        figures["launchpad"] = asked["launchpad"].clone();
        figures["most_in_flight"] = asked["launchpad_most_in_flight"].clone();
        figures["reads"] = json!(of(&["GetItem", "Query"]));
        figures["writes"] = json!(of(&["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"]));
        // Its own entry: one write when it begins, and one when it ends. Whatever is beyond is an item's.
        let own = 2;
        figures["item_writes"] = json!(figures["writes"].as_u64().unwrap_or_default().saturating_sub(own));
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
