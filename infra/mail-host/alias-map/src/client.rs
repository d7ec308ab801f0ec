//! A socketmap client, for tests and benchmarks.

use std::io;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

use crate::endpoint::Endpoint;
use crate::netstring::{self, Parsed};

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection to a socketmap server.
pub struct Client {
    stream: Box<dyn Stream>,
    input: BytesMut,
    output: Vec<u8>,
}

impl Client {
    /// Connects to a server.
    pub async fn connect(endpoint: &Endpoint) -> io::Result<Self> {
        let stream: Box<dyn Stream> = match endpoint {
            Endpoint::Inet(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
            Endpoint::Unix(path) => Box::new(UnixStream::connect(path).await?),
        };
        Ok(Self { stream, input: BytesMut::new(), output: Vec::new() })
    }

    /// Sends one request and returns the data of the reply, such as `OK bob@example.org`.
    pub async fn request(&mut self, map: &str, key: &str) -> io::Result<String> {
        self.output.clear();
        netstring::write(format!("{map} {key}").as_bytes(), &mut self.output);
        self.stream.write_all(&self.output).await?;
        loop {
            let parsed =
                netstring::parse(&self.input).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            if let Parsed::Complete { data, consumed } = parsed {
                let reply = String::from_utf8_lossy(data).into_owned();
                self.input.advance(consumed);
                return Ok(reply);
            }
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}
