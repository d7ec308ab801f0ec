//! The public status page, from the samples of the deployed function to what a visitor sees.

use anyhow::{Context, Result, ensure};
use jiff::SignedDuration;
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::status::{Component, DAYS, Sample};
use membermail_tests::browser::Browser;
use membermail_tests::chromium::Settings;
use membermail_tests::stack::Stack;
use membermail_tests::wait::{until, until_true};
use serde_json::{Value, json};

use crate::self_service::screen::Screen;

/// What the deployed function found about a component.
fn found<'a>(outcomes: &'a Value, component: &str) -> Result<&'a Value> {
    let mut outcomes = outcomes.as_array().into_iter().flatten();
    outcomes.find(|outcome| outcome["component"] == component).with_context(|| format!("no {component}"))
}

/// How long a page can lack a sample, in seconds: each instance of `account` may have read the table up to a minute ago, and
/// requests reach any of them.
const STALE: u64 = 90;

async fn report(stack: &Stack) -> Result<Value> {
    let page = Browser::new()?.get(stack.public_url.join("status.json")?).await?;
    ensure!(page.status == 200 && page.headers["cache-control"] == "public, max-age=60", "{}", page.text);
    Ok(serde_json::from_str(&page.text)?)
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn samples_reach_the_page() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let name = stack.check_status_function.as_str();
    // As an operator does: every component that is scheduled. This stack schedules neither syncs nor DNS checks.
    let (outcomes, ended_well) = stack.invoke(name, &json!({}))?;
    ensure!(ended_well && outcomes.as_array().is_some_and(|all| all.len() == 3), "{outcomes}");
    ensure!(found(&outcomes, "sign-in")?["is_ok"] == true, "{outcomes}");
    ensure!(found(&outcomes, "syncs")?["is_ok"].is_null(), "{outcomes}");
    // As the schedule does, later in the same interval: the sample counts once.
    let at = Component::SignIn.slot(SystemClock.now());
    let (again, ended_well) = stack.invoke(name, &json!({ "source": "aws.events", "time": at }))?;
    ensure!(ended_well && found(&again, "sign-in")?["counted"] == false, "{again}");

    // What another component did in the last days.
    let store = stack.store().await;
    let now = SystemClock.now();
    for (days, is_ok) in [(3, false), (2, true), (0, false)] {
        let at = now - SignedDuration::from_hours(24 * days);
        store.record_sample(Sample { component: Component::DomainChecks, is_ok, at }, now).await?;
    }
    let report = until("the samples in the report", STALE, async || {
        let report = report(&stack).await?;
        let components = &report["components"];
        let is_current = components[2]["state"] == "failing" && components[0]["state"] == "operational";
        Ok(is_current.then_some(report))
    })
    .await?;
    ensure!(report["state"] == "failing" && report["components"][1]["state"] == "unknown", "{report}");
    let days = report["components"][2]["days"].as_array().context("no days")?;
    let counts: Vec<_> = days.iter().map(|day| (day["good"].as_u64(), day["failed"].as_u64())).collect();
    ensure!(counts[DAYS - 4..] == [(0, 1), (1, 0), (0, 0), (0, 1)].map(|(a, b)| (Some(a), Some(b))), "{report}");

    for address in [&stack.public_url, &stack.api_url] {
        let page = until("the samples on the page", STALE, async || {
            let page = Browser::new()?.get(address.join("status")?).await?;
            ensure!(page.status == 200, "{}", page.text);
            Ok(page.text.contains("Some parts have problems.").then_some(page))
        })
        .await?;
        ensure!(!page.headers.contains_key("set-cookie") && page.headers["vary"] == "Accept-Language");
        ensure!(!page.text.contains('@') && !page.text.contains("<form"), "{}", page.text);
    }

    // On a narrow screen, also in a language that is read from right to left. The page has no script.
    let screen = Screen::start(&stack, Settings { scripts: true }).await?;
    screen.chromium.open(&stack.public_url).await?;
    screen.chromium.find("footer a[href$='/status']").await?.click().await?;
    screen.shows("Service status", 20).await?;
    until_true("the samples in the browser", STALE, async || {
        screen.chromium.page.refresh().await?;
        Ok(screen.chromium.find("main").await?.text().await?.contains("Some parts have problems."))
    })
    .await?;
    screen.inspect_as("status-en").await?;
    screen.chromium.find("footer a[lang=ar]").await?.click().await?;
    screen.shows("حالة الخدمة", 20).await?;
    screen.inspect_as("status-ar").await
}
