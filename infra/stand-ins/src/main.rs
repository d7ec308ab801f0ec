//! `stand-ins --listen 127.0.0.1:PORT`

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use membermail_core::clock::{Clock, SystemClock};
use membermail_stand_ins::community::Seed;
use membermail_stand_ins::router;
use membermail_stand_ins::state::Shared;
use tokio::net::TcpListener;

/// Fakes of Ubuntu One and Launchpad.
#[derive(Parser)]
struct Arguments {
    /// A loopback address and a port
    #[arg(long)]
    listen: SocketAddr,
    /// The number of people; all beyond some 2,000 are in ubuntumembers
    #[arg(long, default_value_t = 2_000)]
    people: usize,
    /// A team that all people are in except those who show something
    #[arg(long, value_name = "TEAM")]
    all_in: Option<String>,
    /// Launchpad's description of its web service, which launchpadlib starts from and has with it
    #[arg(long, value_name = "PATH")]
    wadl: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments { listen, people, all_in, wadl } = Arguments::parse();
    ensure!(listen.ip().is_loopback(), "{listen} is not a loopback address: what is made up stays on this machine");
    let read = |path: PathBuf| fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()));
    let wadl = wadl.map(read).transpose()?.unwrap_or_default();
    let listener = TcpListener::bind(listen).await?;
    let seed = Seed { people, all_in, now: SystemClock.now() };
    axum::serve(listener, router(Shared::new(seed, &wadl))).await?;
    Ok(())
}
