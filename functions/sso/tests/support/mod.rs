//! The function with a fake table, queue, secret and provider.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

mod cloud;
mod gateway;
mod issuer;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lambda_http::http::{HeaderValue, Method, Response, header};
use lambda_http::{Body, Request, RequestExt};
use membermail_core::clock::{Clock, ManualClock};
use membermail_core::community::{Algorithm, Community, SignIn};
use membermail_core::message::VerifyMember;
use membermail_core::random::CountingRandom;
use membermail_identity::session::SessionId;
use membermail_runtime::metrics::Metrics;
use membermail_runtime::rotating_secret::RotatingSecret;
use membermail_runtime::secret::MasterSecret;
use membermail_store::{Sealer, Store};
use membermail_texts::Texts;
use sso::build::{Build, Source};
use sso::health::HealthCheck;
use sso::providers::Providers;
use sso::{Context, handle};
use url::Url;

pub(crate) use cloud::{Cloud, Verification};
pub(crate) use gateway::{Gateway, SentBy};
pub(crate) use issuer::Issuer;

pub(crate) const SITE: &str = "https://mail.example.org/";
const NS: &str = "http://specs.openid.net/auth/2.0";
pub(crate) const SREG: &str = "http://openid.net/extensions/sreg/1.1";

pub(crate) fn site_url(path: &str) -> Url {
    Url::parse(SITE).unwrap().join(path).unwrap()
}

fn now() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

pub(crate) struct World {
    pub(crate) context: Context,
    pub(crate) cloud: Cloud,
    clock: ManualClock,
    metrics: Arc<Mutex<Vec<String>>>,
    issuer: Option<Issuer>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let (cloud, root) = cloud::start().await;
        let mut community = membermail_communities::community("ubuntu").unwrap();
        community.relocate(Some(&root), None, None).unwrap();
        Self::with(cloud, community, None)
    }

    /// The example community, with its issuer on loopback and a table in memory.
    pub(crate) async fn of_example() -> Self {
        let (cloud, _) = cloud::start().await;
        cloud.set_client_secrets("secret-1", None);
        let issuer = issuer::start(now()).await;
        let mut community = membermail_communities::community("example").unwrap();
        community.relocate(Some(&issuer.root), None, None).unwrap();
        if let SignIn::OpenIdConnect(provider) = &mut community.sign_in {
            provider.algorithms = vec![Algorithm::Es256];
        }
        let mut world = Self::with(cloud, community, Some(issuer));
        world.context.store = Store::in_memory();
        world
    }

    fn with(cloud: Cloud, community: Community, issuer: Option<Issuer>) -> Self {
        let clock = ManualClock::at(now());
        let aws = cloud.aws();
        // A debug build on a loaded machine takes some time for a signature.
        let timeout = Duration::from_millis(if issuer.is_some() { 5_000 } else { 400 });
        let http = reqwest::Client::builder().no_proxy().timeout(timeout).build().unwrap();
        let mut secret = || Some(RotatingSecret::new(aws.secrets(), "client-secret"));
        let providers = Providers::new(&community, &http, &mut secret).unwrap();
        let metrics = Arc::<Mutex<Vec<String>>>::default();
        let sink = Arc::clone(&metrics);
        let context = Context {
            community,
            texts: Texts::load().unwrap(),
            configured_url: Some(SITE.parse().unwrap()),
            providers,
            secret: MasterSecret::new(aws.secrets(), "arn"),
            store: Store::new(aws.dynamodb(), "table"),
            verify_queue: aws.queue("verify"),
            health: HealthCheck::new(Build { version: "1.2.3", source: Source::default() }, Vec::new()),
            metrics: Metrics::to_sink("test", clock.clone(), move |line| sink.lock().unwrap().push(line.to_owned())),
            clock: Box::new(clock.clone()),
            random: Box::new(CountingRandom::default()),
        };
        Self { context, cloud, clock, metrics, issuer }
    }

    pub(crate) fn issuer(&self) -> &Issuer {
        self.issuer.as_ref().unwrap()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether the first destination of the session's member is confirmed.
    pub(crate) async fn has_confirmed_destination(&self, session: &SessionId) -> bool {
        let store = &self.context.store;
        let session = store.session(session.hash().as_str(), self.clock.now()).await.unwrap().unwrap();
        let destinations = store.destinations_of(session.member).await.unwrap();
        assert_eq!(destinations.len(), 1);
        destinations[0].destination.confirmed.is_some()
    }

    /// A world with a browser that left for the provider, and the assertion for its return.
    pub(crate) async fn signing_in() -> (Self, Browser, Assertion) {
        let world = Self::new().await;
        let mut browser = Browser::default();
        let assertion = world.start_sign_in(&mut browser).await;
        (world, browser, assertion)
    }

    /// A world with a browser that is signed in, and its session.
    pub(crate) async fn signed_in() -> (Self, Browser, SessionId) {
        let world = Self::new().await;
        let mut browser = Browser::default();
        let session = world.sign_in(&mut browser).await;
        (world, browser, session)
    }

    pub(crate) fn advance(&self, by: SignedDuration) {
        self.clock.advance(by);
    }

    /// Whether the last metric has this outcome.
    pub(crate) fn has_recorded(&self, outcome: &str) -> bool {
        self.metrics.lock().unwrap().last().is_some_and(|line| line.contains(&format!("\"{outcome}\"")))
    }

    /// Sends one request to the function.
    pub(crate) async fn send(&self, method: Method, url: &Url, cookies: &[u8], form: Option<&str>) -> Page {
        let request = lambda_http::http::Request::builder().method(method).uri(url.as_str());
        let request = request.header(header::COOKIE, HeaderValue::from_bytes(cookies).unwrap());
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request: Request = request.body(form.map_or(Body::Empty, |form| Body::Text(form.to_owned()))).unwrap();
        self.handle(&request.with_raw_http_path(url.path())).await
    }

    pub(crate) async fn handle(&self, request: &Request) -> Page {
        // Boxed: without it, the nested futures of the SDK exceed the compiler's limit for type layouts.
        Page(Box::pin(handle(&self.context, request)).await)
    }

    /// The sign-in address of the member who signed in last.
    pub(crate) async fn sign_in_address(&self) -> String {
        let check: VerifyMember = serde_json::from_value(self.cloud.messages().pop().unwrap()).unwrap();
        let member = self.context.store.member(check.member).await.unwrap().unwrap();
        let sealer = Sealer::of(&self.context.secret.keys().await.unwrap());
        member.sign_in_address(&sealer).unwrap().unwrap().expose().to_owned()
    }

    /// Starts a sign-in, and returns the assertion that the provider would send the browser back with.
    pub(crate) async fn start_sign_in(&self, browser: &mut Browser) -> Assertion {
        let away = browser.get(self, &site_url("sign-in")).await;
        let away = away.location();
        let return_to = away.query_pairs().find(|(name, _)| name == "openid.return_to").unwrap().1.into_owned();
        Assertion::new(&self.cloud.root, return_to, self.clock.now(), self.cloud.next_number())
    }

    /// Signs in.
    pub(crate) async fn sign_in(&self, browser: &mut Browser) -> SessionId {
        let assertion = self.start_sign_in(browser).await;
        let page = browser.get(self, &assertion.url()).await;
        assert_eq!(page.status(), 303, "{}", page.text());
        browser.session().unwrap()
    }

    pub(crate) async fn has_session(&self, id: &SessionId) -> bool {
        self.context.store.session(id.hash().as_str(), self.clock.now()).await.unwrap().is_some()
    }
}

