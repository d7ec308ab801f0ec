//! The HTTP client of the AWS clients: hyper and rustls, without HTTP/2.
//!
//! The SDK's own client always brings HTTP/2 along, which DynamoDB, SQS and Secrets Manager do not offer on what we ask
//! them: a tenth of a function's code that never runs. This is the same stack of libraries with that left out.

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

/// The root certificates could not be read.
#[derive(Debug, thiserror::Error)]
#[error("no HTTPS: {0}")]
pub struct NoHttps(#[from] Box<dyn Error + Send + Sync>);

/// One client for all clients: the root certificates are read once.
///
/// # Errors
/// Where the machine has no root certificates.
pub fn client() -> Result<SharedHttpClient, NoHttps> {
    let provider = aws_lc_rs::default_provider().into();
    let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(boxed)?;
    let tls = tls.with_native_roots().map_err(boxed)?.with_no_client_auth();
    Ok(SharedHttpClient::new(Connectors { tls, by_time_outs: Mutex::default() }))
}

fn boxed(error: impl Error + Send + Sync + 'static) -> Box<dyn Error + Send + Sync> {
    Box::new(error)
}

/// One connector for all calls with the same time-outs. The SDK asks for it anew at each call: made anew, it would
/// have no connection yet, and each call would pay a handshake.
#[derive(Debug)]
struct Connectors {
    tls: ClientConfig,
    by_time_outs: Mutex<HashMap<TimeOuts, SharedHttpConnector>>,
}

/// To connect, and to answer.
type TimeOuts = (Option<Duration>, Option<Duration>);

impl HttpClient for Connectors {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        let mut connectors = self.by_time_outs.lock().unwrap_or_else(PoisonError::into_inner);
        let connector = connectors.entry((settings.connect_timeout(), settings.read_timeout()));
        connector.or_insert_with(|| SharedHttpConnector::new(Connector::new(self.tls.clone(), settings))).clone()
    }
}

/// Connections that are kept, with the time-outs that the SDK asks for.
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
        // Without TLS too: the local stack has none.
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
        let (answer, patience) = (self.client.request(request), self.read_timeout);
        HttpConnectorFuture::new(async move {
            let answer = match patience {
                Some(patience) => {
                    tokio::time::timeout(patience, answer).await.map_err(|late| ConnectorError::timeout(late.into()))?
                }
                None => answer.await,
            };
            let answer = answer.map_err(told_apart)?.map(SdkBody::from_body_1_x);
            HttpResponse::try_from(answer).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// Says of a failure what the SDK's retries must know: whether asking again can help.
fn told_apart(error: legacy::Error) -> ConnectorError {
    let http = source::<hyper::Error>(&error);
    if http.is_some_and(hyper::Error::is_timeout) {
        return ConnectorError::timeout(error.into());
    }
    if http.is_some_and(hyper::Error::is_user) {
        return ConnectorError::user(error.into());
    }
    let is_lost = http.is_some_and(|http| http.is_closed() || http.is_canceled());
    if is_lost || error.is_connect() || source::<std::io::Error>(&error).is_some() {
        return ConnectorError::io(error.into());
    }
    // A kept connection that ended while Lambda had the function frozen.
    let is_cut_short = http.is_some_and(hyper::Error::is_incomplete_message);
    ConnectorError::other(error.into(), is_cut_short.then_some(ErrorKind::TransientError))
}

/// The first of this kind among an error and what caused it.
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

    /// What a server does with what it is asked.
    #[derive(Clone, Copy)]
    enum Does {
        Answers,
        Closes,
        Breaks,
        Nothing,
    }

    async fn ask(port: u16) -> Result<u16, ConnectorError> {
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
        Connector::new(tls, &settings).call(request).await.map(|answer| answer.status().as_u16())
    }

    async fn server(does: Does) -> u16 {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut peer, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = peer.read(&mut request).await;
            match does {
                Does::Answers => peer.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap(),
                Does::Closes => {}
                Does::Breaks => peer.write_all(b"HTTP/1.1 20").await.unwrap(),
                Does::Nothing => tokio::time::sleep(Duration::from_secs(5)).await,
            }
        });
        port
    }

    #[tokio::test]
    async fn an_answer_comes_back() {
        assert_eq!(ask(server(Does::Answers).await).await.unwrap(), 204);
    }

    /// The SDK asks again where the failure is one of the line, and never where the request itself is wrong.
    #[rstest]
    #[case::no_answer_in_time(Does::Nothing, true)]
    #[case::a_connection_that_ends_before_the_answer(Does::Closes, false)]
    #[case::a_connection_that_ends_within_the_answer(Does::Breaks, false)]
    #[tokio::test]
    async fn a_failure_of_the_line_is_worth_another_try(#[case] does: Does, #[case] is_timeout: bool) {
        let error = ask(server(does).await).await.unwrap_err();
        assert_eq!(error.is_timeout(), is_timeout, "{error:?}");
        assert!(
            error.is_timeout() || error.is_io() || error.as_other() == Some(ErrorKind::TransientError),
            "{error:?}"
        );
    }

    #[tokio::test]
    async fn calls_share_a_connection() {
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
        let answer = || async { ([("content-type", "application/x-amz-json-1.0")], "{}") };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
        let client = aws_sdk_dynamodb::Client::from_conf(config);
        for _ in 0..5 {
            client.list_tables().send().await.unwrap();
        }
        assert_eq!(connections.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn nobody_who_listens_is_a_failure_of_the_line() {
        let port = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port();
        assert!(ask(port).await.unwrap_err().is_io());
    }
}
