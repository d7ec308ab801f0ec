//! `cargo dev bench up`: start time of the site. The first start may install and compile, the second one does not.

use std::time::Instant;

use anyhow::Result;
use serde_json::json;

use super::figures::rounded;
use super::report;
use crate::emulator::{self, Emulator};
use crate::site::{self, Site};

/// Target for the second start in seconds.
const MAX_SECONDS: f64 = 30.0;

/// Options of `cargo dev bench up`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// AWS emulator
    #[arg(long, value_enum, default_value_t, env = emulator::VARIABLE)]
    emulator: Emulator,
}

/// Starts the site twice on free ports.
pub(crate) async fn up(options: &Options) -> Result<()> {
    let mut seconds = Vec::new();
    for _ in 0..2 {
        let started = Instant::now();
        let site = Site::start(&site::Options::named("bench-up", options.emulator)).await?;
        seconds.push(started.elapsed().as_secs_f64());
        site.stop()?;
    }
    let second = seconds.last().copied().unwrap_or(f64::INFINITY);
    let mut table = vec![["start", "seconds"].map(str::to_owned).to_vec()];
    for (name, seconds) in ["first", "second"].iter().zip(&seconds) {
        table.push(vec![(*name).to_owned(), format!("{seconds:.1}")]);
    }
    let slow = format!("the second start took {second:.1} s, maximum {MAX_SECONDS}");
    let missed = if second > MAX_SECONDS { vec![slow] } else { Vec::new() };
    let value = json!({ "seconds": seconds.iter().copied().map(rounded).collect::<Vec<_>>(), "missed": missed });
    report(options.json.then_some(&value), &table, &missed)
}
