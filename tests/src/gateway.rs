//! The functions of the site behind a fake API Gateway, with the table, queue and provider of the stack. It covers what
//! the emulators lack: HTTPS under a stage, a custom domain and a base path, without `PUBLIC_URL`.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lambda_http::http::header::SET_COOKIE;
use lambda_http::{Body, Request};
use membermail_core::clock::SystemClock;
use membermail_core::destination::OwnDomains;
use membermail_core::random::OsRandom;
use membermail_domains::{Resolver, Settings};
use membermail_notices::Texts;
use membermail_runtime::metrics::Metrics;
use membermail_runtime::queue::Queue;
use membermail_runtime::secret::MasterSecret;
use membermail_toolbox::net;
use serde_json::{Value, json};
use sso::build::Build;
use sso::health::HealthCheck;
use sso::providers::Providers;
use url::Url;

use crate::browser::Page;
use crate::stack::Stack;

/// The URL mapping of the API.
#[derive(Clone, Copy, Debug)]
pub enum Mapping {
    /// The API's own host and the stage name.
    Stage,
    /// A custom domain with a base path: empty, or `/mail`.
    Domain(&'static str),
}

impl Mapping {
    /// The host.
    pub fn host(self) -> &'static str {
        match self {
            Self::Stage => "x1y2z3.execute-api.eu-west-1.amazonaws.com",
            Self::Domain(_) => "members.example.org",
        }
    }

    /// The prefix of our paths.
    pub fn base(self) -> &'static str {
        match self {
            Self::Stage => "/live",
            Self::Domain(base) => base,
        }
    }

    /// The site's URL.
    pub fn url(self, path: &str) -> Result<Url> {
        Ok(Url::parse(&format!("https://{}{}{path}", self.host(), self.base()))?)
    }

    /// The event of a request, as API Gateway makes it. In `path`, a stage is left out and a base path is not.
    fn event(self, method: &str, url: &Url, headers: Value, form: Option<&str>) -> Result<Request> {
        let whole = url.path();
        let ours = whole.strip_prefix(self.base()).with_context(|| format!("{url} is not below {}", self.base()))?;
        let ours = if ours.is_empty() { "/" } else { ours };
        let route = if ROUTES.contains(&ours) { ours } else { "/{proxy+}" };
        let mut query = BTreeMap::<String, Vec<String>>::new();
        for (name, value) in url.query_pairs() {
            query.entry(name.into_owned()).or_default().push(value.into_owned());
        }
        let event = json!({
            "resource": route,
            "path": if matches!(self, Self::Stage) { ours } else { whole },
            "httpMethod": method,
            "headers": {},
            "multiValueHeaders": headers,
            "queryStringParameters": {},
            "multiValueQueryStringParameters": query,
            "pathParameters": (route == "/{proxy+}").then(|| json!({ "proxy": ours.trim_start_matches('/') })),
            "stageVariables": null,
            "requestContext": {
                "accountId": "123456789012", "apiId": "x1y2z3", "resourceId": "r", "requestId": "q",
                "resourcePath": route, "path": whole, "stage": "live", "httpMethod": method,
                "domainName": self.host(), "domainPrefix": self.host().split('.').next(), "protocol": "HTTP/1.1",
                "identity": { "sourceIp": "192.0.2.1", "userAgent": "a browser" },
            },
            "body": form,
            "isBase64Encoded": false,
        });
        Ok(lambda_http::request::from_str(&event.to_string())?)
    }
}

/// The routes of the template that are not greedy.
const ROUTES: [&str; 5] = ["/", "/sign-in", "/callback", "/sign-out", "/check"];

/// A visitor of the mapped site, with their cookies.
pub struct Gateway {
    mapping: Mapping,
    sso: sso::Context,
    account: account::Context,
    /// Name and value of each.
    pub cookies: BTreeMap<String, String>,
}

impl Gateway {
    /// The functions of the site, with the table, queue, secret and provider of a stack.
    pub async fn new(stack: &Stack, mapping: Mapping) -> Result<Self> {
        Self::with_provider(stack, mapping, &stack.fakes_url).await
    }

