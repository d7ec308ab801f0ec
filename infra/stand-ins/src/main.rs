//! `stand-ins --listen 127.0.0.1:PORT`

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use clap::Parser;
use membermail_stand_ins::router;
use membermail_stand_ins::state::Shared;
use tokio::net::TcpListener;

/// Ubuntu One and Launchpad, made up.
#[derive(Parser)]
struct Arguments {
    /// A loopback address and a port.
    #[arg(long)]
    listen: SocketAddr,
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments { listen } = Arguments::parse();
    ensure!(listen.ip().is_loopback(), "{listen} is not a loopback address: what is made up stays on this machine");
    let listener = TcpListener::bind(listen).await?;
    axum::serve(listener, router(Shared::seeded())).await?;
    Ok(())
}
