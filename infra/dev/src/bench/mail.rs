//! `cargo dev bench mail`: how fast `alias-map` answers, beside Postfix's own tables of the same aliases. docs/mail.md says
//! what is measured and why so.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use membermail_core::random::{self, OsRandom};
use membermail_toolbox::apt::{self, Needed};
use membermail_toolbox::{step, workspace};
use serde_json::{Value, json};

use super::dynamodb::{Background, aws, built, dynamodb, free_port};
use super::figures::rounded;
use super::report;
use crate::functions::said;
use crate::{mail, site, tools};

/// Answers a second, at least, of a warm cache on one core.
const A_SECOND: f64 = 20_000.0;
/// And ninety-nine of a hundred within this, milliseconds.
const P99: f64 = 1.0;
/// Of memory at the most, MB.
const MEMORY: f64 = 200.0;

/// The keys that are asked over and over.
const WARM: usize = 1_000;
/// Connections at a time: each process of Postfix has one, and waits for each answer.
const CONNECTIONS: usize = 8;
/// Questions to `postmap`, one after the other.
const LISTED: usize = 50_000;

/// Postfix's `lmdb`, which Debian has by itself.
const LMDB: Needed<'_> = Needed { programs: &["/usr/lib/postfix/postfix-lmdb.so"], package: "postfix-lmdb" };

/// How much of it, and how it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Aliases there are
    #[arg(long, default_value_t = 1_000_000)]
    aliases: usize,
    /// Seconds that writing them to DynamoDB Local may take; it goes on with what is there then, and fails
    #[arg(long, default_value_t = 240)]
    fill_seconds: u64,
    /// Megabytes of cache, as the standard setting
    #[arg(long, default_value_t = 64)]
    cache_megabytes: u32,
    /// JSON in the place of a table
    #[arg(long)]
    json: bool,
}

/// What was measured, row by row.
#[derive(Default)]
struct Figures {
    rows: Vec<Value>,
    missed: Vec<String>,
}

/// Fills a table, asks, and fails where a goal is missed.
pub(crate) async fn bench(options: &Options) -> Result<()> {
    tools::install()?;
    membermail_localstack::install()?;
    mail::install()?;
    apt::install(&[LMDB])?;
    let mut cargo = Command::new("cargo");
    cargo.current_dir(workspace()).args(["build", "--profile", "host", "--package", "membermail-alias-map"]);
    said(cargo.args(["--bins", "--examples"]))?;
    let state = site::state("bench-mail");
    let _ = fs::remove_dir_all(&state);
    fs::create_dir_all(&state)?;
    let (secret, key) = (state.join("secret"), random::bytes::<32>(&OsRandom));
    fs::write(&secret, key.map(|byte| format!("{byte:02x}")).concat())?;
    let place = Place { state, secret, cache_megabytes: options.cache_megabytes };
    let mut figures = Figures::default();
    let dynamodb = dynamodb(&place.state).await?;
    let aliases = place.fill(options, dynamodb.port)?;
    if aliases < options.aliases {
        figures.missed.push(format!("{aliases} aliases could be written in time, of {}", options.aliases));
    }
    let map = place.alias_map(dynamodb.port).await?;
    map.ask(0, WARM, WARM * 5, CONNECTIONS)?;
    figures.ask(&map, "warm cache, 1 connection", (0, WARM), 60_000, 1)?;
    figures.warm(&map, "warm cache")?;
    figures.ask(&map, "cold cache", (WARM, aliases - WARM), 10_000, CONNECTIONS)?;
    // More than the cache holds, if a minute is enough for them: its bound is what is seen then.
    figures.ask(&map, "all aliases at random", (0, aliases), 200_000, CONNECTIONS)?;
    map.ask(0, WARM, WARM * 5, CONNECTIONS)?;
    figures.warm(&map, "warm cache, after that")?;
    figures.beside_postfix(&place, &map, aliases)?;
    figures.tell(options)
}

