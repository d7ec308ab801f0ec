//! The functions of the site behind an API Gateway that is played here, with the table, queue and provider of the
//! stack. So they can be seen where no emulator puts them: under the URL of a stage by HTTPS, a custom domain, and a
//! base path of one, with no `PUBLIC_URL` to tell where that is.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use lambda_http::http::header::{LOCATION, SET_COOKIE};
use lambda_http::{Body, Request};
use membermail_core::clock::SystemClock;
use membermail_core::random::OsRandom;
use membermail_identity::openid2::{Provider, RelyingParty};
use membermail_runtime::metrics::Metrics;
use membermail_runtime::queue::Queue;
use membermail_runtime::secret::MasterSecret;
use serde_json::{Value, json};
use sso::build::Build;
use sso::health::Health;
use url::Url;

use crate::browser::Page;
use crate::stack::Stack;

/// How the API is reached.
#[derive(Clone, Copy, Debug)]
pub enum Mapping {
    /// By its own host and the name of its stage.
    Stage,
    /// By a domain name, with a base path before ours: empty, or `/mail`.
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

    /// What stands before our paths.
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

/// A visitor of the site where it is mapped to, with the cookies that they got.
pub struct Gateway {
    mapping: Mapping,
    sso: sso::Context,
    account: account::Context,
    /// Name and value of each.
    pub cookies: BTreeMap<String, String>,
}

impl Gateway {
    /// The functions of the site, with what a stack has.
    pub async fn new(stack: &Stack, mapping: Mapping) -> Result<Self> {
        let community = || membermail_communities::community("ubuntu");
        let secret = MasterSecret::new(stack.secrets().await, &stack.master_secret_arn);
        let account = account::Context {
            community: community()?,
            public_url: None,
            secret: MasterSecret::new(stack.secrets().await, &stack.master_secret_arn),
            store: stack.store().await,
            clock: Box::new(SystemClock),
        };
        let provider = Provider {
            endpoint: stack.stand_ins_url.join("+openid")?,
            identifier_root: stack.stand_ins_url.join("+id/")?,
        };
        let http = reqwest::Client::builder().no_proxy().build()?;
        let sso = sso::Context {
            community: community()?,
            public_url: None,
            relying_party: RelyingParty::new(provider, http),
            secret,
            store: stack.store().await,
            outbox: Queue::new(stack.sqs().await, &stack.verify_queue_url),
            health: Health::new(Build::of_process(), Vec::new()),
            metrics: Metrics::to(SystemClock, |_| {}),
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

    /// Keeps a cookie as a browser does, which refuses a `__Host-` one that is not wholly the host's own.
    fn keep(&mut self, header: &str) -> Result<()> {
        let mut parts = header.split("; ");
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).context("a cookie without a name")?;
        let attributes: Vec<_> = parts.collect();
        let has = |attribute: &str| attributes.contains(&attribute);
        let is_own = has("Secure") && has("Path=/") && !attributes.iter().any(|one| one.starts_with("Domain"));
        ensure!(name.starts_with("__Host-") && is_own, "a browser would not keep {header}");
        if has("Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        Ok(())
    }
}

/// Where an answer leads.
pub fn location(page: &Page) -> Result<Url> {
    let location =
        page.headers.get(LOCATION).with_context(|| format!("{} leads nowhere: {}", page.url, page.status))?;
    Ok(page.url.join(location.to_str()?)?)
}
