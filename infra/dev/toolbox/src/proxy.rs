//! An HTTP reverse proxy on loopback.

use anyhow::Result;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use crate::net;

/// Headers that belong to one connection (RFC 9110, 7.6.1).
const HOP_BY_HOP: [HeaderName; 5] =
    [header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH, header::UPGRADE, header::TE];

/// Maximum request size of API Gateway.
const MAX_REQUEST_BYTES: usize = 10 * 1024 * 1024;

/// Forwards requests to another server, unchanged except for `Host` and the hop-by-hop headers.
#[derive(Clone)]
pub struct Forwarder(reqwest::Client);

impl Forwarder {
    /// A forwarder with its own connections.
    pub fn new() -> Result<Self> {
        Ok(Self(net::http_client()?))
    }

    /// Sends a request to `url` and returns the response.
    pub async fn forward(&self, method: Method, url: &str, headers: HeaderMap, body: Bytes) -> Result<Response> {
        let mut headers = end_to_end(headers);
        headers.remove(header::HOST);
        let request = self.0.request(method, url).headers(headers).body(body);
        // The URL of a callback contains the provider's response.
        let mut upstream = request.send().await.map_err(reqwest::Error::without_url)?;
        let headers = end_to_end(std::mem::take(upstream.headers_mut()));
        let mut response = Response::new(Body::empty());
        *response.status_mut() = upstream.status();
        *response.headers_mut() = headers;
        *response.body_mut() = Body::from(upstream.bytes().await.map_err(reqwest::Error::without_url)?);
        Ok(response)
    }

    /// Forwards a request as it was received; 502 for an error.
    pub async fn forward_request(&self, request: Request, url: &str) -> Response {
        let (parts, body) = request.into_parts();
        match to_bytes(body, MAX_REQUEST_BYTES).await {
            Ok(body) => self.forward_or_502(parts.method, url, parts.headers, body).await,
            Err(error) => bad_gateway(&error.into()),
        }
    }

    /// Like [`forward`](Self::forward), with 502 for an error.
    pub async fn forward_or_502(&self, method: Method, url: &str, headers: HeaderMap, body: Bytes) -> Response {
        self.forward(method, url, headers, body).await.unwrap_or_else(|error| bad_gateway(&error))
    }
}

/// 502 with the error as text. The terminal shows it too, since a browser's console has only the status.
pub fn bad_gateway(error: &anyhow::Error) -> Response {
    eprintln!("  ! a request was not forwarded: {error:#}");
    (StatusCode::BAD_GATEWAY, format!("{error:#}\n")).into_response()
}

/// Serves `app` in the background until the process exits. Without `TCP_NODELAY`, small responses would wait for Nagle's
/// algorithm.
pub fn serve(listener: TcpListener, app: Router) {
    let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
    tokio::spawn(async move { axum::serve(listener, app).await });
}

/// Like [`serve`], on a free port; returns the URL.
pub async fn serve_on_free_port(app: Router) -> Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    serve(listener, app);
    Ok(url)
}

fn end_to_end(mut headers: HeaderMap) -> HeaderMap {
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    headers
}

#[cfg(test)]
mod tests {
    use axum::routing::get;

    use super::*;

    #[tokio::test]
    async fn forwarder_keeps_status_headers_and_body() {
        let echo = get(|headers: HeaderMap| async move {
            (StatusCode::NOT_FOUND, [("x-echo", headers["x-test"].clone())], "gone")
        });
        let url = serve_on_free_port(Router::new().route("/missing", echo)).await.unwrap() + "/missing";
        let sent = HeaderMap::from_iter([
            ("x-test".parse().unwrap(), "yes".parse().unwrap()),
            (header::HOST, "elsewhere.example".parse().unwrap()),
        ]);
        let forwarder = Forwarder::new().unwrap();
        let response = forwarder.forward(Method::GET, &url, sent, Bytes::new()).await.unwrap();
        assert_eq!((response.status(), response.headers()["x-echo"].as_bytes()), (StatusCode::NOT_FOUND, &b"yes"[..]));
        assert_eq!(axum::body::to_bytes(response.into_body(), 100).await.unwrap(), "gone");
    }

    #[tokio::test]
    async fn unreachable_server_is_a_502() {
        let forwarder = Forwarder::new().unwrap();
        let url = format!("http://127.0.0.1:{}/", net::free_port().unwrap());
        let response = forwarder.forward_or_502(Method::GET, &url, HeaderMap::new(), Bytes::new()).await;
        assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
    }
}
