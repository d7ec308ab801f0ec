//! A fixed address in front of the REST API, whose own has an id that changes with each deploy. It stands for the
//! load balancer or domain name in front of API Gateway, and changes nothing of what it passes on.

use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use reqwest::redirect::Policy;
use tokio::net::TcpListener;

/// API Gateway takes no more either.
const LARGEST: usize = 10 * 1024 * 1024;

/// Headers that belong to one connection, not to what is passed on.
const OF_CONNECTION: [HeaderName; 5] =
    [header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH, header::UPGRADE, header::TE];

struct Front {
    to: String,
    client: reqwest::Client,
}

/// Passes every request on to this address until the process ends.
pub(crate) fn serve(listener: TcpListener, to: String) -> Result<()> {
    let client = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build()?;
    let app = Router::new().fallback(pass).with_state(Arc::new(Front { to, client }));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(())
}

async fn pass(State(front): State<Arc<Front>>, request: Request) -> Response {
    match front.pass(request).await {
        Ok(response) => response,
        Err(error) => {
            (StatusCode::BAD_GATEWAY, format!("the front cannot reach the functions: {error:#}\n")).into_response()
        }
    }
}

impl Front {
    async fn pass(&self, request: Request) -> Result<Response> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut headers = of_message(&parts.headers);
        // The emulator finds the API by its own host name or path; a foreign name only confuses it.
        headers.remove(header::HOST);
        let request = self.client.request(parts.method, format!("{}{path}", self.to)).headers(headers);
        let answer = request.body(to_bytes(body, LARGEST).await?).send().await?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = answer.status();
        *response.headers_mut() = of_message(answer.headers());
        *response.body_mut() = Body::from(answer.bytes().await?);
        Ok(response)
    }
}

fn of_message(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in OF_CONNECTION {
        headers.remove(name);
    }
    headers
}