/// The fields of a positive assertion.
#[derive(Clone)]
pub(crate) struct Assertion {
    return_to: Url,
    fields: BTreeMap<String, String>,
}

impl Assertion {
    fn new(root: &Url, return_to: String, now: Timestamp, number: usize) -> Self {
        let endpoint = root.join("+openid").unwrap();
        let identifier = root.join("+id/AbC1234").unwrap();
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

    /// The callback URL with the assertion, for GET.
    pub(crate) fn url(&self) -> Url {
        let mut url = self.return_to.clone();
        url.query_pairs_mut().extend_pairs(self.pairs());
        url
    }

    /// The callback URL and the assertion as a form, for POST.
    pub(crate) fn form(&self) -> (Url, String) {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(self.pairs()).finish();
        (self.return_to.clone(), form)
    }
}

/// The cookies of a browser, each with whether a cross-site POST carries it.
#[derive(Clone, Default)]
pub(crate) struct Browser(BTreeMap<String, (String, bool)>);

impl Browser {
    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    pub(crate) fn language(&self) -> Option<&str> {
        self.0.get("__Host-language").map(|(value, _)| value.as_str())
    }

    pub(crate) fn choose_language(&mut self, tag: &str) {
        self.0.insert("__Host-language".to_owned(), (tag.to_owned(), false));
    }

    pub(crate) fn session(&self) -> Option<SessionId> {
        SessionId::parse(&self.0.get("__Host-session")?.0)
    }

    pub(crate) fn header(&self, cross_site: bool) -> String {
        let sent = self.0.iter().filter(|(_, (_, is_cross_site))| *is_cross_site || !cross_site);
        sent.map(|(name, (value, _))| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    pub(crate) async fn get(&mut self, world: &World, url: &Url) -> Page {
        self.keep(world.send(Method::GET, url, self.header(false).as_bytes(), None).await)
    }

    /// Posts a form of the site.
    pub(crate) async fn post(&mut self, world: &World, path: &str, form: &str) -> Page {
        self.keep(world.send(Method::POST, &site_url(path), self.header(false).as_bytes(), Some(form)).await)
    }

    /// Posts a form of another site, without `Lax` cookies.
    pub(crate) async fn post_cross_site(&mut self, world: &World, url: &Url, form: &str) -> Page {
        self.keep(world.send(Method::POST, url, self.header(true).as_bytes(), Some(form)).await)
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
