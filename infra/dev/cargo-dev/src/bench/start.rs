//! `cargo dev bench start`: zip size, cold start and memory of each function. docs/benchmarks.md describes the measurement.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::builder::PossibleValuesParser;
use membermail_toolbox::apt::{self, Requirement};
use membermail_toolbox::process::Process;
use membermail_toolbox::{find_program, step, workspace};
use serde_json::{Value, json};
use tokio::process::Command;

use super::aws_over_tls::{self, AwsOverTls};
use super::figures::{Spread, rounded};
use super::runtime_api::RuntimeApi;
use super::{name_server, probed_site, report};
use crate::archive::Effort;
use crate::builds::{NAMES, Profile};
use crate::functions::{archive_if_changed, build, build_for_aws, program_of};
use crate::{site, tools};

/// Target: median milliseconds from process start to the first response, also of a sign-in with either protocol.
const MAX_START: f64 = 12.0;
/// Target: peak memory in MB.
const MAX_MEMORY: f64 = 14.0;
/// Default architecture of the template.
const SHIPPED: &str = "arm64";
/// Target: zip size in MB of `sso`, which has the relying parties of both protocols.
const MAX_SSO_ZIP: f64 = 3.0;
/// Target: zip size in MB of another function with its own HTTP client.
const MAX_ZIP: f64 = 4.0;
/// Target: zip size in MB of the other functions.
const MAX_ZIP_WITHOUT_REQWEST: f64 = 2.5;
/// `sso` of a community that signs in with OpenID Connect.
const OPENID_CONNECT: &str = "sso, OpenID Connect";
/// It requests pages of the site and of the sign-in provider.
const CHECK_STATUS: &str = "check-status";
/// A function that does nothing, for comparison.
const EMPTY: &str = "bench-empty";
/// A minimal Node program, for comparison.
const LOOP: &str = "Node, bare loop";
const UBUNTU: &str = "ubuntu";
/// ARN of the client secret at the sign-in provider.
pub(super) const SIGN_IN_SECRET: &str = "arn:aws:secretsmanager:us-east-1:000000000000:secret:sign-in";
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);
pub(super) const NODE: Requirement<'_> = Requirement { programs: &["node", "nodejs"], package: "nodejs" };
const MEGA: f64 = 1_000_000.0;

/// Options of `cargo dev bench start`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Starts of each function
    #[arg(long, default_value_t = 20)]
    runs: u32,
    /// Build and measure only these functions
    #[arg(long, value_delimiter = ',', value_name = "FUNCTIONS", value_parser = PossibleValuesParser::new(NAMES))]
    only: Vec<String>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// A program to measure.
struct Subject {
    /// Name in the table.
    name: &'static str,
    /// Name of the function.
    function: &'static str,
    /// Id of the community.
    community: &'static str,
    program: PathBuf,
    arguments: Vec<PathBuf>,
    event: String,
    zip: Option<Zip>,
    runs: Vec<Run>,
}

/// Zip sizes of a function in MB.
struct Zip {
    /// For the template's default architecture.
    shipped: f64,
    /// For this machine, as measured.
    here: f64,
    /// Maximum size of the shipped zip.
    target: f64,
}

/// A measured start.
struct Run {
    milliseconds: f64,
    /// Peak resident memory in MB.
    memory: f64,
}

/// Fakes on loopback.
struct Fakes {
    aws: AwsOverTls,
    name_server: SocketAddr,
}

/// Builds release versions and measures them.
pub(crate) async fn start(options: &Options) -> Result<()> {
    ensure!(options.runs > 0, "at least one run is needed");
    tools::install()?;
    apt::install(&[NODE])?;
    let functions: Vec<_> = NAMES.into_iter().filter(|name| options.includes(name)).collect();
    let all: Vec<_> = functions.iter().copied().chain([EMPTY]).collect();
    build(&all, Profile::Release)?;
    let shipped = build_for_aws(SHIPPED, &functions)?;
    let folder = site::state("bench-start");
    std::fs::create_dir_all(&folder)?;
    let fakes = Fakes { aws: AwsOverTls::start(&folder).await?, name_server: name_server::start(Vec::new()).await? };
    let mut subjects = all.into_iter().map(|name| subject(name, &shipped, &folder)).collect::<Result<Vec<_>>>()?;
    if options.includes("sso") {
        let sso = subject("sso", &shipped, &folder)?;
        subjects.insert(1, Subject { name: OPENID_CONNECT, community: "example", ..sso });
    }
    subjects.push(Subject {
        name: LOOP,
        function: EMPTY,
        community: UBUNTU,
        program: find_program(NODE.programs).context("no node")?,
        arguments: vec![workspace().join("infra/dev/cargo-dev/bench/loop.mjs")],
        event: event(EMPTY)?,
        zip: None,
        runs: Vec::new(),
    });
    for subject in &subjects {
        check_initialisation(subject, &fakes).await.with_context(|| subject.name.to_owned())?;
    }
    // Round-robin, so that other load on the machine affects all alike. The first round only fills the caches.
    for round in 0..=options.runs {
        for subject in &mut subjects {
            let run = measure_start(subject, &fakes).await.with_context(|| subject.name.to_owned())?;
            if round > 0 {
                subject.runs.push(run);
            }
        }
    }
    print_report(options, &subjects)
}

