//! The fixed address of the site. It stands for the load balancer or domain name in front of API Gateway.

use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use membermail_toolbox::proxy::{self, Forwarder};
use tokio::net::TcpListener;

use crate::routes::Routes;

/// The destination of requests.
pub(crate) enum Target {
    /// The deployed REST API, whose URL contains an id that changes with each deploy.
    Api(String),
    /// Functions under `cargo lambda watch`, by the routes of the deployed API.
    Functions {
        /// URL of `cargo lambda watch`.
        server: String,
        /// Functions by method and path.
        routes: Routes,
    },
}

impl Target {
    /// The upstream URL of a request, if there is a route.
    fn url(&self, method: &Method, path: &str, query: Option<&str>) -> Option<String> {
        let base = match self {
            Self::Api(api) => api.clone(),
            Self::Functions { server, routes } => format!("{server}/lambda-url/{}", routes.function(method, path)?),
        };
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        Some(format!("{base}{path}{query}"))
    }
}

struct Front {
    target: Target,
    forwarder: Forwarder,
}

/// Forwards every request to the target until the process exits.
pub(crate) fn serve(listener: TcpListener, target: Target) -> Result<()> {
    let front = Front { target, forwarder: Forwarder::new()? };
    proxy::serve(listener, Router::new().fallback(forward).with_state(Arc::new(front)));
    Ok(())
}

async fn forward(State(front): State<Arc<Front>>, request: Request) -> Response {
    let uri = request.uri();
    let Some(url) = front.target.url(request.method(), uri.path(), uri.query()) else {
        // API Gateway's response for an unknown path.
        let text = r#"{"message":"Missing Authentication Token"}"#;
        return (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, "application/json")], text).into_response();
    };
    front.forwarder.forward_request(request, &url).await
}
