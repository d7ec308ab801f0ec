//! Connections: from the first octet to the last, whatever a peer does.

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
use crate::netstring::{self, Read};

/// Postfix closes a connection that it does not need after some seconds; one that is left open is somebody else's.
const IDLE: Duration = Duration::from_secs(300);

/// From the first octet of a question to its last, and for a peer to take a reply.
const SLOWEST: Duration = Duration::from_secs(10);

/// A place to listen, bound.
pub enum Listener {
    /// TCP
    Inet(TcpListener),
    /// A UNIX socket
    Unix(UnixListener),
}

impl Listener {
    /// Binds the place. A socket file that nobody answers at any more is what a killed server left.
    pub async fn bind(endpoint: &Endpoint) -> io::Result<Self> {
        match endpoint {
            Endpoint::Inet(address) => TcpListener::bind(address).await.map(Self::Inet),
            Endpoint::Unix(path) => {
                let is_left = is_socket(path) && UnixStream::connect(path).await.is_err();
                if is_left {
                    std::fs::remove_file(path)?;
                }
                UnixListener::bind(path).map(Self::Unix)
            }
        }
    }

    /// Where it is; a TCP port 0 has become one.
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

/// Serves connections until it is told to stop; look-ups under way are answered first.
pub struct Server {
    lookups: Arc<Lookups>,
    places: Arc<Semaphore>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Server {
    /// Of these maps, with that many connections at the same time at most.
    pub fn new(lookups: Arc<Lookups>, connections: usize) -> Self {
        let places = Arc::new(Semaphore::new(connections));
        Self { lookups, places, stop: CancellationToken::new(), tasks: TaskTracker::new() }
    }

    /// Begins to accept connections there.
    pub fn listen(&self, listener: Listener) {
        let (lookups, places) = (Arc::clone(&self.lookups), Arc::clone(&self.places));
        let (stop, tasks) = (self.stop.clone(), self.tasks.clone());
        self.tasks.spawn(async move {
            while let Some(accepted) = stop.run_until_cancelled(accept(&listener)).await {
                let stream = match accepted {
                    Ok(stream) => stream,
                    Err(error) => {
                        // Out of file descriptors, most likely: closing connections helps, and they close by themselves.
                        tracing::warn!(%error, "cannot accept a connection");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        continue;
                    }
                };
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                    metrics::counter!("membermail_alias_map_connections_refused_total").increment(1);
                    continue;
                };
                let (lookups, stop) = (Arc::clone(&lookups), stop.clone());
                tasks.spawn(async move {
                    metrics::gauge!("membermail_alias_map_connections").increment(1);
                    match stream {
                        Stream::Inet(stream) => serve(stream, &lookups, &stop).await,
                        Stream::Unix(stream) => serve(stream, &lookups, &stop).await,
                    }
                    metrics::gauge!("membermail_alias_map_connections").decrement(1);
                    drop(place);
                });
            }
        });
    }

    /// Accepts nothing more, answers what has been asked, and waits for that.
    pub async fn stop(&self, patience: Duration) {
        self.stop.cancel();
        self.tasks.close();
        if timeout(patience, self.tasks.wait()).await.is_err() {
            tracing::warn!("some connections did not end in time");
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

/// Answers one question after the other, until the peer ends, is at fault, or is too slow. What the peer sent is held up to
/// one question and what came with its end.
pub async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, lookups: &Lookups, stop: &CancellationToken) {
    let mut input = BytesMut::new();
    let mut output = Vec::new();
    let mut deadline = None;
    loop {
        match netstring::read(&input) {
            Ok(Read::Complete { data, taken }) => {
                let reply = lookups.reply(data).await;
                input.advance(taken);
                deadline = None;
                output.clear();
                netstring::write(reply.to_data().as_bytes(), &mut output);
                if !matches!(timeout(SLOWEST, stream.write_all(&output)).await, Ok(Ok(()))) {
                    return;
                }
                continue;
            }
            Ok(Read::Incomplete) => {}
            Err(fault) => {
                metrics::counter!("membermail_alias_map_malformed_total").increment(1);
                output.clear();
                netstring::write(format!("PERM {fault}").as_bytes(), &mut output);
                let _ = timeout(SLOWEST, stream.write_all(&output)).await;
                return;
            }
        }
        input.reserve(1_024);
        let read = if input.is_empty() {
            match stop.run_until_cancelled(timeout(IDLE, stream.read_buf(&mut input))).await {
                Some(read) => read,
                None => return,
            }
        } else {
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + SLOWEST);
            timeout_at(deadline, stream.read_buf(&mut input)).await
        };
        // Nothing more, an error, or too slow: all end the connection.
        if !matches!(read, Ok(Ok(1..))) {
            return;
        }
    }
}
