//! An admin finds an address among 100,000: at 320 pixels, without scripts and by keyboard.
//!
//! The function runs in this process and has its own table, because other tests scan the table of the stack.

use std::sync::Arc;
use std::time::{Duration, Instant};

use admin::Context as Admin;
use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::Client;
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::future::try_join_all;
use lambda_http::{Body, RequestExt as _};
use membermail_core::admin::Permissions;
use membermail_core::alias::GrantRequest;
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::eligibility::Outcome;
use membermail_core::email::EmailAddress;
use membermail_core::random::OsRandom;
use membermail_domains::Settings as Dns;
use membermail_identity::session::{self, SessionId};
use membermail_pages::assets;
use membermail_pages::testing::{identity, observation};
use membermail_runtime::queue::Queue;
use membermail_store::{FirstDestination, GrantOutcome, NewSession, Record, Sealer, SignIn, Store};
use membermail_tests::chromium::Settings;
use membermail_tests::stack::Stack;
use membermail_tests::table::{address, operator};
use nix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use super::{Desk, ENTER};
use crate::self_service::screen::Screen;

const ADDRESSES: usize = 100_000;
/// Rows of a page.
const ROWS: usize = 50;
/// Writers that fill the table at the same time.
const WRITERS: usize = 8;
/// Our own time for a page. The time that the emulated table takes depends on what else the machine does.
const LIMIT: Duration = Duration::from_millis(300);
/// The time of a page with that of the table: a search that reads the whole domain takes longer, even on an idle machine.
const LIMIT_WITH_TABLE: Duration = Duration::from_secs(2);
/// The admin, who is between two of the others in the list.
const ADMIN: &str = "member077777a";
const DOMAIN: &str = "ubuntu.com";
/// The path of the test server that sets the cookie of the session.
const SIGN_IN: &str = "/test/sign-in";

fn local_part(number: usize) -> String {
    format!("member{number:06}")
}

/// The raw item of an address. Every thousandth one is suspended.
fn alias(number: usize) -> Value {
    let local_part = local_part(number);
    let (status, reason) = if number % 1000 == 999 { ("suspended", "not-in-team") } else { ("active", "eligible") };
    json!({
        "pk": format!("DOMAIN#{DOMAIN}"),
        "sk": format!("ALIAS#{local_part}"),
        "address": format!("{local_part}@{DOMAIN}"),
        "member": ulid::Ulid::from_parts(1, number as u128).to_string(),
        "name": local_part,
        "fingerprint": number,
        "observed_at": 1_795_514_400_000_000_u64,
        "status": status,
        "reason": reason,
        "since": "2026-11-24T10:00:00Z",
        "version": 1,
        "destinations": [ulid::Ulid::from_parts(2, number as u128).to_string()],
    })
}

async fn fill(client: &Client, table: &str) -> Result<()> {
    let all: Vec<_> = (0..ADDRESSES).map(alias).collect();
    let parts = all.chunks(ADDRESSES / WRITERS);
    try_join_all(parts.map(|part| Store::put_raw_items(client, table, part))).await?;
    Ok(())
}

/// Signs the admin in, with an address in the domain.
async fn sign_in(store: &Store) -> Result<SessionId> {
    let now = SystemClock.now();
    let id = SessionId::new(&OsRandom);
    let hash = id.hash();
    let sign_in = SignIn {
        identity: &identity(ADMIN),
        address: &EmailAddress::parse("admin@mail.example")?,
        language: None,
        destination: FirstDestination::Confirmed,
        session: NewSession { hash: hash.as_str(), expires: session::expires(now) },
    };
    let sealer = Sealer::new(b"a master secret that is long enough for a test");
    let member = store.sign_in(&sealer, sign_in, now, &OsRandom).await?;
    let observation = observation(ADMIN, now);
    let domains = [DOMAIN.parse()?];
    let outcome = Outcome::Eligible { domains: domains.to_vec() };
    let record = Record {
        member: &member,
        observation: Some(&observation),
        outcome: Some((&outcome, member.check.requested_at)),
        claims_name_from: None,
        now,
    };
    store.record(record, &OsRandom).await?;
    store.verify_domain(&domains[0], operator(now), &OsRandom).await?;
    let own = address(&format!("{ADMIN}@{DOMAIN}"))?;
    let known_as = observation.name();
    let request = GrantRequest { address: &own, existing: None, known_as: &known_as, renamed_from: None, limit: 1 };
    let granted = store.grant(&member, request, &domains, operator(now), &OsRandom).await?;
    ensure!(matches!(granted, GrantOutcome::Created { .. }), "{granted:?}");
    ensure!(store.bind_admin(&domains[0], member.id, Permissions::all(), operator(now), &OsRandom).await?.is_some());
    Ok(id)
}

