//! An SMTP connection, one command at a time. lettre's does not show the greeting, and keeps the socket that the TLS checks
//! need after STARTTLS.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Maximum octets of a reply (RFC 5321, 4.5.3.1.5, has 512 for a line).
const REPLY_OCTETS: u64 = 16_384;

/// The name in EHLO: a literal needs no DNS (RFC 5321, 4.1.4).
const CLIENT: &str = "[127.0.0.1]";

/// A reply of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    /// The text of each line, without the code.
    pub(super) lines: Vec<String>,
}

impl Reply {
    /// Whether the command succeeded (2xx, 3xx).
    pub(super) fn is_positive(&self) -> bool {
        (200..400).contains(&self.code)
    }

    /// Whether the command failed permanently (5xx).
    pub(super) fn is_refusal(&self) -> bool {
        (500..600).contains(&self.code)
    }

    /// Code and text on one line.
    pub(super) fn text(&self) -> String {
        format!("{} {}", self.code, self.lines.join(" "))
    }
}

/// A dialogue that ended without a reply.
#[derive(Debug, thiserror::Error)]
pub(super) enum TalkError {
    #[error("no reply within {} s", .0.as_secs())]
    Timeout(Duration),
    #[error("the connection was closed")]
    Closed,
    #[error("the reply is no SMTP reply")]
    Malformed,
    #[error("the reply to STARTTLS was {}", .0.text())]
    NoTls(Reply),
    #[error("{0}")]
    Io(std::io::ErrorKind),
}

impl From<std::io::Error> for TalkError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error.kind())
    }
}

/// A connection over TCP or TLS.
pub(super) struct Connection<S> {
    stream: BufReader<S>,
    timeout: Duration,
}

/// Connects; reads nothing yet.
pub(super) async fn connect(address: SocketAddr, limit: Duration) -> Result<TcpStream, TalkError> {
    timeout(limit, TcpStream::connect(address)).await.map_err(|_| TalkError::Timeout(limit))?.map_err(TalkError::from)
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(super) fn new(stream: S, timeout: Duration) -> Self {
        Self { stream: BufReader::new(stream), timeout }
    }

    /// Reads a reply, such as the greeting.
    pub(super) async fn read(&mut self) -> Result<Reply, TalkError> {
        timeout(self.timeout, self.read_reply()).await.map_err(|_| TalkError::Timeout(self.timeout))?
    }

    /// Sends a command and reads the reply.
    pub(super) async fn send(&mut self, command: &str) -> Result<Reply, TalkError> {
        let line = format!("{command}\r\n");
        timeout(self.timeout, self.stream.get_mut().write_all(line.as_bytes()))
            .await
            .map_err(|_| TalkError::Timeout(self.timeout))??;
        timeout(self.timeout, self.stream.get_mut().flush()).await.map_err(|_| TalkError::Timeout(self.timeout))??;
        self.read().await
    }

    pub(super) async fn ehlo(&mut self) -> Result<Reply, TalkError> {
        self.send(&format!("EHLO {CLIENT}")).await
    }

    /// Ends the dialogue; its result no longer matters.
    pub(super) async fn quit(mut self) {
        let _ = self.send("QUIT").await;
    }

    async fn read_reply(&mut self) -> Result<Reply, TalkError> {
        let mut reply = Reply { code: 0, lines: Vec::new() };
        let mut limited = (&mut self.stream).take(REPLY_OCTETS);
        loop {
            let mut line = Vec::new();
            limited.read_until(b'\n', &mut line).await?;
            if line.is_empty() {
                return Err(if limited.limit() == 0 { TalkError::Malformed } else { TalkError::Closed });
            }
            let line = String::from_utf8_lossy(&line);
            let (code, is_last, text) = parse_line(line.trim_end()).ok_or(TalkError::Malformed)?;
            reply.code = code;
            reply.lines.push(text.to_owned());
            if is_last {
                return Ok(reply);
            }
        }
    }
}

impl Connection<TcpStream> {
    /// Starts TLS and returns the socket, on which the handshake comes next.
    pub(super) async fn start_tls(mut self) -> Result<TcpStream, TalkError> {
        let reply = self.send("STARTTLS").await?;
        if !reply.is_positive() {
            return Err(TalkError::NoTls(reply));
        }
        Ok(self.stream.into_inner())
    }
}

/// The code, whether it is the last line, and the text (RFC 5321, 4.2.1).
fn parse_line(line: &str) -> Option<(u16, bool, &str)> {
    let code = line.get(..3)?.parse().ok()?;
    match line.as_bytes().get(3) {
        None | Some(b' ') => Some((code, true, line.get(4..).unwrap_or_default())),
        Some(b'-') => Some((code, false, &line[4..])),
        Some(_) => None,
    }
}

/// Connects and reads the greeting and the reply to EHLO.
pub(super) async fn open(
    address: SocketAddr,
    limit: Duration,
) -> Result<(Connection<TcpStream>, Reply, Reply), TalkError> {
    let mut connection = Connection::new(connect(address, limit).await?, limit);
    let greeting = connection.read().await?;
    let ehlo = connection.ehlo().await?;
    Ok((connection, greeting, ehlo))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(300);

    async fn reply(octets: &[u8]) -> Result<Reply, TalkError> {
        let (client, mut server) = tokio::io::duplex(65_536);
        server.write_all(octets).await.unwrap();
        drop(server);
        Connection::new(client, LIMIT).read().await
    }

    #[rstest::rstest]
    #[case::one_line(b"220 mx ESMTP\r\n", "220 mx ESMTP")]
    #[case::lines(b"250-mx\r\n250-SIZE 1\r\n250 HELP\r\n", "250 mx SIZE 1 HELP")]
    #[case::no_text(b"250\r\n", "250 ")]
    #[case::no_ascii(b"250 \xff\r\n", "250 \u{fffd}")]
    #[tokio::test]
    async fn reply_is_parsed(#[case] octets: &[u8], #[case] expected: &str) {
        assert_eq!(reply(octets).await.unwrap().text(), expected);
    }

    #[rstest::rstest]
    #[case::closed(b"", "the connection was closed")]
    #[case::half(b"250-mx\r\n", "the connection was closed")]
    #[case::no_code(b"hello\r\n", "the reply is no SMTP reply")]
    #[case::other_separator(b"250_x\r\n", "the reply is no SMTP reply")]
    #[case::no_char_boundary("25ö mx\r\n".as_bytes(), "the reply is no SMTP reply")]
    #[case::endless(&b"250-x\r\n".repeat(3000), "the reply is no SMTP reply")]
    #[tokio::test]
    async fn bad_reply_is_error(#[case] octets: &[u8], #[case] expected: &str) {
        assert_eq!(reply(octets).await.unwrap_err().to_string(), expected);
    }

    #[tokio::test]
    async fn silent_host_times_out() {
        let (client, _server) = tokio::io::duplex(64);
        let error = Connection::new(client, LIMIT).ehlo().await.unwrap_err();
        assert!(matches!(error, TalkError::Timeout(_)), "{error:?}");
    }
}
