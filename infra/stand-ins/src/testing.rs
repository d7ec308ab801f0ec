//! The fakes on a port of their own, for the tests of this crate.

use membermail_core::clock::{Clock, SystemClock};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::community::Seed;
use crate::router;
use crate::state::Shared;

/// Fakes that end with the test.
pub(crate) struct Running {
    pub(crate) root: String,
    client: Client,
}

/// A small community.
pub(crate) async fn start() -> Running {
    start_with(Seed { people: 1_000, all_in: None, now: SystemClock.now() }, "").await
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
        let answer = self.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    /// The JSON that a link of an answer leads to.
    pub(crate) async fn follow(&self, link: &Value) -> Value {
        let path = link.as_str().unwrap().strip_prefix(&self.root).expect("a link to here");
        self.json(path).await
    }

    /// Turns a switch.
    pub(crate) async fn control(&self, method: &str, path: &str, body: Value) -> Response {
        let answer = self.request(method, &format!("/control/{path}")).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{method} {path}: {}", answer.status());
        answer
    }
}
