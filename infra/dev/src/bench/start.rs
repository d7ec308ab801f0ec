//! `cargo dev bench start`: what each function costs before and at its first answer. docs/benchmarks.md says what is
//! measured and why so.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use membermail_toolbox::apt::{self, Needed};
use membermail_toolbox::{find_program, step, workspace};
use serde_json::{Value, json};
use tokio::process::Command;

use super::aws_over_tls::AwsOverTls;
use super::figures::{Spread, rounded, spread};
use super::runtime_api::RuntimeApi;
use super::{name_server, report};
use crate::archive::Effort;
use crate::functions::{NAMES, Profile, archive_if_changed, build, build_for_aws, program_of};
use crate::{site, tools};

/// From process start to the first answer, milliseconds, half of the runs.
const START: f64 = 12.0;
/// Of memory at the most, MB.
const MEMORY: f64 = 14.0;
/// What the template ships by default.
const SHIPPED: &str = "arm64";
/// Of its zip, MB: with and without an HTTP client of our own.
const ZIP: f64 = 4.0;
const ZIP_WITHOUT_REQWEST: f64 = 2.5;
/// What stands beside our functions.
const EMPTY: &str = "bench-empty";
const LOOP: &str = "Node, bare loop";
/// No first answer takes this long.
const PATIENCE: Duration = Duration::from_secs(10);
pub(super) const NODE: Needed<'_> = Needed { programs: &["node", "nodejs"], package: "nodejs" };
const MEGA: f64 = 1_000_000.0;

/// How much, and how it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Starts of each function
    #[arg(long, default_value_t = 20)]
    runs: u32,
    /// JSON in the place of a table
    #[arg(long)]
    json: bool,
}

/// One program to start.
struct Subject {
    name: &'static str,
    program: PathBuf,
    arguments: Vec<PathBuf>,
    event: String,
    zip: Option<Zip>,
    runs: Vec<Run>,
}

/// What a function weighs as a zip, and may weigh.
struct Zip {
    /// For ARM, as the template has it by default.
    shipped: f64,
    /// For the processor of this machine, as it is measured.
    here: f64,
    goal: f64,
}

/// One start.
struct Run {
    milliseconds: f64,
    /// The peak of resident memory, MB.
    memory: f64,
}

/// What a process finds around it, on loopback.
struct Around {
    aws: AwsOverTls,
    name_server: SocketAddr,
}

/// Builds for release, measures, and fails where a goal is missed.
pub(crate) async fn start(options: &Options) -> Result<()> {
    ensure!(options.runs > 0, "no runs, no figures");
    tools::install()?;
    apt::install(&[NODE])?;
    let all: Vec<_> = NAMES.into_iter().chain([EMPTY]).collect();
    build(&all, Profile::Release)?;
    let shipped = build_for_aws(SHIPPED)?;
    let folder = site::state("bench-start");
    std::fs::create_dir_all(&folder)?;
    let around = Around { aws: AwsOverTls::start(&folder).await?, name_server: name_server::start().await? };
    let mut subjects = all.into_iter().map(|name| subject(name, &shipped, &folder)).collect::<Result<Vec<_>>>()?;
    subjects.push(Subject {
        name: LOOP,
        program: find_program(NODE.programs).context("no node")?,
        arguments: vec![workspace().join("infra/dev/bench/loop.mjs")],
        event: event(EMPTY)?,
        zip: None,
        runs: Vec::new(),
    });
    // In turns, so that what else the machine does falls on all alike. The first round fills the caches.
    for round in 0..=options.runs {
        for subject in &mut subjects {
            let run = once(subject, &around).await.with_context(|| subject.name.to_owned())?;
            if round > 0 {
                subject.runs.push(run);
            }
        }
    }
    tell(options, &subjects)
}

fn subject(name: &'static str, shipped: &[(&str, PathBuf)], folder: &Path) -> Result<Subject> {
    let program = program_of(name, Profile::Release);
    let zip = shipped.iter().find(|(function, _)| *function == name);
    let zip = zip.map(|(_, shipped)| zip_of(name, shipped, &program, folder)).transpose()?;
    Ok(Subject { name, program, arguments: Vec::new(), event: event(name)?, zip, runs: Vec::new() })
}

/// A real event of the function's own: see the file.
pub(super) fn event(name: &str) -> Result<String> {
    let file = workspace().join(format!("infra/dev/bench/events/{name}.json"));
    std::fs::read_to_string(&file)
        .with_context(|| format!("each function needs an event to be measured with: write {}", file.display()))
}

/// Both zips are made alike.
fn zip_of(name: &str, shipped: &Path, program: &Path, folder: &Path) -> Result<Zip> {
    let here = folder.join(format!("{name}.zip"));
    archive_if_changed(program, &here, Effort::Small)?;
    let goal = if needs_reqwest(name)? { ZIP } else { ZIP_WITHOUT_REQWEST };
    Ok(Zip { shipped: megabytes(shipped)?, here: megabytes(&here)?, goal })
}

