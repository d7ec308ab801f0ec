//! `cargo dev bench mail`: how fast `alias-map` answers, beside Postfix's own `hash` table of the same aliases.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use membermail_core::random::{self, OsRandom};
use membermail_toolbox::{step, workspace};
use serde_json::Value;

use super::dynamodb::{Background, aws, built, dynamodb, free_port};

use crate::functions::said;
use crate::{mail, site, tools};

/// How much of it.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Aliases in the table
    #[arg(long, default_value_t = 1_000_000)]
    aliases: usize,
    /// Seconds that filling the table may take; the benchmark goes on with what is there then
    #[arg(long, default_value_t = 200)]
    fill_seconds: u64,
    /// Megabytes of cache, as the standard setting
    #[arg(long, default_value_t = 64)]
    cache_megabytes: u32,
}

/// The keys that are asked over and over.
const WARM: usize = 1_000;

/// Fills a table, asks, and prints a table of Markdown.
pub(crate) fn bench(options: &Options) -> Result<()> {
    tools::install()?;
    mail::install()?;
    let mut cargo = Command::new("cargo");
    cargo.current_dir(workspace()).args([
        "build",
        "--release",
        "--package",
        "membermail-alias-map",
        "--bins",
        "--examples",
    ]);
    said(&mut cargo)?;
    let state = site::state("bench-mail");
    let _ = fs::remove_dir_all(&state);
    fs::create_dir_all(&state)?;
    let (secret, key) = (state.join("secret"), random::bytes::<32>(&OsRandom));
    fs::write(&secret, key.map(|byte| format!("{byte:02x}")).concat())?;
    let dynamodb = dynamodb(&state)?;
    let aliases = step::during("fill the table", || {
        let mut fill = aws(Command::new(built("examples/load")), dynamodb.port);
        fill.args(["fill", "--table", "bench", "--secret"]).arg(&secret);
        fill.args(["--count", &options.aliases.to_string(), "--seconds", &options.fill_seconds.to_string()]);
        let done: Value = serde_json::from_str(&step::quietly(&mut fill)?)?;
        done["aliases"].as_u64().and_then(|count| usize::try_from(count).ok()).context("no count")
    })?;
    ensure!(aliases > 4 * WARM, "only {aliases} aliases could be written in time");
    let map = AliasMap::start(&state, &secret, dynamodb.port, options.cache_megabytes)?;
    println!("\n| {aliases} aliases | look-ups a second | p50 | p99 | memory |\n| --- | --- | --- | --- | --- |");
    map.ask(0, WARM, WARM * 5, 4)?;
    map.row("warm cache, 1 connection", 0, WARM, 100_000, 1)?;
    map.row("warm cache, 8 connections", 0, WARM, 200_000, 8)?;
    // Each about once: what is asked twice by chance is too little to count.
    map.row("cold cache, 8 connections", WARM, aliases - WARM, 5_000, 8)?;
    map.row("all aliases at random, 8 connections", 0, aliases, 100_000, 8)?;
    map.ask(0, WARM, WARM * 5, 4)?;
    map.row("warm cache again, 8 connections", 0, WARM, 200_000, 8)?;
    beside_postfix(&state, &map, aliases)
}

/// The same keys, the same client: Postfix's own `postmap -q -`.
fn beside_postfix(state: &Path, map: &AliasMap, aliases: usize) -> Result<()> {
    let etc = state.join("etc");
    fs::create_dir_all(&etc)?;
    fs::write(etc.join("main.cf"), "compatibility_level = 3.6\n")?;
    let (table, keys) = (state.join("table"), state.join("keys"));
    let mut file = BufWriter::new(File::create(&table)?);
    for number in 0..aliases {
        writeln!(file, "somebody{number}@ubuntu.com somebody{number}@mail.example")?;
    }
    file.flush()?;
    let mut file = BufWriter::new(File::create(&keys)?);
    for number in 0..50_000 {
        writeln!(file, "somebody{}@ubuntu.com", number % WARM)?;
    }
    file.flush()?;
    let postmap = || {
        let mut postmap = Command::new("/usr/sbin/postmap");
        postmap.arg("-c").arg(&etc);
        postmap
    };
    step::run("make the same aliases a hash table of Postfix", postmap().arg(format!("hash:{}", table.display())))?;
    for (name, table) in [
        ("`postmap -q -` of a warm alias-map", format!("socketmap:inet:127.0.0.1:{}:alias", map.port)),
        ("`postmap -q -` of `hash`", format!("hash:{}", table.display())),
    ] {
        let begin = Instant::now();
        let found = step::quietly(postmap().args(["-q", "-"]).arg(table).stdin(File::open(&keys)?))?;
        let took = begin.elapsed().as_secs_f64();
        ensure!(found.lines().count() == 50_000, "{name} found {} of 50,000", found.lines().count());
        println!("| {name} | {:.0} | | | |", 50_000.0 / took);
    }
    Ok(())
}

/// The server, on one core of its own.
struct AliasMap {
    port: u16,
    background: Background,
}

impl AliasMap {
    fn start(state: &Path, secret: &Path, dynamodb: u16, cache_megabytes: u32) -> Result<Self> {
        let port = free_port()?;
        let settings = state.join("alias-map.toml");
        let text = format!(
            "community = \"ubuntu\"\ntable = \"bench\"\nmaster-secret-file = \"{}\"\nlisten = [\"inet:127.0.0.1:{port}\"]\n\
             cache-megabytes = {cache_megabytes}\nhits = \"10m\"\n",
            secret.display()
        );
        fs::write(&settings, text)?;
        let mut command = Command::new("taskset");
        command.args(["--cpu-list", "0"]).arg(built("membermail-alias-map")).arg("--config").arg(&settings);
        let background = Background::start(&mut aws(command, dynamodb), port, &state.join("alias-map.log"))?;
        Ok(Self { port, background })
    }

    fn ask(&self, first: usize, among: usize, questions: usize, connections: usize) -> Result<Value> {
        let mut ask = Command::new(built("examples/load"));
        ask.args(["ask", "--at", &format!("inet:127.0.0.1:{}", self.port), "--first", &first.to_string()]);
        ask.args(["--among", &among.to_string(), "--questions", &questions.to_string()]);
        ask.args(["--connections", &connections.to_string()]);
        Ok(serde_json::from_str(&step::quietly(&mut ask)?)?)
    }

    fn row(&self, name: &str, first: usize, among: usize, questions: usize, connections: usize) -> Result<()> {
        let got = self.ask(first, among, questions, connections)?;
        let status = fs::read_to_string(format!("/proc/{}/status", self.background.process.pid))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kilobytes: u64 = resident.trim().trim_end_matches("kB").trim().parse()?;
        println!(
            "| {name} | {} | {} ms | {} ms | {} MB |",
            got["a_second"],
            got["p50_ms"],
            got["p99_ms"],
            kilobytes / 1_024
        );
        Ok(())
    }
}
