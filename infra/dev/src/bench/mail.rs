//! `cargo dev bench mail`: how fast `alias-map` answers, beside Postfix's own `hash` table of the same aliases.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use membermail_core::random::{self, OsRandom};
use membermail_toolbox::process::Process;
use membermail_toolbox::{find_program, folder, step, workspace};
use serde_json::Value;

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

/// A program in the background, until it is dropped.
struct Background {
    port: u16,
    process: Process,
    child: Child,
}

impl Background {
    fn start(command: &mut Command, port: u16, log: &Path) -> Result<Self> {
        let file = File::create(log)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().with_context(|| format!("cannot start {:?}", command.get_program()))?;
        let process = i32::try_from(child.id()).ok().and_then(Process::now).context("it ended at once")?;
        let background = Self { port, process, child };
        let begin = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if begin.elapsed() > Duration::from_secs(30) || !background.process.runs() {
                bail!("it does not answer: see {}", log.display());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(background)
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.process.stop(Duration::from_secs(3));
        let _ = self.child.wait();
    }
}

/// DynamoDB Local by itself: what lies between it and LocalStack's gateway is not to be measured.
fn dynamodb(state: &Path) -> Result<Background> {
    let port = free_port()?;
    let home = folder().join("dynamodb-local/emulator");
    let mut java = Command::new(find_program(&["java"]).context("no java")?);
    java.current_dir(&home).arg("-Xmx4g").arg("-Djava.library.path=./DynamoDBLocal_lib");
    java.args(["-jar", "DynamoDBLocal.jar", "-inMemory", "-sharedDb", "-disableTelemetry", "-port", &port.to_string()]);
    Background::start(&mut java, port, &state.join("dynamodb.log"))
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

fn aws(mut command: Command, port: u16) -> Command {
    command.env_remove("AWS_PROFILE").envs([
        ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}").as_str()),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ]);
    command
}

fn built(name: &str) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| workspace().join("target"), PathBuf::from)
        .join("release")
        .join(name)
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
