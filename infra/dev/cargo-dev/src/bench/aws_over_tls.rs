//! A minimal fake of AWS, of a sign-in provider and of our own site over TLS, for cold starts: a call includes a TLS handshake
//! with its random numbers, as on AWS. It has one secret and no items; the provider has metadata only, and the site what
//! `check-status` requests.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;

use super::probed_site;

/// Debian's CA certificates, about as many as a function reads on AWS.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// The path of the provider's metadata (OpenID Connect Discovery 1.0, section 4).
pub(crate) const METADATA: &str = "/.well-known/openid-configuration";
/// The value of every secret.
pub(crate) const SECRET: &str = "0123456789012345678901234567890123456789";

/// A running fake.
pub(crate) struct AwsOverTls {
    /// Value of `AWS_ENDPOINT_URL`, and the root of the provider and of the site.
    pub(crate) url: String,
    /// Value of `SSL_CERT_FILE`.
    pub(crate) certificates: PathBuf,
    handshakes: Arc<AtomicU32>,
    requests: Requests,
}

/// The paths that were requested of the provider and of the site.
type Requests = Arc<Mutex<Vec<String>>>;

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
        let requests = Requests::default();
        let pages = get(page).with_state((url.clone(), Arc::clone(&requests)));
        let app = Router::new().fallback_service(pages.fallback(respond));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self { url, certificates, handshakes, requests })
    }

    /// Number of completed TLS handshakes since the last call.
    pub(crate) fn take_handshakes(&self) -> u32 {
        self.handshakes.swap(0, Ordering::Relaxed)
    }

    /// The sorted paths of requests to the provider and to the site since the last call.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        let mut requests = std::mem::take(&mut *self.requests.lock().unwrap_or_else(PoisonError::into_inner));
        requests.sort();
        requests
    }
}

async fn respond(headers: HeaderMap) -> impl IntoResponse {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let body = match target.rsplit_once('.') {
        Some((_, "GetSecretValue")) => json!({ "SecretString": SECRET }),
        _ => json!({}),
    };
    ([(header::CONTENT_TYPE, "application/x-amz-json-1.0")], body.to_string())
}

/// The provider and the site; AWS has no GET requests here.
async fn page(State((root, requests)): State<(String, Requests)>, uri: Uri) -> Response {
    requests.lock().unwrap_or_else(PoisonError::into_inner).push(uri.path().to_owned());
    match uri.path() {
        METADATA => metadata(&root),
        path => probed_site::respond(path),
    }
}

fn metadata(root: &str) -> Response {
    let metadata = json!({
        "issuer": root,
        "authorization_endpoint": format!("{root}/authorize"),
        "token_endpoint": format!("{root}/token"),
        "jwks_uri": format!("{root}/keys"),
        "userinfo_endpoint": format!("{root}/userinfo"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
    });
    ([(header::CONTENT_TYPE, "application/json")], metadata.to_string()).into_response()
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
