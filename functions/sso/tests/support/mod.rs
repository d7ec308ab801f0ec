//! The function with a table, a queue, a secret and a provider that are played here: each counts what it was asked.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

mod cloud;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lambda_http::http::{HeaderValue, Method, Response, header};
use lambda_http::{Body, Request, RequestExt};
use membermail_core::clock::{Clock, ManualClock};
use membermail_core::random::CountingRandom;
use membermail_identity::openid2::{Provider, RelyingParty};
use membermail_identity::session::SessionId;
use membermail_runtime::metrics::Metrics;
use membermail_runtime::queue::Queue;
use membermail_runtime::secret::MasterSecret;
use membermail_store::Store;
use sso::build::{Build, Source};
use sso::health::Health;
use sso::{Context, handle};
use url::Url;

pub(crate) use cloud::{Cloud, Says};

pub(crate) const SITE: &str = "https://mail.example.org/";
const NS: &str = "http://specs.openid.net/auth/2.0";
pub(crate) const SREG: &str = "http://openid.net/extensions/sreg/1.1";

/// A clock that the test keeps a hand on.
#[derive(Clone)]
struct Shared(Arc<ManualClock>);

impl Clock for Shared {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

pub(crate) struct World {
    pub(crate) context: Context,
    pub(crate) cloud: Cloud,
    clock: Shared,
    metrics: Arc<Mutex<Vec<String>>>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let clock = Shared(Arc::new(ManualClock::at("2026-11-24T10:00:00Z".parse().unwrap())));
        let (cloud, root) = cloud::start().await;
        let provider =
            Provider { endpoint: root.join("+openid").unwrap(), identifier_root: root.join("+id/").unwrap() };
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_millis(400)).build().unwrap();
        let metrics = Arc::<Mutex<Vec<String>>>::default();
        let sink = Arc::clone(&metrics);
        let context = Context {
            community: membermail_communities::community("ubuntu").unwrap(),
            public_url: Some(SITE.parse().unwrap()),
            relying_party: RelyingParty::new(provider, http),
            secret: MasterSecret::new(cloud.secrets(), "arn"),
            store: Store::new(cloud.dynamodb(), "table"),
            outbox: Queue::new(cloud.sqs(), root.join("queue").unwrap()),
            health: Health::new(Build { version: "1.2.3", source: Source::default() }, Vec::new()),
            metrics: Metrics::to(clock.clone(), move |line| sink.lock().unwrap().push(line.to_owned())),
            clock: Box::new(clock.clone()),
            random: Box::new(CountingRandom::default()),
        };
        Self { context, cloud, clock, metrics }
    }

    pub(crate) fn advance(&self, by: SignedDuration) {
        self.clock.0.advance(by);
    }

    /// Whether the last metric has this word for the outcome.
    pub(crate) fn measured(&self, outcome: &str) -> bool {
        self.metrics.lock().unwrap().last().is_some_and(|line| line.contains(&format!("\"{outcome}\"")))
    }

    /// One request.
    pub(crate) async fn ask(&self, method: Method, url: &Url, cookies: &[u8], form: Option<&str>) -> Page {
        let request = lambda_http::http::Request::builder().method(method).uri(url.as_str());
        let request = request.header(header::COOKIE, HeaderValue::from_bytes(cookies).unwrap());
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request: Request = request.body(form.map_or(Body::Empty, |form| Body::Text(form.to_owned()))).unwrap();
        Page(handle(&self.context, &request.with_raw_http_path(url.path())).await)
    }

    /// The browser goes to the provider; the answer that the provider would send it back with.
    pub(crate) async fn chosen(&self, browser: &mut Browser) -> Answer {
        let away = browser.get(self, &Url::parse(SITE).unwrap().join("sign-in").unwrap()).await;
        let away = away.location();
        let return_to = away.query_pairs().find(|(name, _)| name == "openid.return_to").unwrap().1.into_owned();
        Answer::new(&self.cloud.root, return_to, self.clock.now(), self.cloud.next_number())
    }

    /// The whole sign-in.
    pub(crate) async fn sign_in(&self, browser: &mut Browser) -> SessionId {
        let answer = self.chosen(browser).await;
        let page = browser.get(self, &answer.url()).await;
        assert_eq!(page.status(), 303, "{}", page.text());
        browser.session().unwrap()
    }

    pub(crate) async fn has_session(&self, id: &SessionId) -> bool {
        self.context.store.session(id.hash().as_str(), self.clock.now()).await.unwrap().is_some()
    }
}

