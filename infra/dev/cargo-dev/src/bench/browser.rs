//! A browser for sign-in benchmarks. It sends API Gateway events to functions and HTTP requests to the fake provider.

use anyhow::{Context, Result};
use reqwest::Url;
use reqwest::header::LOCATION;
use serde_json::{Value, json};

use super::start;

/// The API Gateway event of a GET request.
pub(super) fn get(path: &str, query: &[(String, String)], cookie: Option<&str>) -> Result<Value> {
    let mut event: Value = serde_json::from_str(&start::event("sso")?)?;
    for pointer in ["/resource", "/path", "/requestContext/path", "/requestContext/resourcePath"] {
        *event.pointer_mut(pointer).with_context(|| format!("the event has no {pointer}"))? = json!(path);
    }
    let single: serde_json::Map<_, _> = query.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let multi: serde_json::Map<_, _> = query.iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
    event["queryStringParameters"] = single.into();
    event["multiValueQueryStringParameters"] = multi.into();
    if let Some(cookie) = cookie {
        event["headers"]["Cookie"] = json!(cookie);
        event["multiValueHeaders"]["Cookie"] = json!([cookie]);
    }
    Ok(event)
}

/// A header of a function's response.
pub(super) fn header(response: &Value, name: &str) -> Result<String> {
    let value = response["multiValueHeaders"][name][0].as_str();
    Ok(value.with_context(|| format!("no header {name} in {response}"))?.to_owned())
}

/// The cookies that a function's response sets, as `name=value`.
pub(super) fn cookies(response: &Value) -> Vec<String> {
    let headers = response["multiValueHeaders"]["set-cookie"].as_array().into_iter().flatten();
    let cookies = headers.filter_map(Value::as_str).filter_map(|cookie| cookie.split(';').next());
    cookies.map(str::to_owned).collect()
}

/// The target of a redirect.
pub(super) fn location(response: &reqwest::Response) -> Result<Url> {
    let location = response.headers().get(LOCATION);
    let location = location.with_context(|| format!("expected a redirect, got {}", response.status()))?;
    Ok(location.to_str()?.parse()?)
}

/// Name and value of each query parameter.
pub(super) fn query_of(url: &Url) -> Vec<(String, String)> {
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}