fn subject(name: &'static str, shipped: &[(&str, PathBuf)], folder: &Path) -> Result<Subject> {
    let program = program_of(name, Profile::Release);
    let zip = shipped.iter().find(|(function, _)| *function == name);
    let zip = zip.map(|(_, shipped)| zip_of(name, shipped, &program, folder)).transpose()?;
    let community = UBUNTU;
    let (event, runs) = (event(name)?, Vec::new());
    Ok(Subject { name, function: name, community, program, arguments: Vec::new(), event, zip, runs })
}

/// A realistic event for the function.
pub(super) fn event(name: &str) -> Result<String> {
    let file = workspace().join(format!("infra/dev/cargo-dev/bench/events/{name}.json"));
    std::fs::read_to_string(&file).with_context(|| format!("no benchmark event for {name}: add {}", file.display()))
}

/// Measures both zips; they are compressed with the same effort.
fn zip_of(name: &str, shipped: &Path, program: &Path, folder: &Path) -> Result<Zip> {
    let here = folder.join(format!("{name}.zip"));
    archive_if_changed(program, &here, Effort::Small)?;
    let target = match name {
        "sso" => MAX_SSO_ZIP,
        _ if needs_reqwest(name)? => MAX_ZIP,
        _ => MAX_ZIP_WITHOUT_REQWEST,
    };
    Ok(Zip { shipped: megabytes(shipped)?, here: megabytes(&here)?, target })
}

fn megabytes(file: &Path) -> Result<f64> {
    let bytes = u32::try_from(std::fs::metadata(file)?.len()).context("the zip is larger than 4 GB")?;
    Ok(f64::from(bytes) / MEGA)
}

fn needs_reqwest(name: &str) -> Result<bool> {
    let tree = ["tree", "--package", name, "--edges", "normal", "--prefix", "none"];
    Ok(step::capture(step::cargo().args(tree))?.lines().any(|line| line.starts_with("reqwest ")))
}

impl Options {
    fn includes(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }
}

impl Subject {
    fn command(&self, fakes: &Fakes, api: &RuntimeApi) -> Command {
        let mut command = function_command(&self.program, self.function, api);
        command.args(&self.arguments).env("DNS_SERVERS", fakes.name_server.to_string());
        command.env("AWS_ENDPOINT_URL", &fakes.aws.url).env("SSL_CERT_FILE", &fakes.aws.certificates);
        command.env("COMMUNITY", self.community);
        if self.name == OPENID_CONNECT {
            command.env("SIGN_IN_URL", &fakes.aws.url).env("SIGN_IN_SECRET_ARN", SIGN_IN_SECRET);
        }
        if self.name == CHECK_STATUS {
            command.env("SIGN_IN_URL", &fakes.aws.url).env("PUBLIC_URL", &fakes.aws.url);
        }
        command
    }

    /// What must be requested until the first response: TLS handshakes, and paths of the sign-in provider and the site.
    fn expected(&self) -> (u32, &'static [&'static str]) {
        match self.name {
            // AWS, and the provider for its metadata. No keys, and nothing of the other protocol.
            OPENID_CONNECT => (2, &[aws_over_tls::METADATA]),
            // AWS, and three pages at the same time.
            CHECK_STATUS => (4, &["/+openid", probed_site::HEALTH, probed_site::SIGN_IN]),
            // All calls go to the same host.
            name => (u32::from(NAMES.contains(&name)), &[]),
        }
    }
}

/// Starts a process, and checks that it makes no request before its first event.
async fn check_initialisation(subject: &Subject, fakes: &Fakes) -> Result<()> {
    let api = RuntimeApi::start().await?;
    let mut process = subject.command(fakes, &api).spawn().context("cannot start it")?;
    if subject.name != LOOP {
        tokio::time::timeout(RESPONSE_TIMEOUT, api.polled()).await.context("it did not ask for an event in time")?;
    }
    process.kill().await?;
    let handshakes = fakes.aws.take_handshakes();
    ensure!(handshakes == 0, "it made {handshakes} TLS handshakes before its first event");
    Ok(())
}