    /// Like [`Self::new`], with the provider at this address.
    pub async fn with_provider(stack: &Stack, mapping: Mapping, provider: &Url) -> Result<Self> {
        let mut community = membermail_communities::community("ubuntu")?;
        community.relocate(Some(provider), None, None)?;
        // No test asks it: it needs a name server of its own.
        let resolver = Resolver::new(&Settings { servers: None, timeout: Duration::from_secs(2) })?;
        let account = account::Context {
            own_domains: OwnDomains::of(&community),
            mail_domains: Box::new(resolver),
            notify_queue: Queue::new(stack.sqs().await, &stack.notify_queue_url),
            verify_queue: Queue::new(stack.sqs().await, &stack.verify_queue_url),
            random: Box::new(OsRandom),
            community: community.clone(),
            texts: account::Context::texts()?,
            status: account::StatusCache::default(),
            configured_url: None,
            secret: MasterSecret::new(stack.secrets().await, &stack.master_secret_arn),
            store: stack.store().await,
            clock: Box::new(SystemClock),
        };
        let http = net::http_client()?;
        let sso = sso::Context {
            providers: Providers::new(&community, &http, &mut || None)?,
            community,
            texts: Texts::load()?,
            configured_url: None,
            secret: MasterSecret::new(stack.secrets().await, &stack.master_secret_arn),
            store: stack.store().await,
            verify_queue: Queue::new(stack.sqs().await, &stack.verify_queue_url),
            health: HealthCheck::new(Build::of_process(), Vec::new()),
            metrics: Metrics::to_sink("test", SystemClock, |_| {}),
            clock: Box::new(SystemClock),
            random: Box::new(OsRandom),
        };
        Ok(Self { mapping, sso, account, cookies: BTreeMap::new() })
    }

    /// One GET.
    pub async fn get(&mut self, url: &Url) -> Result<Page> {
        self.send("GET", url, None).await
    }

    /// One POST of a form.
    pub async fn post(&mut self, url: &Url, form: &[(&str, &str)]) -> Result<Page> {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.send("POST", url, Some(&form)).await
    }

    async fn send(&mut self, method: &str, url: &Url, form: Option<&str>) -> Result<Page> {
        ensure!(url.host_str() == Some(self.mapping.host()) && url.scheme() == "https", "{url} is another site");
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut headers = json!({ "Host": [self.mapping.host()], "X-Forwarded-Proto": ["https"] });
        if !cookies.is_empty() {
            headers["Cookie"] = json!([cookies.join("; ")]);
        }
        if form.is_some() {
            headers["Content-Type"] = json!(["application/x-www-form-urlencoded"]);
        }
        let request = self.mapping.event(method, url, headers, form)?;
        let is_sso = ["/sign-in", "/callback", "/sign-out", "/check"].iter().any(|path| url.path().ends_with(path));
        let response = if is_sso {
            sso::handle(&self.sso, &request).await
        } else {
            account::handle(&self.account, &request).await
        };
        let (parts, body) = response.into_parts();
        for value in parts.headers.get_all(SET_COOKIE) {
            self.keep(value.to_str()?)?;
        }
        let text = match body {
            Body::Text(text) => text,
            _ => String::new(),
        };
        Ok(Page { url: url.clone(), status: parts.status, headers: parts.headers, text })
    }

    /// Stores a cookie as a browser does, which refuses an invalid `__Host-` one.
    fn keep(&mut self, header: &str) -> Result<()> {
        let mut parts = header.split("; ");
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).context("a cookie without a name")?;
        let attributes: Vec<_> = parts.collect();
        let is_own = attributes.contains(&"Secure")
            && attributes.contains(&"Path=/")
            && !attributes.iter().any(|one| one.starts_with("Domain"));
        ensure!(name.starts_with("__Host-") && is_own, "a browser would not keep {header}");
        if attributes.contains(&"Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        Ok(())
    }
}
