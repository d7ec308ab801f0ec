//! `fakes --listen 127.0.0.1:PORT`

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use membermail_core::clock::{Clock, SystemClock};
use membermail_fakes::community::Seed;
use membermail_fakes::router;
use membermail_fakes::state::Shared;
use tokio::net::TcpListener;

/// Fakes of Ubuntu One, Launchpad and GitLab.
#[derive(Parser)]
struct Arguments {
    /// Loopback address and port
    #[arg(long)]
    listen: SocketAddr,
    /// Number of people; those beyond about 2,000 are all in ubuntumembers
    #[arg(long, default_value_t = 2_000)]
    people: usize,
    /// Team that contains all generated people
    #[arg(long, value_name = "TEAM")]
    all_in: Option<String>,
    /// Number of direct members of GitLab's group community/members
    #[arg(long, default_value_t = 250)]
    gitlab_members: usize,
    /// Launchpad's description of its web service (WADL), as shipped with launchpadlib
    #[arg(long, value_name = "PATH")]
    wadl: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments { listen, people, all_in, gitlab_members, wadl } = Arguments::parse();
    ensure!(listen.ip().is_loopback(), "{listen} is not a loopback address: the fakes listen on loopback only");
    let wadl = match wadl {
        Some(path) => fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?,
        None => String::new(),
    };
    let listener = TcpListener::bind(listen).await?;
    let seed = Seed { people, all_in, gitlab_members, now: SystemClock.now() };
    axum::serve(listener, router(Shared::new(seed, &wadl))).await?;
    Ok(())
}