/// Starts a process and measures the time to its first response.
async fn measure_start(subject: &Subject, fakes: &Fakes) -> Result<Run> {
    let api = RuntimeApi::start().await?;
    let mut command = subject.command(fakes, &api);
    fakes.aws.take_handshakes();
    fakes.aws.take_requests();
    let started = Instant::now();
    let mut process = command.spawn().with_context(|| format!("cannot start {}", subject.program.display()))?;
    let reply = tokio::select! {
        reply = tokio::time::timeout(RESPONSE_TIMEOUT, api.invoke_text(subject.event.clone())) => {
            reply.context("no response in time")??
        }
        status = process.wait() => bail!("it exited with {} before its first response", status?),
    };
    let pid = process.id().context("it exited after its first response")?;
    let memory = Process::find(i32::try_from(pid)?).context("it exited after its first response")?.peak_memory()?;
    process.kill().await?;
    if reply.body.contains("\"statusCode\":5") || reply.body.contains("\"is_ok\":false") {
        bail!("it responded with {}", reply.body);
    }
    // TLS handshakes are the largest cost of a start.
    let (expected, paths) = subject.expected();
    let handshakes = fakes.aws.take_handshakes();
    ensure!(handshakes == expected, "it made {handshakes} TLS handshakes before its first response, not {expected}");
    let requested = fakes.aws.take_requests();
    ensure!(requested == paths, "it requested {requested:?} of the sign-in provider and the site, not {paths:?}");
    Ok(Run { milliseconds: reply.at.duration_since(started).as_secs_f64() * 1000.0, memory })
}

/// A command that runs a function as on AWS, at this Runtime API and without output.
pub(super) fn function_command(program: &Path, name: &str, api: &RuntimeApi) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(environment());
    command.env("AWS_LAMBDA_RUNTIME_API", &api.address).env("AWS_LAMBDA_FUNCTION_NAME", name);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    command
}

/// Environment of a function as on AWS; its resources do not exist.
fn environment() -> [(&'static str, &'static str); 19] {
    [
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "bench"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("COMMUNITY", UBUNTU),
        ("TABLE_NAME", "table"),
        ("METRICS_NAMESPACE", "bench"),
        ("MASTER_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:000000000000:secret:master"),
        ("PUBLIC_URL", "https://mail.example.org"),
        ("VERIFY_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/000000000000/verify"),
        ("GRANT_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/000000000000/grant"),
        ("WRITE_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/000000000000/write"),
        ("DELIVERY_FAILURE_QUEUE_ARN", "arn:aws:sqs:us-east-1:000000000000:delivery-failure"),
        ("SYNC_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/000000000000/sync"),
        ("NOTIFY_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/000000000000/notify"),
    ]
}

fn print_report(options: &Options, subjects: &[Subject]) -> Result<()> {
    let head = ["function", "zip MB arm64", "zip MB here", "first response p50 ms", "p90 ms", "peak memory MB"];
    let mut table = vec![head.map(str::to_owned).to_vec()];
    let mut all = Vec::new();
    let mut missed = Vec::new();
    for Subject { name, zip, runs, .. } in subjects {
        let start = Spread::of(runs.iter().map(|run| run.milliseconds));
        let memory = runs.iter().map(|run| run.memory).fold(0.0, f64::max);
        let shipped = zip.as_ref().map(|zip| zip.shipped);
        let here = zip.as_ref().map(|zip| zip.here);
        let figures = [start.p50, start.p90, memory].map(|figure| format!("{figure:.1}"));
        table.push([(*name).to_owned(), size(shipped), size(here)].into_iter().chain(figures).collect());
        all.push(json!({
            "name": name,
            "zip_mb": { "arm64": shipped.map(rounded), "here": here.map(rounded) },
            "first_response_ms": start.json(),
            "peak_memory_mb": rounded(memory),
        }));
        let Some(zip) = zip else { continue };
        for (figure, value, target) in [
            ("zip MB", zip.shipped, zip.target),
            ("first response p50 ms", start.p50, MAX_START),
            ("peak memory MB", memory, MAX_MEMORY),
        ] {
            if value > target {
                missed.push(format!("{name}: {figure} {value:.2}, maximum {target}"));
            }
        }
    }
    let value: Value = json!({ "runs": options.runs, "functions": all, "missed": missed });
    report(options.json.then_some(&value), &table, &missed)
}

fn size(megabytes: Option<f64>) -> String {
    megabytes.map_or_else(|| "–".to_owned(), |size| format!("{size:.2}"))
}
