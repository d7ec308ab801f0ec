//! Requests as Amazon API Gateway passes them to the function.

use std::collections::BTreeMap;

use lambda_http::{Body, Request};
use serde_json::{Value, json};
use url::Url;

/// The kind of API, which decides the form of the event.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Gateway {
    /// A REST API: the query is decoded, `+` and `%20` to a space and `%2B` to `+`.
    Rest,
    /// An HTTP API with payload format 2.0: the query is as the browser sent it.
    Http,
}

/// How the provider's response comes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SentBy {
    Query,
    Form,
    /// A form in an event whose body is in base64, as for an API with binary media types.
    Base64Form,
}

impl Gateway {
    /// The event of a callback, with the cookies of the browser.
    pub(crate) fn callback(self, url: &Url, cookies: &str, form: Option<&str>, in_base64: bool) -> Request {
        let method = if form.is_some() { "POST" } else { "GET" };
        let body = match form {
            Some(form) if in_base64 => json!(Body::Binary(form.as_bytes().to_vec())),
            form => json!(form),
        };
        let mut event = match self {
            Self::Rest => rest(url, method, cookies),
            Self::Http => http(url, method, cookies),
        };
        event["body"] = body;
        event["isBase64Encoded"] = json!(in_base64);
        lambda_http::request::from_str(&event.to_string()).unwrap()
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

fn rest(url: &Url, method: &str, cookies: &str) -> Value {
    let mut query = BTreeMap::<String, Vec<String>>::new();
    for (name, value) in url.query_pairs() {
        query.entry(name.into_owned()).or_default().push(value.into_owned());
    }
    let last: BTreeMap<_, _> = query.iter().map(|(name, values)| (name, values.last())).collect();
    json!({
        "resource": "/callback", "path": "/callback", "httpMethod": method,
        "headers": { "Cookie": cookies, "Content-Type": FORM },
        "multiValueHeaders": { "Cookie": [cookies], "Content-Type": [FORM] },
        "queryStringParameters": last, "multiValueQueryStringParameters": query,
        "pathParameters": null, "stageVariables": null,
        "requestContext": {
            "resourcePath": "/callback", "path": "/callback", "stage": "live", "httpMethod": method,
            "domainName": "mail.example.org", "identity": {}, "apiId": "x1", "accountId": "1", "requestId": "r",
            "resourceId": "s",
        },
    })
}

fn http(url: &Url, method: &str, cookies: &str) -> Value {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/callback",
        "rawQueryString": url.query().unwrap_or_default(), "cookies": cookies.split("; ").collect::<Vec<_>>(),
        "headers": { "content-type": FORM },
        "requestContext": {
            "accountId": "1", "apiId": "x1", "domainName": "mail.example.org", "domainPrefix": "mail", "requestId": "r",
            "routeKey": "$default", "stage": "$default", "time": "24/Nov/2026:10:00:00 +0000",
            "timeEpoch": 1_795_514_400_000_i64,
            "http": {
                "method": method, "path": "/callback", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1",
                "userAgent": "a browser",
            },
        },
    })
}
