//! Starts the fakes on a free port, for the tests of this crate.

use membermail_core::clock::{Clock, SystemClock};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::community::Seed;
use crate::router;
use crate::state::Shared;

/// Running fakes, stopped at the end of the test.
pub(crate) struct Running {
    pub(crate) root: String,
    client: Client,
}

/// Starts the fakes with a small community.
pub(crate) async fn start() -> Running {
    start_with(Seed { people: 1_000, all_in: None, gitlab_members: 250, now: SystemClock.now() }, "").await
}

pub(crate) async fn start_with(seed: Seed, wadl: &str) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    let app = router(Shared::new(seed, wadl));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Running { root, client: Client::builder().no_proxy().no_gzip().redirect(Policy::none()).build().unwrap() }
}

impl Running {
    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.client.request(method.parse().unwrap(), format!("{}{path}", self.root))
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request("GET", path).send().await.unwrap()
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }

    /// Requests the JSON at a link of a response.
    pub(crate) async fn follow(&self, link: &Value) -> Value {
        let path = link.as_str().unwrap().strip_prefix(&self.root).expect("a link to the fakes");
        self.json(path).await
    }

    /// The default identifier of a person.
    pub(crate) async fn identifier_of(&self, key: &str) -> String {
        self.json(&format!("/control/people/{key}")).await["openid_identifier"].as_str().unwrap().to_owned()
    }

    /// Calls a control, which must succeed.
    pub(crate) async fn control(&self, method: &str, path: &str, body: Value) -> Response {
        let response = self.request(method, &format!("/control/{path}")).json(&body).send().await.unwrap();
        assert!(response.status().is_success(), "{method} {path}: {}", response.status());
        response
    }
}
