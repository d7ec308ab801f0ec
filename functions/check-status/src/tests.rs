//! The samples that the schedule records, with a table in memory and a fake site.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State as Shared;
use axum::http::header::LOCATION;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::ManualClock;
use membermail_core::domain_mail::{Dmarc, Mx, Spf};
use membermail_core::domain_proof::{Seen, Unanswered};
use membermail_core::random::OsRandom;
use membermail_core::status::{DAYS, History, State};
use membermail_store::DomainCheck;
use tokio::net::TcpListener;
use url::Url;

use super::*;

const PATIENCE: Duration = Duration::from_millis(500);

/// A site and a provider, on one server with two addresses.
struct Servers {
    sign_in: AtomicU16,
    provider: AtomicU16,
    health: AtomicU16,
    /// Requests to the target of the provider's redirect.
    followed: AtomicUsize,
    requests: AtomicUsize,
}

const HANG: u16 = 0;

async fn answer(Shared(servers): Shared<Arc<Servers>>, uri: Uri) -> Response {
    servers.requests.fetch_add(1, Ordering::SeqCst);
    let status = match uri.path() {
        "/live/health" => &servers.health,
        "/live/sign-in" => &servers.sign_in,
        "/+openid" => &servers.provider,
        _ => {
            servers.followed.fetch_add(1, Ordering::SeqCst);
            return StatusCode::OK.into_response();
        }
    };
    let status = status.load(Ordering::SeqCst);
    if status == HANG {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    let status = StatusCode::from_u16(status).unwrap();
    // Longer than any page of ours: the probes must not read it.
    (status, [(LOCATION, "http://provider.example/secret-target")], "secret body".repeat(1_000)).into_response()
}

struct World {
    context: Context,
    servers: Arc<Servers>,
    clock: ManualClock,
}

impl World {
    async fn new() -> Self {
        let servers = Arc::new(Servers {
            sign_in: 303.into(),
            provider: 302.into(),
            health: 200.into(),
            followed: 0.into(),
            requests: 0.into(),
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let root: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let app = Router::new().fallback(answer).with_state(servers.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let site = Site::new(&root.join("live/").unwrap(), Some(root.join("+openid").unwrap())).unwrap();
        let clock = ManualClock::at("2026-11-24T10:00:10Z".parse().unwrap());
        let context = Context {
            domains: ["ubuntu.com", "kubuntu.org"].map(|name| name.parse().unwrap()).into(),
            site: site.with_timeouts(PATIENCE, Duration::from_millis(1)),
            sync_period: Some(SignedDuration::from_hours(1)),
            domain_checks_period: Some(SignedDuration::from_hours(1)),
            store: Store::in_memory(),
            clock: Box::new(clock.clone()),
        };
        Self { context, servers, clock }
    }

    async fn run(&self) -> Vec<(Component, Option<bool>, bool)> {
        let outcomes = handle(&self.context, Event::default()).await.unwrap();
        outcomes.iter().map(|outcome| (outcome.component, outcome.is_ok, outcome.counted)).collect()
    }

    async fn scheduled(&self, time: Timestamp) -> Vec<Outcome> {
        handle(&self.context, Event { time: Some(time) }).await.unwrap()
    }

    async fn history(&self, component: Component) -> History {
        self.context.store.status_history(component, self.now()).await.unwrap()
    }

    async fn state(&self, component: Component) -> State {
        self.history(component).await.state(self.now())
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn sync(&self, domain: &str) {
        self.context.store.note_synced(&domain.parse().unwrap(), self.now()).await.unwrap();
    }

    async fn check_domain(&self, domain: &str, record: Seen) {
        let check = DomainCheck { record, mx: Mx::None, spf: Spf::None, dmarc: Dmarc::None, asked_at: self.now() };
        let domain = domain.parse().unwrap();
        let grace = SignedDuration::from_hours(24);
        let cause = Cause { actor: Actor::DomainCheck, by: None, request_id: "request-1", now: self.now() };
        self.context.store.record_domain_check(&domain, &check, grace, cause, &OsRandom).await.unwrap();
    }
}

#[tokio::test]
async fn new_deployment_has_only_sign_in() {
    let world = World::new().await;
    let expected = [
        (Component::SignIn, Some(true), true),
        (Component::Syncs, None, false),
        (Component::DomainChecks, None, false),
    ];
    assert_eq!(world.run().await, expected);
    assert_eq!(world.state(Component::SignIn).await, State::Operational);
    assert_eq!(world.state(Component::Syncs).await, State::Unknown);
    assert_eq!(world.servers.followed.load(Ordering::SeqCst), 0);
}

#[rstest::rstest]
#[case::health(|servers: &Servers| servers.health.store(503, Ordering::SeqCst))]
#[case::sign_in(|servers: &Servers| servers.sign_in.store(503, Ordering::SeqCst))]
#[case::provider(|servers: &Servers| servers.provider.store(500, Ordering::SeqCst))]
#[case::provider_hangs(|servers: &Servers| servers.provider.store(HANG, Ordering::SeqCst))]
#[tokio::test]
async fn failing_part_fails_sign_in(#[case] break_it: fn(&Servers)) {
    let world = World::new().await;
    world.sync("ubuntu.com").await;
    break_it(&world.servers);
    let outcomes = world.run().await;
    // The other probes are recorded all the same.
    assert_eq!(outcomes[..2], [(Component::SignIn, Some(false), true), (Component::Syncs, Some(true), true)]);
    assert_eq!(world.state(Component::SignIn).await, State::Failing);
    // A second attempt of three requests.
    assert_eq!(world.servers.requests.load(Ordering::SeqCst), 6);
}

#[tokio::test]
async fn unreachable_site_fails_sign_in() {
    let mut world = World::new().await;
    let port = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port();
    let root: Url = format!("http://127.0.0.1:{port}/").parse().unwrap();
    let site = Site::new(&root, Some(root.clone())).unwrap();
    world.context.site = site.with_timeouts(PATIENCE, Duration::from_millis(1));
    assert_eq!(world.run().await[0], (Component::SignIn, Some(false), true));
}

#[tokio::test]
async fn late_sync_fails_syncs() {
    let world = World::new().await;
    world.sync("ubuntu.com").await;
    world.sync("kubuntu.org").await;
    world.clock.advance(SignedDuration::from_mins(150));
    assert_eq!(world.run().await[1], (Component::Syncs, Some(true), true));
    world.sync("kubuntu.org").await;
    world.clock.advance(SignedDuration::from_mins(15));
    assert_eq!(world.run().await[1], (Component::Syncs, Some(false), true));
    world.sync("ubuntu.com").await;
    world.clock.advance(SignedDuration::from_mins(15));
    assert_eq!(world.run().await[1], (Component::Syncs, Some(true), true));
}

#[tokio::test]
async fn awaited_first_sync_becomes_late() {
    let world = World::new().await;
    world.sync("ubuntu.com").await;
    let (domain, now) = ("kubuntu.org".parse().unwrap(), world.now());
    assert!(world.context.store.claim_sync(&domain, "first", now, now).await.unwrap());
    world.clock.advance(SignedDuration::from_mins(151));
    world.sync("ubuntu.com").await;
    assert_eq!(world.run().await[1], (Component::Syncs, Some(false), true));
}

#[tokio::test]
async fn late_domain_check_fails() {
    let world = World::new().await;
    world.check_domain("ubuntu.com", Seen::Missing).await;
    assert_eq!(world.run().await[2], (Component::DomainChecks, Some(true), true));
    world.clock.advance(SignedDuration::from_mins(151));
    assert_eq!(world.run().await[2], (Component::DomainChecks, Some(false), true));
}

#[tokio::test]
async fn unanswered_queries_fail_domain_checks() {
    let world = World::new().await;
    let unanswered = Seen::Unanswered(Unanswered::TimedOut);
    world.check_domain("ubuntu.com", unanswered).await;
    assert_eq!(world.run().await[2], (Component::DomainChecks, Some(false), true));
    world.clock.advance(SignedDuration::from_mins(15));
    world.check_domain("kubuntu.org", Seen::Missing).await;
    assert_eq!(world.run().await[2], (Component::DomainChecks, Some(true), true));
}

#[tokio::test]
async fn unscheduled_tasks_are_not_judged() {
    let mut world = World::new().await;
    world.sync("ubuntu.com").await;
    world.check_domain("ubuntu.com", Seen::Missing).await;
    world.clock.advance(SignedDuration::from_hours(24));
    world.context.sync_period = None;
    world.context.domain_checks_period = None;
    let outcomes = world.run().await;
    assert_eq!(outcomes[1..], [(Component::Syncs, None, false), (Component::DomainChecks, None, false)]);
}

#[tokio::test]
async fn event_delivered_twice_counts_once() {
    let world = World::new().await;
    let time = world.now();
    world.sync("ubuntu.com").await;
    assert!(
        world.scheduled(time).await.iter().filter(|outcome| outcome.is_ok.is_some()).all(|outcome| outcome.counted)
    );
    // Delivered again minutes later, when the site fails.
    world.servers.health.store(503, Ordering::SeqCst);
    world.clock.advance(SignedDuration::from_mins(8));
    assert!(world.scheduled(time).await.iter().all(|outcome| !outcome.counted));
    let history = world.history(Component::SignIn).await;
    assert_eq!((history.days()[DAYS - 1].good, history.days()[DAYS - 1].failed), (1, 0));
}

#[tokio::test]
async fn schedule_samples_what_is_due() {
    let world = World::new().await;
    let start = world.now();
    for (minutes, components) in [(0, 3), (5, 1), (10, 1), (15, 3)] {
        world.clock.advance(SignedDuration::from_mins(5));
        assert_eq!(world.scheduled(start + SignedDuration::from_mins(minutes)).await.len(), components, "{minutes}");
    }
}

#[tokio::test]
async fn event_from_future_counts_now() {
    let world = World::new().await;
    world.scheduled(world.now() + SignedDuration::from_hours(2)).await;
    assert_eq!(world.history(Component::SignIn).await.sampled_at(), Some(world.now()));
}

#[rstest::rstest]
#[case::schedule(
    r#"{"version":"0","id":"1","detail-type":"Scheduled Event","source":"aws.events","account":"1",
        "time":"2026-11-24T10:00:00Z","region":"eu-west-1","resources":["arn"],"detail":{}}"#,
    Some("2026-11-24T10:00:00Z")
)]
#[case::everything("{}", None)]
fn event_is_parsed(#[case] event: &str, #[case] time: Option<&str>) {
    let event: Event = serde_json::from_str(event).unwrap();
    assert_eq!(event.time.map(|time| time.to_string()).as_deref(), time);
}

#[test]
fn schedule_has_the_period() {
    let template = include_str!("../../../template.yaml");
    let schedule =
        format!("Schedule: rate({} minutes), State: !If [ChecksStatus, ENABLED, DISABLED]", PERIOD.as_mins());
    assert!(template.contains(&schedule), "{schedule}");
}
