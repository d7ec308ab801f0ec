//! A fixed address in front of the functions. It stands for the load balancer or domain name in front of API Gateway,
//! and changes nothing of what it passes on.

use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use reqwest::redirect::Policy;
use tokio::net::TcpListener;

use crate::watch::routes::Routes;

/// API Gateway takes no more either.
const LARGEST: usize = 10 * 1024 * 1024;

/// Headers that belong to one connection, not to what is passed on.
const OF_CONNECTION: [HeaderName; 5] =
    [header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH, header::UPGRADE, header::TE];

/// Where requests go.
pub(crate) enum Target {
    /// To the deployed REST API, whose own address has an id that changes with each deploy.
    Api(String),
    /// To functions that `cargo lambda watch` serves, each by the routes that the deployed API has.
    Functions {
        /// The address of `cargo lambda watch`.
        server: String,
        /// Which request is whose.
        routes: Routes,
    },
}

impl Target {
    /// The URL of a request, if anything is there.
    fn url(&self, method: &Method, path: &str, query: Option<&str>) -> Option<String> {
        let place = match self {
            Self::Api(api) => api.clone(),
            Self::Functions { server, routes } => format!("{server}/lambda-url/{}", routes.function(method, path)?),
        };
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        Some(format!("{place}{path}{query}"))
    }
}

struct Front {
    to: Target,
    client: reqwest::Client,
}

/// Passes every request on to this target until the process ends.
pub(crate) fn serve(listener: TcpListener, to: Target) -> Result<()> {
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
        let Some(url) = self.to.url(&parts.method, parts.uri.path(), parts.uri.query()) else {
            // What API Gateway says of a path that it does not have.
            let text = r#"{"message":"Missing Authentication Token"}"#;
            return Ok((StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, "application/json")], text).into_response());
        };
        let mut headers = of_message(&parts.headers);
        // The emulator finds the API by its own host name or path; a foreign name only confuses it.
        headers.remove(header::HOST);
        let request = self.client.request(parts.method, url).headers(headers);
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
