//! The whole mail host (Postfix, alias-map, rspamd), compared with the same Postfix without our parts: throughput, CPU time
//! per message, and the delay that they add.

mod mails;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use jiff::Timestamp;
use membermail_alias_map::settings::MasterSecretSource;
use membermail_core::clock::{Clock, SystemClock};
use membermail_postfix::config::Limits;
use membermail_postfix::smtp::{SmtpReply, send};
use membermail_test_mail_host::options::Options as HostOptions;
use membermail_test_mail_host::rig::Rig;
use membermail_toolbox::net::free_port;
use membermail_toolbox::process::Process;
use membermail_toolbox::step;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant as Tick, sleep, sleep_until};

use self::mails::{Mail, RECIPIENT, SENDER};
use super::Files;
use crate::bench::figures::{percentile, rounded};
use crate::bench::name_server;
use crate::builds::Profile;
use crate::dynamodb::Background;
use crate::functions::program_of;

/// Target: messages per second, as a share of those without our parts.
const MIN_SHARE: f64 = 0.9;
/// Target: added delay at the 99th percentile, in milliseconds.
const MAX_ADDED_DELAY: f64 = 5.0;

/// Messages of one round.
const MESSAGES: usize = 2_000;
/// Rounds of each configuration, in turn, so that other load of the machine affects both. The best round counts.
const ROUNDS: usize = 3;
/// Concurrent clients, each with one message per connection, like servers on the internet.
const CLIENTS: usize = 8;
/// Time limit of one round.
const ROUND_TIMEOUT: Duration = Duration::from_secs(120);

/// Messages whose delay is measured, and the interval between them: far below the throughput, so that none waits for
/// another.
const DELAYED_MESSAGES: u32 = 400;
const INTERVAL: Duration = Duration::from_millis(50);

/// A configuration, the mail that it gets, and its best round.
struct Variant<'a> {
    name: &'static str,
    settings: &'a [String],
    mail: &'a Path,
    best: Round,
}

/// What a round measures.
#[derive(Clone, Debug, Default)]
struct Round {
    per_second: f64,
    /// Milliseconds of CPU time per message, by program.
    cpu: Vec<(&'static str, f64)>,
}

impl Round {
    fn cpu_of(&self, name: &str) -> Option<f64> {
        self.cpu.iter().find(|(program, _)| *program == name).map(|(_, time)| rounded(*time))
    }

    fn total_cpu(&self) -> f64 {
        self.cpu.iter().map(|(_, time)| time).sum()
    }
}

impl Variant<'_> {
    fn row(&self, delay: Option<&[f64]>) -> Value {
        json!({
            "name": self.name, "per_second": self.best.per_second.round(),
            "cpu_ms": rounded(self.best.total_cpu()), "postfix_cpu_ms": self.best.cpu_of("Postfix"),
            "rspamd_cpu_ms": self.best.cpu_of("rspamd"), "alias_map_cpu_ms": self.best.cpu_of("alias-map"),
            "p50_ms": delay.map(|delay| percentile(delay, 50)), "p99_ms": delay.map(|delay| percentile(delay, 99)),
        })
    }
}

/// Settings of Postfix that replace our parts. The other settings stay.
fn without_our_parts(table: &Path) -> Vec<String> {
    let table = format!("texthash:{}", table.display());
    vec![
        "smtpd_milters=".to_owned(),
        "sender_canonical_maps=".to_owned(),
        "recipient_canonical_maps=".to_owned(),
        "transport_maps=".to_owned(),
        "relay_domains=".to_owned(),
        "relay_recipient_maps=".to_owned(),
        "smtpd_sender_restrictions=reject_non_fqdn_sender".to_owned(),
        "smtpd_recipient_restrictions=reject_non_fqdn_recipient,reject_unlisted_recipient".to_owned(),
        "smtpd_data_restrictions=reject_unauth_pipelining".to_owned(),
        "virtual_alias_domains=ubuntu.com".to_owned(),
        format!("virtual_alias_maps={table}"),
    ]
}

/// The setting that sends all mail to a port.
fn relay_to(port: u16) -> Vec<String> {
    vec![format!("default_transport=smtp:[127.0.0.1]:{port}")]
}

