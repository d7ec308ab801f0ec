//! A minimal fake of AWS over TLS, for cold starts: a call includes a TLS handshake with its random numbers, as on AWS.
//! It has one secret and no items.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};
use axum::Router;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;

/// Debian's CA certificates, about as many as a function reads on AWS.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// A running fake.
pub(crate) struct AwsOverTls {
    /// Value of `AWS_ENDPOINT_URL`.
    pub(crate) url: String,
    /// Value of `SSL_CERT_FILE`.
    pub(crate) certificates: PathBuf,
    handshakes: Arc<AtomicU32>,
}

impl AwsOverTls {
    /// Serves until the process exits; writes the certificates to `folder`.
    pub(crate) async fn start(folder: &Path) -> Result<Self> {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["localhost".to_owned()])?;
        let certificates = folder.join("certificates.pem");
        let trusted = std::fs::read_to_string(CERTIFICATES).with_context(|| format!("reading {CERTIFICATES}"))?;
        std::fs::write(&certificates, trusted + &cert.pem())?;
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).map_err(anyhow::Error::msg)?;
        let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert.into()], key)?;
        // No session resumption: the first connection of a process on AWS is a full handshake.
        config.send_tls13_tickets = 0;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("https://localhost:{}", listener.local_addr()?.port());
        let handshakes = Arc::new(AtomicU32::new(0));
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TlsListener { listener, acceptor, handshakes: Arc::clone(&handshakes) };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(respond)).await });
        Ok(Self { url, certificates, handshakes })
    }

    /// Number of completed TLS handshakes.
    pub(crate) fn handshakes(&self) -> u32 {
        self.handshakes.load(Ordering::Relaxed)
    }
}

async fn respond(headers: HeaderMap) -> impl IntoResponse {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let body = match target.rsplit_once('.') {
        Some((_, "GetSecretValue")) => r#"{"SecretString":"0123456789012345678901234567890123456789"}"#,
        _ => "{}",
    };
    ([(header::CONTENT_TYPE, "application/x-amz-json-1.0")], body)
}

struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    handshakes: Arc<AtomicU32>,
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((connection, address)) = self.listener.accept().await else { continue };
            let _ = connection.set_nodelay(true);
            if let Ok(connection) = self.acceptor.accept(connection).await {
                self.handshakes.fetch_add(1, Ordering::Relaxed);
                return (connection, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}
