//! `cargo dev bench mail`: lookup speed of `alias-map`, compared with Postfix's own tables, and the speed of the whole mail
//! host. docs/mail.md describes the measurements.

mod host;

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use membermail_core::random::{self, OsRandom};
use membermail_toolbox::apt::{self, Requirement};
use membermail_toolbox::net::free_port;
use membermail_toolbox::step;
use serde_json::{Value, json};

use crate::aws::keep_local;
use crate::bench::figures::{markdown, rounded};
use crate::bench::report;
use crate::builds::Profile;
use crate::dynamodb::{BENCHMARK_HEAP, Background, start_dynamodb, with_dynamodb};
use crate::functions::program_of;

use crate::{mail, site, tools};

/// Target: lookups per second with a warm cache on one core.
const MIN_LOOKUPS_PER_SECOND: f64 = 20_000.0;
/// Target: 99th percentile in milliseconds.
const MAX_P99: f64 = 1.0;
/// Target: peak memory in MB.
const MAX_MEMORY: f64 = 200.0;

/// Number of keys in the warm cache.
const WARM: usize = 1_000;
/// Concurrent connections. Each Postfix process has one and waits for each reply.
const CONNECTIONS: usize = 8;
/// Sequential `postmap` lookups.
const POSTMAP_LOOKUPS: usize = 50_000;

/// LMDB support of Postfix, a separate package in Debian.
const LMDB: Requirement<'_> = Requirement { programs: &["/usr/lib/postfix/postfix-lmdb.so"], package: "postfix-lmdb" };

/// Options of `cargo dev bench mail`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Number of aliases
    #[arg(long, default_value_t = 1_000_000)]
    aliases: usize,
    /// Time limit for filling the table, in seconds; the benchmark continues with fewer aliases but fails
    #[arg(long, default_value_t = 240)]
    fill_seconds: u64,
    /// Cache size in MB; defaults to the setting of alias-map
    #[arg(long, default_value_t = 64)]
    cache_megabytes: u32,
    /// Measure the whole mail host only, not the lookups
    #[arg(long)]
    host_only: bool,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// Rows of the report and missed targets.
#[derive(Default)]
struct Figures {
    rows: Vec<Value>,
    /// Rows of the whole mail host.
    host_rows: Vec<Value>,
    missed: Vec<String>,
}

/// Fills a table and measures lookups.
pub(crate) async fn bench(options: &Options) -> Result<()> {
    tools::install()?;
    membermail_localstack::install()?;
    mail::install()?;
    apt::install(&[LMDB])?;
    let build = ["build", "--profile", "host", "--package", "membermail-alias-map", "--bins", "--examples"];
    step::run_attached(step::cargo().args(build))?;
    let state = site::empty_state("bench-mail")?;
    let secret = state.join("secret");
    fs::write(&secret, random::bytes::<32>(&OsRandom).map(|byte| format!("{byte:02x}")).concat())?;
    let files = Files { state, secret, cache_megabytes: options.cache_megabytes };
    let mut figures = Figures::default();
    let dynamodb = start_dynamodb(&files.state, BENCHMARK_HEAP).await?;
    let aliases = files.fill(options, dynamodb.port)?;
    if aliases < options.aliases {
        figures.missed.push(format!("only {aliases} of {} aliases were written in time", options.aliases));
    }
    if !options.host_only {
        figures.measure_lookups(&files, dynamodb.port, aliases).await?;
    }
    let (host_rows, missed) = host::measure(&files, dynamodb.port).await?;
    figures.host_rows = host_rows;
    figures.missed.extend(missed);
    figures.print_report(options)
}

/// Files of the benchmark.
struct Files {
    state: PathBuf,
    secret: PathBuf,
    cache_megabytes: u32,
}

impl Files {
    /// Writes aliases until the time limit and returns their number.
    fn fill(&self, options: &Options, table: u16) -> Result<usize> {
        let aliases = step::with_progress("fill the table", || {
            let mut fill = with_dynamodb(program_of("examples/load", Profile::Host), table);
            fill.args(["fill", "--table", "bench", "--secret"]).arg(&self.secret);
            fill.args(["--count", &options.aliases.to_string(), "--seconds", &options.fill_seconds.to_string()]);
            let result: Value = serde_json::from_str(&step::capture(&mut fill)?)?;
            result["aliases"].as_u64().and_then(|count| usize::try_from(count).ok()).context("no count")
        })?;
        ensure!(aliases > 4 * WARM, "only {aliases} aliases were written in time");
        Ok(aliases)
    }