/// The rows of the report and missed targets.
pub(super) async fn measure(files: &Files, table: u16) -> Result<(Vec<Value>, Vec<String>)> {
    let key = files.state.join("sender.key");
    let records = mails::create_sender(&key)?;
    let unsigned = Mail::unsigned();
    let signed = unsigned.signed(&key)?;
    let rig = start_rig(files, table, name_server::start(records).await?).await?;
    let aliases = files.state.join("without-our-parts");
    fs::write(&aliases, format!("{RECIPIENT} member0.0@mail.example\n"))?;
    let baseline = without_our_parts(&aliases);
    let ours = rig.settings(&baseline)?;
    let sink = start_sink().await?;
    rig.configure(&relay_to(sink.port))?;
    let (signed_file, unsigned_file) = (write(files, "signed", &signed)?, write(files, "unsigned", &unsigned)?);
    let mut variants = [
        ("the mail host", ours.as_slice(), &signed_file),
        ("the mail host, mail without a signature", &ours, &unsigned_file),
        ("Postfix without our parts", &baseline, &signed_file),
    ]
    .map(|(name, settings, mail)| Variant { name, settings, mail, best: Round::default() });
    for round in 1..=ROUNDS {
        for variant in &mut variants {
            rig.configure(variant.settings)?;
            let name = format!("{}, round {round}", variant.name);
            let round = step::with_progress(&name, || throughput(&rig, variant.mail))?;
            variant.best = better(std::mem::take(&mut variant.best), round);
        }
    }
    rig.configure(&relay_to(rig.sink.port))?;
    let [with, unsigned, without] = &variants;
    let mut delays = Vec::new();
    for variant in [with, without] {
        rig.configure(variant.settings)?;
        delays.push(delay(&rig, &signed).await?);
    }
    let rows = vec![with.row(Some(&delays[0])), unsigned.row(None), without.row(Some(&delays[1]))];
    let mut missed = Vec::new();
    let share = with.best.per_second / without.best.per_second;
    if share < MIN_SHARE {
        missed.push(format!("{:.0}% of the messages per second, minimum {:.0}%", share * 100.0, MIN_SHARE * 100.0));
    }
    let added = percentile(&delays[0], 99) - percentile(&delays[1], 99);
    if added > MAX_ADDED_DELAY {
        missed.push(format!("{added:.1} ms of added delay at p99, maximum {MAX_ADDED_DELAY}"));
    }
    Ok((rows, missed))
}

/// The best of two rounds: the most messages per second, and the least CPU time, which other load of the machine affects too.
fn better(one: Round, other: Round) -> Round {
    let per_second = one.per_second.max(other.per_second);
    let cpu = if !one.cpu.is_empty() && one.total_cpu() < other.total_cpu() { one.cpu } else { other.cpu };
    Round { per_second, cpu }
}

fn write(files: &Files, name: &str, mail: &Mail) -> Result<PathBuf> {
    let file = files.state.join(name);
    fs::write(&file, mail.for_smtp_source())?;
    Ok(file)
}

async fn start_rig(files: &Files, table: u16, resolver: SocketAddr) -> Result<Rig> {
    let many = 1_000_000;
    let options = HostOptions {
        folder: files.state.join("host"),
        alias_map: program_of("membermail-alias-map", Profile::Host),
        // Not built: no mail of the benchmark bounces.
        bounce: program_of("membermail-bounce", Profile::Host),
        failure_queue: None,
        queue_times: None,
        endpoint_url: format!("http://127.0.0.1:{table}"),
        table: "bench".to_owned(),
        master_secret: MasterSecretSource::File(files.secret.clone()),
        community: "ubuntu".to_owned(),
        settings: String::new(),
        operators: "operators@ops.example".to_owned(),
        signing: true,
        resolver: Some(resolver),
        limits: Limits {
            connections_at_once: 100,
            connections_a_minute: many,
            messages_a_minute: many,
            recipients_a_minute: many,
            ..Limits::default()
        },
        xclient: false,
        checks_loopback: true,
        main_cf: &[],
        ports: None,
    };
    Rig::start(options).await
}

