//! The HTTP client of the AWS clients: hyper and rustls, without HTTP/2.
//!
//! The SDK's default client always includes HTTP/2, which DynamoDB, SQS and Secrets Manager do not offer for our requests.
//! It is a tenth of a function's code. This client uses the same libraries without it.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{self, Client, connect};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;

/// The root certificates cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[error("loading the root certificates failed: {0}")]
pub struct TlsError(#[from] Box<dyn Error + Send + Sync>);

/// The HTTP client that all AWS clients share, so that the root certificates are loaded once.
///
/// # Errors
/// If the machine has no root certificates.
pub fn client() -> Result<SharedHttpClient, TlsError> {
    let provider = aws_lc_rs::default_provider().into();
    let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(boxed)?;
    let tls = tls.with_native_roots().map_err(boxed)?.with_no_client_auth();
    Ok(SharedHttpClient::new(Connectors { tls, by_timeouts: Mutex::default() }))
}

fn boxed(error: impl Error + Send + Sync + 'static) -> Box<dyn Error + Send + Sync> {
    Box::new(error)
}

/// One connector per pair of timeouts. The SDK requests a connector for each call; a new one would have no open connection,
/// and each call would pay for a handshake.
#[derive(Debug)]
struct Connectors {
    tls: ClientConfig,
    by_timeouts: Mutex<HashMap<Timeouts, SharedHttpConnector>>,
}

/// Connect timeout and read timeout.
type Timeouts = (Option<Duration>, Option<Duration>);

impl HttpClient for Connectors {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        let mut connectors = self.by_timeouts.lock().unwrap_or_else(PoisonError::into_inner);
        let connector = connectors.entry((settings.connect_timeout(), settings.read_timeout()));
        connector.or_insert_with(|| SharedHttpConnector::new(Connector::new(self.tls.clone(), settings))).clone()
    }
}

/// A connection pool with the timeouts that the SDK requests.
#[derive(Clone, Debug)]
struct Connector {
    client: Client<HttpsConnector<connect::HttpConnector>, SdkBody>,
    read_timeout: Option<Duration>,
}

impl Connector {
    fn new(tls: ClientConfig, settings: &HttpConnectorSettings) -> Self {
        let mut tcp = connect::HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(settings.connect_timeout());
        // The local stack has no TLS.
        let https =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(https);
        Self { client, read_timeout: settings.read_timeout() }
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        let response = self.client.request(request);
        let read_timeout = self.read_timeout;
        HttpConnectorFuture::new(async move {
            let response = match read_timeout {
                Some(read_timeout) => {
                    let result = tokio::time::timeout(read_timeout, response).await;
                    result.map_err(|elapsed| ConnectorError::timeout(elapsed.into()))?
                }
                None => response.await,
            };
            let response = response.map_err(classify)?.map(SdkBody::from_body_1_x);
            HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// Classifies a failure for the SDK's retries.
fn classify(error: legacy::Error) -> ConnectorError {
    let http = source::<hyper::Error>(&error);
    if http.is_some_and(hyper::Error::is_timeout) {
        return ConnectorError::timeout(error.into());
    }
    if http.is_some_and(hyper::Error::is_user) {
        return ConnectorError::user(error.into());
    }
    let is_connection_lost = http.is_some_and(|http| http.is_closed() || http.is_canceled());
    if is_connection_lost || error.is_connect() || source::<std::io::Error>(&error).is_some() {
        return ConnectorError::io(error.into());
    }
    // A pooled connection that was closed while Lambda had frozen the function.
    let is_incomplete = http.is_some_and(hyper::Error::is_incomplete_message);
    ConnectorError::other(error.into(), is_incomplete.then_some(ErrorKind::TransientError))
}

/// The first error of type `E` in the chain of causes.
fn source<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    std::iter::successors(Some(error), |&error| error.source()).find_map(|error| error.downcast_ref())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Router;
    use axum::serve::ListenerExt;
    use rstest::rstest;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// How a server reacts to a request.
    #[derive(Clone, Copy)]
    enum Behavior {
        Respond,
        Close,
        CloseDuringResponse,
        Hang,
    }

    async fn request_status(port: u16) -> Result<u16, ConnectorError> {
        let settings = HttpConnectorSettings::builder()
            .connect_timeout(Duration::from_secs(5))
            .read_timeout(Duration::from_millis(500))
            .build();
        let provider = aws_lc_rs::default_provider().into();
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let request = HttpRequest::get(format!("http://127.0.0.1:{port}/")).unwrap();
        Connector::new(tls, &settings).call(request).await.map(|response| response.status().as_u16())
    }

    async fn server(behavior: Behavior) -> u16 {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut peer, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = peer.read(&mut request).await;
            match behavior {
                Behavior::Respond => peer.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap(),
                Behavior::Close => {}
                Behavior::CloseDuringResponse => peer.write_all(b"HTTP/1.1 20").await.unwrap(),
                Behavior::Hang => tokio::time::sleep(Duration::from_secs(5)).await,
            }
        });
        port
    }

    #[tokio::test]
    async fn response_is_returned() {
        assert_eq!(request_status(server(Behavior::Respond).await).await.unwrap(), 204);
    }

    /// The SDK retries connection failures, but not malformed requests.
    #[rstest]
    #[case::timeout(Behavior::Hang, true)]
    #[case::closed_before_response(Behavior::Close, false)]
    #[case::closed_during_response(Behavior::CloseDuringResponse, false)]
    #[tokio::test]
    async fn connection_failure_is_retryable(#[case] behavior: Behavior, #[case] is_timeout: bool) {
        let error = request_status(server(behavior).await).await.unwrap_err();
        assert_eq!(error.is_timeout(), is_timeout, "{error:?}");
        assert!(
            error.is_timeout() || error.is_io() || error.as_other() == Some(ErrorKind::TransientError),
            "{error:?}"
        );
    }

    #[tokio::test]
    async fn calls_share_one_connection() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version_latest()
            .region(aws_sdk_dynamodb::config::Region::from_static("us-east-1"))
            .credentials_provider(aws_sdk_dynamodb::config::Credentials::new("test", "test", None, None, "test"))
            .endpoint_url(format!("http://{}", listener.local_addr().unwrap()))
            .http_client(client().unwrap())
            .build();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        let listener = listener.tap_io(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
        });
        let app = Router::new().fallback(async || ([("content-type", "application/x-amz-json-1.0")], "{}"));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let client = aws_sdk_dynamodb::Client::from_conf(config);
        for _ in 0..5 {
            client.list_tables().send().await.unwrap();
        }
        assert_eq!(connections.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn refused_connection_is_an_io_error() {
        let port = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port();
        assert!(request_status(port).await.unwrap_err().is_io());
    }
}
