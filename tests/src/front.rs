//! A fixed address in front of a deployed REST API, as a load balancer or domain name would be.

use anyhow::Result;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use membermail_toolbox::proxy::Forwarder;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

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
        let app = Router::new().fallback(forward).with_state((Forwarder::new()?, api.to_owned()));
        // It only ends with this process.
        Ok(Self(tokio::spawn(async move { drop(axum::serve(listener, app).await) })))
    }
}

async fn forward(State((forwarder, api)): State<(Forwarder, String)>, request: Request) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let url = format!("{api}{path}");
    forwarder.forward_request(request, &url).await
}
