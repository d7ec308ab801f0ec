//! Tests of GitLab over HTTP.

mod groups;
mod members;
mod oauth;
mod pages;
mod users;

use reqwest::Response;
use serde_json::Value;

use super::TOKEN;
use crate::testing::Running;

const ALL: &str = "groups/42/members/all";

/// A request to the API with the token.
async fn get(running: &Running, path: &str) -> Response {
    running.request("GET", &format!("/api/v4/{path}")).header("private-token", TOKEN).send().await.unwrap()
}

/// The status and the body.
async fn answer(running: &Running, path: &str) -> (u16, Value) {
    let response = get(running, path).await;
    (response.status().as_u16(), response.json().await.unwrap())
}

/// The body of a successful request.
async fn json(running: &Running, path: &str) -> Value {
    let (status, body) = answer(running, path).await;
    assert_eq!(status, 200, "{path}: {body}");
    body
}

/// All entries of a list, in the order of its pages.
async fn entries(running: &Running, path: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut page = "1".to_owned();
    while !page.is_empty() {
        let response = get(running, &format!("{path}?per_page=100&page={page}")).await;
        page = header(&response, "x-next-page").unwrap();
        found.extend(response.json::<Vec<Value>>().await.unwrap());
    }
    found
}

/// The entry of this username.
fn entry<'a>(entries: &'a [Value], username: &str) -> Option<&'a Value> {
    entries.iter().find(|entry| entry["username"] == username)
}

fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
}

/// The id of a user.
async fn id_of(running: &Running, username: &str) -> u64 {
    running.json(&format!("/control/gitlab/users/{username}")).await["id"].as_u64().unwrap()
}
