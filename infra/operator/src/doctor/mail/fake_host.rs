//! A scripted mail host, for tests.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What the host does. The mistakes are off by default.
#[derive(Clone)]
pub(super) struct Script {
    pub(super) name: &'static str,
    /// Keywords before and after TLS.
    pub(super) clear: &'static [&'static str],
    pub(super) encrypted: &'static [&'static str],
    /// Recipients that are accepted begin with one of these.
    pub(super) accepted: &'static [&'static str],
    /// Senders in this domain are refused.
    pub(super) refused_senders: &'static str,
    /// Answers every ClientHello that rustls would not send.
    pub(super) weak_tls: bool,
    /// Says nothing.
    pub(super) silent: bool,
}

impl Script {
    /// The port for mail from anywhere of a host with everything right.
    pub(super) fn smtp() -> Self {
        Self {
            name: "mx.forwards.example",
            clear: &["PIPELINING", "SIZE 1000", "STARTTLS"],
            encrypted: &["PIPELINING", "SIZE 1000"],
            accepted: &["postmaster"],
            refused_senders: "@return.forwards.example>",
            weak_tls: false,
            silent: false,
        }
    }

    /// The submission port of that host.
    pub(super) fn submission() -> Self {
        Self { encrypted: &["PIPELINING", "SIZE 1000", "AUTH PLAIN"], accepted: &[], ..Self::smtp() }
    }

    /// Starts the host, which stops with the test's runtime; returns its port.
    pub(super) async fn start(self, certificate: &rcgen::CertifiedKey<rcgen::KeyPair>) -> u16 {
        let key = PrivateKeyDer::try_from(certificate.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![certificate.cert.der().clone()], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(self.clone().serve(stream, acceptor.clone()));
            }
        });
        port
    }

    async fn serve(self, mut stream: TcpStream, acceptor: TlsAcceptor) -> std::io::Result<()> {
        if self.silent {
            tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        }
        stream.write_all(format!("220 {} ESMTP\r\n", self.name).as_bytes()).await?;
        if !self.talk(&mut stream, self.clear).await? {
            return Ok(());
        }
        let mut head = [0; 48];
        while stream.peek(&mut head).await? < head.len() {}
        // The version of the ClientHello; and its first cipher, behind 32 random octets and an empty session.
        if head[10] < 3 || head[46..48] == [0x00, 0xa7] {
            if self.weak_tls {
                stream.write_all(&[22, 3, 1, 0, 4, 2, 0, 0, 0]).await?;
                let _ = stream.read(&mut head).await;
            }
            return Ok(());
        }
        self.talk(&mut acceptor.accept(stream).await?, self.encrypted).await.map(drop)
    }

    /// Whether the client sent STARTTLS.
    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut S,
        keywords: &[&str],
    ) -> std::io::Result<bool> {
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        while stream.read_line(&mut line).await? > 0 {
            let reply = match line.trim_end() {
                command if command.starts_with("EHLO") => {
                    let lines: String = keywords.iter().map(|keyword| format!("250-{keyword}\r\n")).collect();
                    format!("250-{}\r\n{lines}250 8BITMIME", self.name)
                }
                command if command.starts_with("MAIL") && command.ends_with(self.refused_senders) => {
                    "550 5.7.1 made up".to_owned()
                }
                command => match command.strip_prefix("RCPT TO:<") {
                    Some(recipient) if !self.accepted.iter().any(|start| recipient.starts_with(start)) => {
                        "550 5.1.1 unknown".to_owned()
                    }
                    _ => "250 2.0.0 Ok".to_owned(),
                },
            };
            stream.get_mut().write_all(format!("{reply}\r\n").as_bytes()).await?;
            if line.starts_with("STARTTLS") {
                return Ok(true);
            }
            line.clear();
        }
        Ok(false)
    }
}