/// Where the benchmark keeps what it writes.
struct Place {
    state: PathBuf,
    secret: PathBuf,
    cache_megabytes: u32,
}

impl Place {
    /// Writes as many aliases as can be written in time, and says how many those are.
    fn fill(&self, options: &Options, table: u16) -> Result<usize> {
        let aliases = step::during("fill the table", || {
            let mut fill = aws(Command::new(built("host", "examples/load")), table);
            fill.args(["fill", "--table", "bench", "--secret"]).arg(&self.secret);
            fill.args(["--count", &options.aliases.to_string(), "--seconds", &options.fill_seconds.to_string()]);
            let done: Value = serde_json::from_str(&step::quietly(&mut fill)?)?;
            done["aliases"].as_u64().and_then(|count| usize::try_from(count).ok()).context("no count")
        })?;
        ensure!(aliases > 4 * WARM, "only {aliases} aliases could be written in time");
        Ok(aliases)
    }

    /// The server, on one core of its own.
    async fn alias_map(&self, table: u16) -> Result<AliasMap> {
        let port = free_port()?;
        let settings = self.state.join("alias-map.toml");
        let text = format!(
            "community = \"ubuntu\"\ntable = \"bench\"\nmaster-secret-file = \"{}\"\n\
             listen = [\"inet:127.0.0.1:{port}\"]\noperators = \"operators@ops.example\"\n\
             metrics = \"127.0.0.1:{}\"\ncache-megabytes = {}\nhits = \"10m\"\n",
            self.secret.display(),
            // It counts as it does on a mail host.
            free_port()?,
            self.cache_megabytes
        );
        fs::write(&settings, text)?;
        let mut command = on_cores("0");
        command.arg(built("host", "membermail-alias-map")).arg("--config").arg(&settings);
        let started = Background::start("alias-map", aws(command, table), port, self.state.join("alias-map.log"));
        Ok(AliasMap(started.await?))
    }
}

/// A program on these cores.
fn on_cores(list: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", list]);
    command
}

/// A program on all cores but the first, which is alias-map's; where there is only one they share it.
fn beside(command: Command) -> Command {
    let last = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) - 1;
    let mut pinned = on_cores(&if last == 0 { "0".to_owned() } else { format!("1-{last}") });
    pinned.arg(command.get_program()).args(command.get_args());
    pinned
}

struct AliasMap(Background);

impl AliasMap {
    /// Asks for some of the aliases from `first` on, at random.
    fn ask(&self, first: usize, among: usize, questions: usize, connections: usize) -> Result<Value> {
        let mut ask = beside(Command::new(built("host", "examples/load")));
        ask.args(["ask", "--at", &format!("inet:127.0.0.1:{}", self.0.port), "--first", &first.to_string()]);
        ask.args(["--among", &among.to_string(), "--questions", &questions.to_string()]);
        ask.args(["--connections", &connections.to_string()]);
        Ok(serde_json::from_str(&step::quietly(&mut ask)?)?)
    }

    /// The peak of resident memory so far, MB.
    fn memory(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.service.process.pid))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
        Ok(peak.trim().trim_end_matches("kB").trim().parse::<f64>()? * 1_024.0 / 1_000_000.0)
    }
}

impl Figures {
    fn ask(
        &mut self,
        map: &AliasMap,
        name: &str,
        (first, among): (usize, usize),
        questions: usize,
        connections: usize,
    ) -> Result<()> {
        let process = map.0.service.process;
        let before = process.processor_time()?;
        let mut row = step::during(name, || map.ask(first, among, questions, connections))?;
        let took = process.processor_time()? - before;
        let micros = took.as_secs_f64() * 1e6 / row["look_ups"].as_f64().context("no count")?;
        row["cpu_us"] = json!((micros * 10.0).round() / 10.0);
        let memory = map.memory()?;
        row["what"] = json!(name);
        row["connections"] = json!(connections);
        row["peak_mb"] = json!(rounded(memory));
        if memory > MEMORY {
            self.missed.push(format!("{name}: {memory:.0} MB, at most {MEMORY}"));
        }
        self.rows.push(row);
        Ok(())
    }

