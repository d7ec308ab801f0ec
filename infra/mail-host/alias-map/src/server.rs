//! The socketmap server: accepts connections and bounds the memory and time that each can use.

use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::endpoint::Endpoint;
use crate::lookups::Lookups;
use crate::netstring::{self, Parsed};

/// Timeout of an idle connection. Postfix closes its own after some seconds.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// Timeout for a peer to send a whole request, and to read a reply.
const IO_TIMEOUT: Duration = Duration::from_secs(10);

/// A bound listener.
pub enum Listener {
    /// TCP
    Inet(TcpListener),
    /// A UNIX socket
    Unix(UnixListener),
}

impl Listener {
    /// Binds the endpoint. It removes a stale socket file, which a killed server leaves behind.
    pub async fn bind(endpoint: &Endpoint) -> io::Result<Self> {
        match endpoint {
            Endpoint::Inet(address) => TcpListener::bind(address).await.map(Self::Inet),
            Endpoint::Unix(path) => {
                let is_stale = is_socket(path) && UnixStream::connect(path).await.is_err();
                if is_stale {
                    std::fs::remove_file(path)?;
                }
                UnixListener::bind(path).map(Self::Unix)
            }
        }
    }

    /// The bound endpoint, with the port that the system chose for port 0.
    pub fn endpoint(&self) -> io::Result<Endpoint> {
        match self {
            Self::Inet(listener) => listener.local_addr().map(Endpoint::Inet),
            Self::Unix(listener) => {
                let address = listener.local_addr()?;
                address.as_pathname().map(|path| Endpoint::Unix(path.to_owned())).ok_or(io::ErrorKind::NotFound.into())
            }
        }
    }
}

fn is_socket(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|data| data.file_type().is_socket())
}

/// Serves connections until [`stop`](Self::stop).
pub struct Server {
    lookups: Arc<Lookups>,
    permits: Arc<Semaphore>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Server {
    /// A server with at most `connections` concurrent connections.
    pub fn new(lookups: Arc<Lookups>, connections: usize) -> Self {
        let permits = Arc::new(Semaphore::new(connections));
        Self { lookups, permits, stop: CancellationToken::new(), tasks: TaskTracker::new() }
    }

    /// Starts to accept connections.
    pub fn listen(&self, listener: Listener) {
        let lookups = Arc::clone(&self.lookups);
        let permits = Arc::clone(&self.permits);
        let stop = self.stop.clone();
        let tasks = self.tasks.clone();
        self.tasks.spawn(async move {
            while let Some(accepted) = stop.run_until_cancelled(accept(&listener)).await {
                let stream = match accepted {
                    Ok(stream) => stream,
                    Err(error) => {
                        // Usually out of file descriptors. Connections that close free some.
                        tracing::warn!(%error, "accept failed, retrying");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        continue;
                    }
                };
                let Ok(permit) = Arc::clone(&permits).try_acquire_owned() else {
                    metrics::counter!("membermail_alias_map_connections_refused_total").increment(1);
                    continue;
                };
                let lookups = Arc::clone(&lookups);
                let stop = stop.clone();
                tasks.spawn(async move {
                    metrics::gauge!("membermail_alias_map_connections").increment(1);
                    match stream {
                        Stream::Inet(stream) => serve(stream, &lookups, &stop).await,
                        Stream::Unix(stream) => serve(stream, &lookups, &stop).await,
                    }
                    metrics::gauge!("membermail_alias_map_connections").decrement(1);
                    drop(permit);
                });
            }
        });
    }

    /// Graceful shutdown: accepts no more connections, finishes the requests in progress, and waits up to `limit` for them.
    pub async fn stop(&self, limit: Duration) {
        self.stop.cancel();
        self.tasks.close();
        if timeout(limit, self.tasks.wait()).await.is_err() {
            tracing::warn!("connections are still open after the shutdown timeout");
        }
    }
}

enum Stream {
    Inet(tokio::net::TcpStream),
    Unix(UnixStream),
}

async fn accept(listener: &Listener) -> io::Result<Stream> {
    match listener {
        Listener::Inet(listener) => {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            Ok(Stream::Inet(stream))
        }
        Listener::Unix(listener) => listener.accept().await.map(|(stream, _)| Stream::Unix(stream)),
    }
}

/// Replies to one request after the other, until the peer closes, violates the protocol, or exceeds a timeout. The input
/// buffer holds at most one request and one read.
pub async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, lookups: &Lookups, stop: &CancellationToken) {
    let mut input = BytesMut::new();
    let mut output = Vec::new();
    let mut deadline = None;
    loop {
        match netstring::parse(&input) {
            Ok(Parsed::Complete { data, consumed }) => {
                let reply = lookups.reply(data).await;
                input.advance(consumed);
                deadline = None;
                output.clear();
                netstring::write(reply.to_data().as_bytes(), &mut output);
                if !matches!(timeout(IO_TIMEOUT, stream.write_all(&output)).await, Ok(Ok(()))) {
                    return;
                }
                continue;
            }
            Ok(Parsed::Incomplete) => {}
            Err(error) => {
                metrics::counter!("membermail_alias_map_malformed_total").increment(1);
                output.clear();
                netstring::write(format!("PERM {error}").as_bytes(), &mut output);
                let _ = timeout(IO_TIMEOUT, stream.write_all(&output)).await;
                return;
            }
        }
        input.reserve(1_024);
        let read = if input.is_empty() {
            match stop.run_until_cancelled(timeout(IDLE_TIMEOUT, stream.read_buf(&mut input))).await {
                Some(read) => read,
                None => return,
            }
        } else {
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + IO_TIMEOUT);
            timeout_at(deadline, stream.read_buf(&mut input)).await
        };
        // End of file, an error, or a timeout.
        if !matches!(read, Ok(Ok(1..))) {
            return;
        }
    }
}