/// The function behind a web server that also has the static files, and signs in.
struct Site {
    admin: Admin,
    session: SessionId,
}

/// Serves until the test ends; returns the URL.
async fn serve(stack: &Stack, store: Store, session: SessionId) -> Result<Url> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://localhost:{}/", listener.local_addr()?.port());
    // No page of this story sends a message.
    let queue = Queue::new(stack.sqs().await, "http://127.0.0.1:1/none");
    let admin = Admin {
        community: membermail_communities::community("ubuntu")?,
        texts: Admin::texts()?,
        configured_url: Some(url.parse()?),
        store,
        sync_queue: queue.clone(),
        verify_queue: queue.clone(),
        notify_queue: queue,
        dns: Dns { servers: None, timeout: Duration::from_secs(1) },
        clock: Box::new(SystemClock),
        random: Box::new(OsRandom),
    };
    let app = Router::new().fallback(respond).with_state(Arc::new(Site { admin, session }));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(url.parse()?)
}

async fn respond(State(site): State<Arc<Site>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    if path == SIGN_IN {
        return ([(header::SET_COOKIE, session::cookie(&site.session, false))], "signed in").into_response();
    }
    if let Some(asset) = path.strip_prefix("/assets/").and_then(assets::find) {
        return ([(header::CONTENT_TYPE, asset.media_type)], asset.text).into_response();
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, 10_000).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let request = lambda_http::Request::from_parts(parts, Body::Binary(body.to_vec())).with_raw_http_path(&path);
    let (parts, body) = admin::handle(&site.admin, &request).await.into_parts();
    Response::from_parts(parts, axum::body::Body::from(body.to_vec()))
}

/// The CPU time of this thread so far. The runtime of the test has no other thread.
fn own_time() -> Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?.into())
}

/// Requests each kind of page several times; the best time counts, because other tests use the machine too.
async fn check_times(url: &Url, session: &SessionId) -> Result<()> {
    let cookie = session::cookie(session, false);
    let cookie = cookie.split(';').next().context("no cookie")?;
    let client = reqwest::Client::new();
    for (query, rows) in [
        ("", ROWS),
        ("?prefix=member0999", ROWS),
        ("?prefix=member012345", 1),
        ("?after=member099997", 2),
        ("?state=suspended", 3),
        ("?state=suspended&after=member050000", 3),
    ] {
        let (mut best, mut own) = (Duration::MAX, Duration::MAX);
        for _ in 0..5 {
            let page = client.get(url.join(&format!("admin/domains/{DOMAIN}/addresses{query}"))?);
            let (started, used) = (Instant::now(), own_time()?);
            let page = page.header(header::COOKIE, cookie).send().await?.error_for_status()?.text().await?;
            (best, own) = (best.min(started.elapsed()), own.min(own_time()?.saturating_sub(used)));
            let found = page.matches("<li class=\"card").count();
            ensure!(found == rows, "{query}: {found} rows");
        }
        eprintln!("{query}: {} ms, {} ms of our own", best.as_millis(), own.as_millis());
        ensure!(own < LIMIT && best < LIMIT_WITH_TABLE, "{query}: {best:?}, {own:?} of our own");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn admin_finds_one_of_100_000() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let client = stack.own_dynamodb().await;
    let table = format!("addresses-{}", std::process::id());
    let store = Store::create(client.clone(), &table).await?;
    fill(&client, &table).await?;
    let session = sign_in(&store).await?;
    let url = serve(&stack, store, session.clone()).await?;
    check_times(&url, &session).await?;

    let stack = Stack { public_url: url.clone(), ..stack };
    let desk = Desk { screen: Screen::start(&stack, Settings { scripts: true }).await?, stack };
    desk.run_scripts(false).await?;
    desk.screen.chromium.open(&url.join(SIGN_IN)?).await?;
    desk.open(&format!("domains/{DOMAIN}/addresses")).await?;
    desk.shows("member000000@ubuntu.com").await?;
    desk.inspect("addresses-many").await?;
    desk.enter("#prefix", "member0777").await?;
    desk.screen.chromium.press(ENTER).await?;
    desk.shows("member077700@ubuntu.com").await?;
    desk.press("#next").await?;
    desk.shows("member077777a@ubuntu.com").await?;
    desk.press("main a[href$='/addresses/member077777a']").await?;
    desk.shows("member077777a@ubuntu.com was created.").await?;
    desk.screen.chromium.check_no_errors().await?;
    client.delete_table().table_name(&table).send().await?;
    Ok(())
}