    /// What the goals are for.
    fn warm(&mut self, map: &AliasMap, name: &str) -> Result<()> {
        self.ask(map, name, (0, WARM), 200_000, CONNECTIONS)?;
        let row = self.rows.last().context("no row")?;
        let number = |field: &str| row[field].as_f64().with_context(|| format!("no {field}"));
        let (a_second, p99) = (number("a_second")?, number("p99_ms")?);
        if a_second < A_SECOND {
            self.missed.push(format!("{name}: {a_second:.0} answers a second, at least {A_SECOND:.0}"));
        }
        if p99 > P99 {
            self.missed.push(format!("{name}: p99 {p99} ms, at most {P99}"));
        }
        Ok(())
    }

    /// The same keys, the same client: Postfix's own `postmap -q -`, which waits for each answer.
    fn beside_postfix(&mut self, place: &Place, map: &AliasMap, aliases: usize) -> Result<()> {
        let etc = place.state.join("etc");
        fs::create_dir_all(&etc)?;
        let settings = "compatibility_level = 3.6\nlmdb_map_size = 1073741824\n";
        fs::write(etc.join("main.cf"), settings)?;
        let (table, keys) = (place.state.join("table"), place.state.join("keys"));
        let mut file = BufWriter::new(File::create(&table)?);
        for number in 0..aliases {
            writeln!(file, "somebody{number}@ubuntu.com somebody{number}@mail.example")?;
        }
        file.flush()?;
        let mut file = BufWriter::new(File::create(&keys)?);
        for number in 0..LISTED {
            writeln!(file, "somebody{}@ubuntu.com", number % WARM)?;
        }
        file.flush()?;
        let postmap = || {
            let mut postmap = Command::new("/usr/sbin/postmap");
            postmap.arg("-c").arg(&etc);
            postmap
        };
        let lmdb = format!("lmdb:{}", table.display());
        step::run("make the same aliases a table of Postfix", postmap().arg(&lmdb))?;
        let at = format!("socketmap:inet:127.0.0.1:{}:alias", map.0.port);
        for (name, table) in [("`postmap -q -` of alias-map, warm", &at), ("`postmap -q -` of `lmdb`", &lmdb)] {
            let begin = Instant::now();
            let found = step::quietly(postmap().args(["-q", "-"]).arg(table).stdin(File::open(&keys)?))?;
            let took = begin.elapsed().as_secs_f64();
            let count = found.lines().count();
            ensure!(count == LISTED, "{name} found {count} of {LISTED}");
            let a_second = (LISTED as f64 / took).round();
            self.rows.push(json!({ "what": name, "connections": 1, "look_ups": LISTED, "a_second": a_second }));
        }
        Ok(())
    }

    fn tell(self, options: &Options) -> Result<()> {
        let head = ["what", "connections", "look-ups", "a second", "p50 ms", "p99 ms", "worst ms", "CPU µs", "peak MB"];
        let mut table = vec![head.map(str::to_owned).to_vec()];
        let cell = |row: &Value, field: &str, digits: usize| {
            row[field].as_f64().map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}"))
        };
        for row in &self.rows {
            let mut cells = vec![row["what"].as_str().unwrap_or_default().to_owned()];
            cells.extend(["connections", "look_ups", "a_second"].map(|field| cell(row, field, 0)));
            cells.extend(["p50_ms", "p99_ms", "worst_ms"].map(|field| cell(row, field, 3)));
            cells.push(cell(row, "cpu_us", 1));
            cells.push(cell(row, "peak_mb", 0));
            table.push(cells);
        }
        let value = json!({ "aliases": options.aliases, "rows": self.rows, "missed": self.missed });
        report(options.json.then_some(&value), &table, &self.missed)
    }
}
