//! A fixed address in front of a deployed REST API, as a load balancer or domain name would be.

use anyhow::Result;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use membermail_toolbox::net;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

/// Headers that belong to one connection (RFC 9110, 7.6.1), and the host.
const NOT_FORWARDED: [HeaderName; 4] =
    [header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH, header::HOST];
/// Maximum request size of API Gateway.
const BODY_LIMIT: usize = 10 * 1024 * 1024;

/// A front, stopped when dropped.
pub struct Front(JoinHandle<()>);

impl Drop for Front {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Front {
    /// Forwards requests at this port to the API, whose URL has no slash at its end.
    pub async fn start(port: u16, api: &str) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let client = net::http_client()?;
        let app = Router::new().fallback(forward).with_state((client, api.to_owned()));
        // It only ends with this process.
        Ok(Self(tokio::spawn(async move { drop(axum::serve(listener, app).await) })))
    }
}

async fn forward(State((client, api)): State<(reqwest::Client, String)>, request: Request) -> Response {
    match forwarded(&client, &api, request).await {
        Ok(response) => response,
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error:#}")).into_response(),
    }
}

async fn forwarded(client: &reqwest::Client, api: &str, request: Request) -> Result<Response> {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let url: Url = format!("{api}{path}").parse()?;
    let body = to_bytes(body, BODY_LIMIT).await?;
    NOT_FORWARDED.iter().for_each(|name| drop(parts.headers.remove(name)));
    let answer = client.request(parts.method, url).headers(parts.headers).body(body).send().await?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = answer.status();
    *response.headers_mut() = answer.headers().clone();
    NOT_FORWARDED.iter().for_each(|name| drop(response.headers_mut().remove(name)));
    *response.body_mut() = Body::from(answer.bytes().await?);
    Ok(response)
}