/// A positive assertion, as its fields.
#[derive(Clone)]
pub(crate) struct Answer {
    return_to: Url,
    fields: BTreeMap<String, String>,
}

impl Answer {
    fn new(root: &Url, return_to: String, now: Timestamp, number: usize) -> Self {
        let (endpoint, identifier) = (root.join("+openid").unwrap(), root.join("+id/AbC1234").unwrap());
        let nonce = format!("{}unique{number}", now.strftime("%Y-%m-%dT%H:%M:%SZ"));
        let fields = [
            ("ns", NS),
            ("mode", "id_res"),
            ("op_endpoint", endpoint.as_str()),
            ("claimed_id", identifier.as_str()),
            ("identity", identifier.as_str()),
            ("return_to", &return_to),
            ("response_nonce", &nonce),
            ("assoc_handle", "handle"),
            ("ns.sreg", SREG),
            ("sreg.email", "alice@mail.example"),
            ("signed", "op_endpoint,claimed_id,identity,return_to,response_nonce,assoc_handle,ns.sreg,sreg.email"),
            ("sig", "AAAA"),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Self { return_to: return_to.parse().unwrap(), fields }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn without(mut self, names: &[&str]) -> Self {
        for name in names {
            self.fields.remove(*name);
        }
        let signed: Vec<_> = self.fields["signed"].split(',').filter(|name| !names.contains(name)).collect();
        let signed = signed.join(",");
        self.with("signed", &signed)
    }

    fn pairs(&self) -> impl Iterator<Item = (String, &String)> {
        self.fields.iter().map(|(name, value)| (format!("openid.{name}"), value))
    }

    /// As it comes by GET.
    pub(crate) fn url(&self) -> Url {
        let mut url = self.return_to.clone();
        url.query_pairs_mut().extend_pairs(self.pairs());
        url
    }

    /// As it comes by POST.
    pub(crate) fn form(&self) -> (Url, String) {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(self.pairs()).finish();
        (self.return_to.clone(), form)
    }
}

/// The cookies of a browser, each with whether a POST from another site carries it.
#[derive(Clone, Default)]
pub(crate) struct Browser(BTreeMap<String, (String, bool)>);

impl Browser {
    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    pub(crate) fn session(&self) -> Option<SessionId> {
        SessionId::parse(&self.0.get("__Host-session")?.0)
    }

    pub(crate) fn header(&self, from_elsewhere: bool) -> String {
        let sent = self.0.iter().filter(|(_, (_, goes_anywhere))| *goes_anywhere || !from_elsewhere);
        sent.map(|(name, (value, _))| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    pub(crate) async fn get(&mut self, world: &World, url: &Url) -> Page {
        self.keep(world.ask(Method::GET, url, self.header(false).as_bytes(), None).await)
    }

    /// A form of our own pages.
    pub(crate) async fn post(&mut self, world: &World, path: &str, form: &str) -> Page {
        let url = Url::parse(SITE).unwrap().join(path).unwrap();
        self.keep(world.ask(Method::POST, &url, self.header(false).as_bytes(), Some(form)).await)
    }

    /// A form of another site's page: `Lax` cookies stay at home.
    pub(crate) async fn post_from_elsewhere(&mut self, world: &World, url: &Url, form: &str) -> Page {
        self.keep(world.ask(Method::POST, url, self.header(true).as_bytes(), Some(form)).await)
    }

    fn keep(&mut self, page: Page) -> Page {
        for header in page.0.headers().get_all(header::SET_COOKIE) {
            let header = header.to_str().unwrap();
            let (name, value) = header.split(';').next().unwrap().split_once('=').unwrap();
            if header.contains("Max-Age=0") {
                self.0.remove(name);
            } else {
                self.0.insert(name.to_owned(), (value.to_owned(), header.contains("SameSite=None")));
            }
        }
        page
    }
}

pub(crate) struct Page(Response<Body>);

impl Page {
    pub(crate) fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    pub(crate) fn text(&self) -> &str {
        match self.0.body() {
            Body::Text(text) => text,
            _ => "",
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.0.headers().get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn location(&self) -> Url {
        self.header("location").unwrap().parse().unwrap()
    }
}
