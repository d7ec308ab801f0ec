//! `cargo dev bench sync`: the cost of a sync by team size. docs/benchmarks.md describes the measurement.

mod source;
mod targets;
mod world;

use anyhow::{Context, Result, ensure};
use membermail_toolbox::step;
use serde_json::{Value, json};

use super::figures::markdown;
use super::grants;
use crate::tools;
use source::Source;
use targets::missed_targets;
use world::measure_size;

// Names of the runs.
const FIRST: &str = "first";
const UNCHANGED: &str = "no change";
const SKIPPED: &str = "not read";
const RESUMED: &str = "resumed";
const CHANGED: &str = "1% change";

/// Options of `cargo dev bench sync`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Membership source
    #[arg(long, value_enum, default_value_t)]
    source: Source,
    /// Team sizes [default: 1000, 10000 and 100000 for Launchpad, 1000 and 10000 for GitLab]
    #[arg(long, value_delimiter = ',')]
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
    /// Wait of a sign-in during a first sync, whatever the source
    Grants,
}

/// Measures each size with a separate table and membership source, and the wait of sign-ins.
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
    // The wait does not depend on the source.
    let has_grants = options.source == Source::Launchpad || options.only == Some(Part::Grants);
    if options.only != Some(Part::Sizes) && has_grants {
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
    let source = options.source;
    let requests = format!("{} requests", source.title());
    let head = ["people", "run", "seconds", "our CPU s", "peak MB", &requests, "table reads", "item writes", "steps"];
    let mut table = vec![head.map(str::to_owned).to_vec()];
    let mut all = Vec::new();
    let sizes = if options.people.is_empty() { source.sizes() } else { &options.people };
    for people in sizes {
        for (run, figures) in measure_size(source, *people).await.with_context(|| format!("{people} people"))? {
            let why = missed_targets(source, *people, run, &figures);
            missed.extend(why.into_iter().map(|why| format!("{people} people, {run}: {why}")));
            let mut row = vec![people.to_string(), run.to_owned()];
            for (names, digits) in
                [(&["seconds", "cpu_seconds", "peak_mb"][..], 1), (&["requests", "reads", "item_writes", "steps"], 0)]
            {
                row.extend(names.iter().map(|name| format!("{:.digits$}", figures[name].as_f64().unwrap_or_default())));
            }
            table.push(row);
            all.push(json!({ "source": source.title(), "people": people, "run": run, "figures": figures }));
        }
    }
    Ok((table, all))
}