/// A sink that discards mail, faster than Postfix can send it.
async fn start_sink() -> Result<Background> {
    let port = free_port()?;
    let mut command = Command::new("/usr/sbin/smtp-sink");
    command.args(["-u", "nobody", &format!("127.0.0.1:{port}"), "256"]);
    Background::start("smtp-sink", command, port, std::env::temp_dir().join(format!("smtp-sink-{port}.log"))).await
}

/// Messages per second, from the first connection until all have left the queue, and the CPU time of each program.
fn throughput(rig: &Rig, mail: &Path) -> Result<Round> {
    let programs = rig.programs();
    let before = cpu_times(&programs)?;
    let log_size = fs::metadata(&rig.log)?.len();
    let start = Instant::now();
    let mut source = Command::new("/usr/sbin/smtp-source");
    source.args(["-s", &CLIENTS.to_string(), "-m", &MESSAGES.to_string(), "-F"]).arg(mail);
    source.args(["-M", "client.example", "-f", SENDER, "-t", RECIPIENT, &format!("127.0.0.1:{}", rig.smtp)]);
    ensure!(source.stdout(Stdio::null()).status()?.success(), "smtp-source failed");
    loop {
        let log = fs::read(&rig.log)?;
        let new = log.get(usize::try_from(log_size)?..).unwrap_or_default();
        let delivered = new.windows(b": removed\n".len()).filter(|part| part == b": removed\n").count();
        if delivered >= MESSAGES {
            break;
        }
        ensure!(start.elapsed() < ROUND_TIMEOUT, "{delivered} of {MESSAGES} messages were delivered in time");
        std::thread::sleep(Duration::from_millis(50));
    }
    let per_second = MESSAGES as f64 / start.elapsed().as_secs_f64();
    let spent = cpu_times(&programs)?.into_iter().zip(before).map(|(after, before)| after.saturating_sub(before));
    let cpu = programs.iter().zip(spent);
    let cpu = cpu.map(|((name, _), time)| (*name, time.as_secs_f64() * 1_000.0 / MESSAGES as f64)).collect();
    Ok(Round { per_second, cpu })
}

fn cpu_times(programs: &[(&str, Process)]) -> Result<Vec<Duration>> {
    programs.iter().map(|(_, process)| process.tree_cpu_time()).collect()
}

/// Milliseconds from the client's connection to the arrival at the destination, sorted.
async fn delay(rig: &Rig, mail: &Mail) -> Result<Vec<f64>> {
    let known = rig.sink.mailbox.count()?;
    let mut clients = JoinSet::new();
    let start = Tick::now();
    for number in 0..DELAYED_MESSAGES {
        let smtp = rig.smtp;
        let mail = mail.with_subject(&subject(number));
        clients.spawn(async move {
            sleep_until(start + INTERVAL * number).await;
            let sent_at = SystemClock.now();
            match send(smtp, None, Some(SENDER), RECIPIENT, mail.as_bytes()).await? {
                SmtpReply::Queued(_) => Ok((number, sent_at)),
                reply => bail!("message {number}: {reply:?}"),
            }
        });
    }
    let mut sent = Vec::new();
    while let Some(client) = clients.join_next().await {
        sent.push(client??);
    }
    let deadline = Tick::now() + ROUND_TIMEOUT;
    while rig.sink.mailbox.count()? < known + sent.len() {
        ensure!(Tick::now() < deadline, "not all messages arrived in time");
        sleep(Duration::from_millis(200)).await;
    }
    let arrivals = rig.sink.mailbox.arrivals(known)?;
    let mut delays = Vec::new();
    for (number, sent_at) in sent {
        let subject = subject(number);
        let arrival = arrivals.iter().find(|(mail, _)| mail.subject() == subject).context("a message is missing")?;
        delays.push(rounded(Timestamp::try_from(arrival.1)?.duration_since(sent_at).as_secs_f64() * 1_000.0));
    }
    delays.sort_unstable_by(f64::total_cmp);
    Ok(delays)
}

fn subject(number: u32) -> String {
    format!("Message {number}")
}
