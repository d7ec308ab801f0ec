//! A TCP proxy that can be cut, to make the table unreachable for a program.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use url::Url;

/// The state of the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Forwards everything.
    Whole,
    /// Closes connections immediately.
    Cut,
    /// Accepts connections and never responds.
    Silent,
}

/// A TCP proxy on loopback.
pub struct Proxy {
    /// The proxy's address.
    pub url: Url,
    line: Arc<watch::Sender<Line>>,
}

impl Proxy {
    /// Starts a proxy in front of this URL.
    pub async fn before(url: &Url) -> Result<Self> {
        let to = url.socket_addrs(|| None)?.into_iter().find(SocketAddr::is_ipv4).context("no address")?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let (line, _) = watch::channel(Line::Whole);
        let line = Arc::new(line);
        let watched = Arc::clone(&line);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass(stream, to, watched.subscribe()));
            }
        });
        Ok(Self { url: format!("http://127.0.0.1:{port}").parse()?, line })
    }

    /// Sets the state, also for open connections.
    pub fn set(&self, line: Line) {
        self.line.send_replace(line);
    }
}

async fn pass(mut stream: TcpStream, to: SocketAddr, mut line: watch::Receiver<Line>) {
    let now = *line.borrow_and_update();
    match now {
        Line::Whole => {
            let Ok(mut other) = TcpStream::connect(to).await else { return };
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut stream, &mut other) => {}
                _ = line.changed() => {}
            }
        }
        Line::Cut => {}
        Line::Silent => {
            let _ = line.changed().await;
        }
    }
}