    /// Starts alias-map, pinned to one core.
    async fn start_alias_map(&self, table: u16) -> Result<AliasMap> {
        let port = free_port()?;
        let settings = self.state.join("alias-map.toml");
        let text = format!(
            "community = \"ubuntu\"\ntable = \"bench\"\nmaster-secret-file = \"{}\"\n\
             listen = [\"inet:127.0.0.1:{port}\"]\noperators = \"operators@ops.example\"\n\
             host-name = \"mx.forwards.example\"\nreturn-path-domain = \"back.forwards.example\"\n\
             metrics = \"127.0.0.1:{}\"\ncache-megabytes = {}\nhits = \"10m\"\n",
            self.secret.display(),
            // Metrics are on, as on a mail host.
            free_port()?,
            self.cache_megabytes
        );
        fs::write(&settings, text)?;
        let mut command = pinned_to("0");
        command.arg(program_of("membermail-alias-map", Profile::Host)).arg("--config").arg(&settings);
        keep_local(&mut command, &format!("http://127.0.0.1:{table}"));
        Ok(AliasMap(Background::start("alias-map", command, port, self.state.join("alias-map.log")).await?))
    }
}

/// A command that pins its program to these cores.
fn pinned_to(list: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", list]);
    command
}

/// A command that pins its program to all cores but the first, which is alias-map's, if there are several.
fn pinned_to_other_cores() -> Command {
    let last = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) - 1;
    pinned_to(&if last == 0 { "0".to_owned() } else { format!("1-{last}") })
}

struct AliasMap(Background);

impl AliasMap {
    /// Looks up random aliases of the range that starts at number `first`.
    fn query(&self, first: usize, range_size: usize, lookups: usize, connections: usize) -> Result<Value> {
        let mut client = pinned_to_other_cores();
        client.arg(program_of("examples/load", Profile::Host));
        client.args([
            "look-up",
            "--endpoint",
            &format!("inet:127.0.0.1:{}", self.0.port),
            "--first",
            &first.to_string(),
        ]);
        client.args(["--range-size", &range_size.to_string(), "--lookups", &lookups.to_string()]);
        client.args(["--connections", &connections.to_string()]);
        Ok(serde_json::from_str(&step::capture(&mut client)?)?)
    }
}

impl Figures {
    async fn measure_lookups(&mut self, files: &Files, table: u16, aliases: usize) -> Result<()> {
        let map = files.start_alias_map(table).await?;
        map.query(0, WARM, WARM * 5, CONNECTIONS)?;
        self.measure(&map, "warm cache, 1 connection", (0, WARM), 60_000, 1)?;
        self.measure_warm(&map, "warm cache")?;
        self.measure(&map, "cold cache", (WARM, aliases - WARM), 10_000, CONNECTIONS)?;
        // More keys than the cache holds, to show its memory limit.
        self.measure(&map, "all aliases at random", (0, aliases), 200_000, CONNECTIONS)?;
        map.query(0, WARM, WARM * 5, CONNECTIONS)?;
        self.measure_warm(&map, "warm cache, after that")?;
        self.measure_postmap(files, &map, aliases)
    }

    fn measure(
        &mut self,
        map: &AliasMap,
        name: &str,
        (first, range_size): (usize, usize),
        lookups: usize,
        connections: usize,
    ) -> Result<()> {
        let process = map.0.service.process;
        let cpu_before = process.cpu_time()?;
        let mut row = step::with_progress(name, || map.query(first, range_size, lookups, connections))?;
        let cpu = process.cpu_time()? - cpu_before;
        let micros = cpu.as_secs_f64() * 1e6 / row["lookups"].as_f64().context("no count")?;
        row["cpu_us"] = json!((micros * 10.0).round() / 10.0);
        let memory = process.peak_memory()?;
        row["name"] = json!(name);
        row["connections"] = json!(connections);
        row["peak_mb"] = json!(rounded(memory));
        if memory > MAX_MEMORY {
            self.missed.push(format!("{name}: {memory:.0} MB, maximum {MAX_MEMORY}"));
        }
        self.rows.push(row);
        Ok(())
    }

    /// Measures a warm cache, which has targets for speed.
    fn measure_warm(&mut self, map: &AliasMap, name: &str) -> Result<()> {
        self.measure(map, name, (0, WARM), 200_000, CONNECTIONS)?;
        let row = self.rows.last().context("no row")?;
        let per_second = row["per_second"].as_f64().context("no per_second")?;
        let p99 = row["p99_ms"].as_f64().context("no p99_ms")?;
        if per_second < MIN_LOOKUPS_PER_SECOND {
            self.missed.push(format!("{name}: {per_second:.0} lookups/s, minimum {MIN_LOOKUPS_PER_SECOND:.0}"));
        }
        if p99 > MAX_P99 {
            self.missed.push(format!("{name}: p99 {p99} ms, maximum {MAX_P99}"));
        }
        Ok(())
    }