fn megabytes(file: &Path) -> Result<f64> {
    let bytes = u32::try_from(std::fs::metadata(file)?.len()).context("a zip beyond 4 GB")?;
    Ok(f64::from(bytes) / MEGA)
}

fn needs_reqwest(name: &str) -> Result<bool> {
    let mut tree = std::process::Command::new("cargo");
    tree.current_dir(workspace()).args(["tree", "--package", name, "--edges", "normal", "--prefix", "none"]);
    Ok(step::quietly(&mut tree)?.lines().any(|line| line.starts_with("reqwest ")))
}

/// Starts a process, gives it an event, and takes the time until the answer is here.
async fn once(subject: &Subject, around: &Around) -> Result<Run> {
    let mut api = RuntimeApi::with(&subject.event).await?;
    let mut command = Command::new(&subject.program);
    command.args(&subject.arguments).env_clear().envs(environment());
    command.env("AWS_LAMBDA_RUNTIME_API", &api.address).env("AWS_LAMBDA_FUNCTION_NAME", subject.name);
    command.env("AWS_ENDPOINT_URL", &around.aws.url).env("SSL_CERT_FILE", &around.aws.certificates);
    command.env("DNS_SERVERS", around.name_server.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let before = around.aws.handshakes();
    let begin = Instant::now();
    let mut process = command.spawn().with_context(|| format!("cannot start {}", subject.program.display()))?;
    let answer = tokio::select! {
        answer = tokio::time::timeout(PATIENCE, api.first_answer()) => answer.context("no answer in time")??,
        ended = process.wait() => bail!("it ended with {} before it answered", ended?),
    };
    let memory = peak(process.id().context("it ended with its answer")?)?;
    process.kill().await?;
    if answer.body.contains("\"statusCode\":5") {
        bail!("it answered {}", answer.body);
    }
    // Without one, the largest cost of a start is not in the figures; and all calls go to the same place.
    let (handshakes, expected) = (around.aws.handshakes() - before, u32::from(NAMES.contains(&subject.name)));
    ensure!(handshakes == expected, "it made {handshakes} handshakes with AWS until it answered, and not {expected}");
    Ok(Run { milliseconds: answer.at.duration_since(begin).as_secs_f64() * 1000.0, memory })
}

/// What any function finds on AWS, with names of nothing that is there.
pub(super) fn environment() -> [(&'static str, &'static str); 17] {
    [
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "bench"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("COMMUNITY", "ubuntu"),
        ("TABLE_NAME", "table"),
        ("MASTER_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:000000000000:secret:master"),
        ("PUBLIC_URL", "https://mail.example.org"),
        ("VERIFY_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/000000000000/verify"),
        ("GRANT_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/000000000000/grant"),
        ("WRITE_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/000000000000/write"),
        ("SYNC_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/000000000000/sync"),
        ("NOTIFY_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/000000000000/notify"),
    ]
}

/// The most memory that a process has had resident, as the kernel tells, in MB.
pub(super) fn peak(process: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(kilobytes * 1024.0 / MEGA)
}

fn tell(options: &Options, subjects: &[Subject]) -> Result<()> {
    let head = ["function", "zip MB arm64", "zip MB here", "first answer p50 ms", "p90 ms", "peak memory MB"];
    let mut table = vec![head.map(str::to_owned).to_vec()];
    let (mut all, mut missed) = (Vec::new(), Vec::new());
    let size = |megabytes: Option<f64>| megabytes.map_or_else(|| "–".to_owned(), |size| format!("{size:.2}"));
    for Subject { name, zip, runs, .. } in subjects {
        let Spread { p50, p90 } = spread(runs.iter().map(|run| run.milliseconds).collect());
        let memory = runs.iter().map(|run| run.memory).fold(0.0, f64::max);
        let (shipped, here) = (zip.as_ref().map(|zip| zip.shipped), zip.as_ref().map(|zip| zip.here));
        let times = [p50, p90, memory].map(|figure| format!("{figure:.1}"));
        table.push([(*name).to_owned(), size(shipped), size(here)].into_iter().chain(times).collect());
        all.push(json!({
            "name": name,
            "zip_mb": { "arm64": shipped.map(rounded), "here": here.map(rounded) },
            "first_answer_ms": { "p50": rounded(p50), "p90": rounded(p90) },
            "peak_memory_mb": rounded(memory),
        }));
        let Some(zip) = zip else { continue };
        for (what, figure, goal) in
            [("zip MB", zip.shipped, zip.goal), ("first answer p50 ms", p50, START), ("peak memory MB", memory, MEMORY)]
        {
            if figure > goal {
                missed.push(format!("{name}: {what} {figure:.2}, and no more than {goal} is wanted"));
            }
        }
    }
    let value: Value = json!({ "runs": options.runs, "functions": all, "missed": missed });
    report(options.json.then_some(&value), &table, &missed)
}
