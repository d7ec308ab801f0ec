//! `cargo dev bench up`: how long one waits for the site. The first start may install and compile, the second may not.

use std::time::Instant;

use anyhow::Result;
use serde_json::json;

use super::figures::rounded;
use super::report;
use crate::emulator::{self, Emulator};
use crate::site::{self, Site};

/// Seconds until the site is up, from the second time on.
const GOAL: f64 = 30.0;

/// How it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// JSON in the place of a table
    #[arg(long)]
    json: bool,
    /// What stands for AWS
    #[arg(long, value_enum, default_value_t, env = emulator::VARIABLE)]
    emulator: Emulator,
}

/// Starts the site twice, on ports that are free, and fails where the second start is slow.
pub(crate) async fn up(options: &Options) -> Result<()> {
    let mut seconds = Vec::new();
    for _ in 0..2 {
        let begin = Instant::now();
        let site = Site::start(&site::Options::named("bench-up", options.emulator)).await?;
        seconds.push(begin.elapsed().as_secs_f64());
        site.stop()?;
    }
    let second = seconds.last().copied().unwrap_or(f64::INFINITY);
    let mut table = vec![["start", "seconds"].map(str::to_owned).to_vec()];
    for (name, seconds) in ["first", "second"].iter().zip(&seconds) {
        table.push(vec![(*name).to_owned(), format!("{seconds:.1}")]);
    }
    let slow = format!("the second start took {second:.1} s, and no more than {GOAL} is wanted");
    let missed = if second > GOAL { vec![slow] } else { Vec::new() };
    let value = json!({ "seconds": seconds.iter().copied().map(rounded).collect::<Vec<_>>(), "missed": missed });
    report(options.json.then_some(&value), &table, &missed)
}