    /// Compares alias-map with an LMDB table of Postfix: same keys and destinations, same client (`postmap -q -`).
    fn measure_postmap(&mut self, files: &Files, map: &AliasMap, aliases: usize) -> Result<()> {
        let etc = files.state.join("etc");
        fs::create_dir_all(&etc)?;
        let settings = "compatibility_level = 3.6\nlmdb_map_size = 1073741824\n";
        fs::write(etc.join("main.cf"), settings)?;
        let table = files.state.join("table");
        let keys = files.state.join("keys");
        let mut file = BufWriter::new(File::create(&table)?);
        for number in 0..aliases {
            let destinations = (0..=number % 5)
                .map(|offset| format!("member{}.{}@mail.example", number % 500, (number + offset) % 10))
                .collect::<Vec<_>>();
            writeln!(file, "somebody{number}@ubuntu.com {}", destinations.join(", "))?;
        }
        file.flush()?;
        let mut file = BufWriter::new(File::create(&keys)?);
        for number in 0..POSTMAP_LOOKUPS {
            writeln!(file, "somebody{}@ubuntu.com", number % WARM)?;
        }
        file.flush()?;
        let lmdb = format!("lmdb:{}", table.display());
        step::run("create an LMDB table of the aliases", postmap(&etc).arg(&lmdb))?;
        let socketmap = format!("socketmap:inet:127.0.0.1:{}:alias", map.0.port);
        for (name, table) in [("`postmap -q -` of alias-map, warm", &socketmap), ("`postmap -q -` of `lmdb`", &lmdb)] {
            let started = Instant::now();
            let found = step::capture(postmap(&etc).args(["-q", "-"]).arg(table).stdin(File::open(&keys)?))?;
            let seconds = started.elapsed().as_secs_f64();
            let count = found.lines().count();
            ensure!(count == POSTMAP_LOOKUPS, "{name} found {count} of {POSTMAP_LOOKUPS}");
            let per_second = (POSTMAP_LOOKUPS as f64 / seconds).round();
            let row = json!({
                "name": name, "connections": 1, "lookups": POSTMAP_LOOKUPS, "per_second": per_second,
            });
            self.rows.push(row);
        }
        Ok(())
    }

    fn print_report(self, options: &Options) -> Result<()> {
        let head = ["table", "connections", "lookups", "per second", "p50 ms", "p99 ms", "max ms", "CPU µs", "peak MB"];
        let mut table = vec![head.map(str::to_owned).to_vec()];
        for row in &self.rows {
            let mut cells = vec![row["name"].as_str().unwrap_or_default().to_owned()];
            cells.extend(["connections", "lookups", "per_second"].map(|field| cell(row, field, 0)));
            cells.extend(["p50_ms", "p99_ms", "max_ms"].map(|field| cell(row, field, 3)));
            cells.push(cell(row, "cpu_us", 1));
            cells.push(cell(row, "peak_mb", 0));
            table.push(cells);
        }
        let value = json!({
            "aliases": options.aliases, "rows": self.rows, "mail_host": self.host_rows, "missed": self.missed,
        });
        if !options.json {
            println!("{}\n", markdown(&self.host_table()));
        }
        report(options.json.then_some(&value), &table, &self.missed)
    }
}

impl Figures {
    fn host_table(&self) -> Vec<Vec<String>> {
        let head = ["mail host", "messages per second", "CPU ms", "Postfix", "rspamd", "alias-map", "p50 ms", "p99 ms"];
        let mut table = vec![head.map(str::to_owned).to_vec()];
        for row in &self.host_rows {
            let mut cells = vec![row["name"].as_str().unwrap_or_default().to_owned(), cell(row, "per_second", 0)];
            let times = ["cpu_ms", "postfix_cpu_ms", "rspamd_cpu_ms", "alias_map_cpu_ms"];
            cells.extend(times.map(|field| cell(row, field, 2)));
            cells.extend(["p50_ms", "p99_ms"].map(|field| cell(row, field, 1)));
            table.push(cells);
        }
        table
    }
}

/// `postmap` with the configuration in this folder.
fn postmap(etc: &Path) -> Command {
    let mut postmap = Command::new("/usr/sbin/postmap");
    postmap.arg("-c").arg(etc);
    postmap
}

fn cell(row: &Value, field: &str, digits: usize) -> String {
    row[field].as_f64().map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}"))
}
