//! Runs for one bounce, which Postfix's pipe(8) writes to its standard input.
//!
//! The exit code is 0 or, for another attempt, 75 (`EX_TEMPFAIL` of sysexits.h): a bounce never bounces.

use std::io::{self, Read};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use membermail_bounce::address::Mailbox;
use membermail_bounce::bounce::READ_LIMIT;
use membermail_bounce::decision::Origin;
use membermail_bounce::failures::{self, FailureQueue};
use membermail_bounce::maps::AliasMap;
use membermail_bounce::process::{Edges, Incoming, Outcome, Retry, process};
use membermail_bounce::settings::Settings;
use membermail_bounce::submission::Smtp;
use membermail_core::clock::SystemClock;
use membermail_core::random::OsRandom;

/// Processes a bounce of forwarded mail
#[derive(Parser)]
#[command(name = "membermail-bounce")]
struct Arguments {
    /// The settings file
    #[arg(long, default_value = "/etc/membermail/bounce.toml")]
    config: PathBuf,
    /// The bounce was made by this host
    #[arg(long)]
    local: bool,
    /// The envelope recipient of the bounce
    #[arg(long, required_unless_present = "check")]
    recipient: Option<String>,
    /// Check the settings and exit
    #[arg(long)]
    check: bool,
}

/// `EX_TEMPFAIL`: Postfix tries again later.
const TEMPORARY_FAILURE: u8 = 75;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    membermail_runtime::logs::init_own("membermail_bounce");
    // clap would exit with 2, on which Postfix gives the bounce up.
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { TEMPORARY_FAILURE } else { 0 });
        }
    };
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("retry: {error}");
            ExitCode::from(TEMPORARY_FAILURE)
        }
    }
}

async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let settings = Settings::read(&arguments.config)?;
    if arguments.check {
        println!("The settings are valid.");
        return Ok(());
    }
    let octets = read(io::stdin().lock())?;
    let origin = if arguments.local { Origin::Local } else { Origin::Outside };
    let Some(recipient) = arguments.recipient.as_deref().and_then(Mailbox::parse) else {
        log(origin, Outcome::UnknownReturnPath);
        return Ok(());
    };
    let queue = match &settings.queue_url {
        Some(url) => Some(failures::open(url, settings.aws_profile.as_deref()).await),
        None => None,
    };
    let mut maps = AliasMap::connect(&settings.alias_map).await.map_err(Retry::from)?;
    let edges = Edges {
        host: &settings.host_name,
        maps: &mut maps,
        submission: &Smtp { server: settings.submit, host: settings.host_name.clone() },
        queue: queue.as_ref().map(|queue| queue as &dyn FailureQueue),
        clock: &SystemClock,
        random: &OsRandom,
    };
    let outcome = process(Incoming { origin, recipient: &recipient, octets: &octets }, edges).await?;
    log(origin, outcome);
    Ok(())
}

/// Reads the first octets and skips the others: pipe(8) writes all of them.
fn read(mut input: impl Read) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    input.by_ref().take(READ_LIMIT as u64).read_to_end(&mut octets)?;
    io::copy(&mut input, &mut io::sink())?;
    Ok(octets)
}

/// Postfix logs the first 100 octets of the output with the delivery, so the outcome is in the message.
fn log(origin: Origin, outcome: Outcome) {
    let origin: &str = origin.into();
    tracing::info!("{origin}: {outcome}");
}
