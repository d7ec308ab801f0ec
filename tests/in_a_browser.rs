//! The story as a person lives it, in Chromium: by mouse and by keyboard, with scripts and without, on a desktop and
//! on a phone, in the light and in the dark. Pictures of the pages are kept beside the logs of the run.

use anyhow::{Context, Result, ensure};
use membermail_tests::browser::Browser;
use membermail_tests::chromium::{Chromium, Settings};
use membermail_tests::stack::Stack;
use serde_json::{Value, json};

/// Long enough for two functions to start on a busy machine.
const PATIENCE: u64 = 120;

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

#[tokio::test]
async fn alice_signs_in_reads_her_address_and_signs_out() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let chromium = Chromium::start(&stack, Settings { scripts: true }).await?;
    chromium.open(&stack.public_url).await?;
    chromium.click("Sign in with Ubuntu One").await?;
    ensure!(chromium.heading().await? == "Who are you?");
    // Launchpad takes its time, so that the check can be seen to run.
    stack.fault("alice", json!({ "kind": "slow", "millis": 1500 })).await?;
    chromium.click("alice").await?;
    chromium.wait_for("Checking your membership", 10).await?;
    stack.mend("alice").await?;
    let home = chromium.page.current_url().await?;
    ensure!(home == stack.public_url, "the answer of the provider is still in the address bar: {home}");
    chromium.wait_for("alice@ubuntu.com now forwards to alice@mail.example", PATIENCE).await?;
    chromium.wait_for("alice@kubuntu.org now forwards to alice@mail.example", PATIENCE).await?;
    chromium.wait_for("You are a verified member of Ubuntu", PATIENCE).await?;
    ensure!(chromium.heading().await? == "Your addresses");
    // The tab says so too, though the page was never loaded anew.
    let title = chromium.page.title().await?;
    ensure!(title == "Your addresses – Ubuntu mail", "the tab says {title:?}");
    let loads = chromium.nothing_went_wrong().await?;
    for part in ["/assets/style-", "/assets/icon-", "/assets/progress-"] {
        ensure!(loads.iter().any(|load| load.what.contains(part)), "no {part} among {loads:#?}");
    }
    chromium.as_a_desktop(900, 560).await?;
    chromium.picture("account").await?;

    chromium.click("Sign out").await?;
    chromium.wait_for("Sign in with Ubuntu One", 10).await?;
    chromium.page.back().await?;
    chromium.wait_for("Sign in with Ubuntu One", 10).await.context("the page before is shown out of the cache")?;
    chromium.nothing_went_wrong().await?;
    chromium.close().await
}

#[tokio::test]
async fn no_script_is_needed() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let chromium = Chromium::start(&stack, Settings { scripts: false }).await?;
    chromium.open(&stack.public_url).await?;
    chromium.click("Sign in with Ubuntu One").await?;
    stack.fault("pat51", json!({ "kind": "slow", "millis": 3000, "count": 1 })).await?;
    chromium.click("pat51").await?;
    chromium.wait_for("Checking your membership", 10).await?;
    chromium.wait_for("pat51@ubuntu.com now forwards to pat51@mail.example", PATIENCE).await?;
    let loads = chromium.nothing_went_wrong().await?;
    let of_site: Vec<_> = loads.iter().filter(|load| load.what.starts_with(stack.public_url.as_str())).collect();
    ensure!(of_site.iter().any(|load| load.what.contains("/assets/style-")), "no style among {of_site:#?}");
    ensure!(!of_site.iter().any(|load| load.what.ends_with(".js")), "a script was loaded: {of_site:#?}");
    chromium.click("Sign out").await?;
    chromium.wait_for("Sign in with Ubuntu One", 10).await?;
    chromium.close().await
}

#[tokio::test]
async fn a_keyboard_is_enough() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let chromium = Chromium::start(&stack, Settings { scripts: true }).await?;
    chromium.open(&stack.public_url).await?;
    chromium.press(TAB).await?;
    ensure!(chromium.focused().await? == "Skip to the content");
    let link = chromium.page.active_element().await?.rectangle().await?;
    ensure!(link.0 >= 0.0 && link.2 > 0.0, "the link to the content stays out of sight: {link:?}");
    chromium.press(ENTER).await?;
    chromium.press(TAB).await?;
    ensure!(chromium.focused().await? == "Sign in with Ubuntu One", "got to {:?}", chromium.focused().await?);
    let outline = chromium.page.active_element().await?.css_value("outline-style").await?;
    ensure!(outline == "solid", "where the focus is cannot be seen: {outline}");
    chromium.picture("focus").await?;
    chromium.press(ENTER).await?;
    tab_to(&chromium, "pat52").await?;
    chromium.press(ENTER).await?;
    chromium.wait_for("pat52@ubuntu.com now forwards to", PATIENCE).await?;
    tab_to(&chromium, "Sign out").await?;
    chromium.press(ENTER).await?;
    chromium.wait_for("Sign in with Ubuntu One", 10).await?;
    chromium.nothing_went_wrong().await?;
    chromium.close().await
}

/// Presses Tab until the focus is on the link or button of that text.
async fn tab_to(chromium: &Chromium, text: &str) -> Result<()> {
    for _ in 0..100 {
        chromium.press(TAB).await?;
        if chromium.focused().await? == text {
            return Ok(());
        }
    }
    anyhow::bail!("a hundred times Tab, and never at {text}")
}

#[tokio::test]
async fn every_page_is_accessible_and_fits_a_phone() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let chromium = Chromium::start(&stack, Settings { scripts: true }).await?;
    let base = &stack.public_url;
    chromium.open(base).await?;
    looks(&stack, &chromium, "welcome").await?;
    chromium.open(&base.join("no/such/page")?).await?;
    ensure!(chromium.heading().await? == "There is no such page");
    looks(&stack, &chromium, "not-found").await?;

    // While Launchpad fails, the page of a member stays as it is for a while.
    stack.fault("pat53", json!({ "kind": "status", "status": 503 })).await?;
    chromium.open(&base.join("sign-in")?).await?;
    chromium.click("pat53").await?;
    looks(&stack, &chromium, "checking").await?;
    chromium.wait_for("Launchpad is not answering", PATIENCE).await?;
    looks(&stack, &chromium, "delayed").await?;
    stack.mend("pat53").await?;

    for (name, words, picture) in [
        ("bob", "bob@ubuntu.com now forwards to", "addresses"),
        ("dave", "Sign the Code of Conduct first", "code-of-conduct"),
        ("postmaster", "Your Launchpad name is reserved", "refused"),
        ("loop", "Switched off: mail would go round in a circle", "switched-off"),
    ] {
        chromium.open(&base.join("sign-in")?).await?;
        chromium.click(name).await?;
        chromium.wait_for(words, PATIENCE).await?;
        looks(&stack, &chromium, picture).await?;
    }
    // The browser itself reports the page that is not there.
    let console = chromium.console().await?;
    ensure!(console.iter().all(|line| line.contains("/no/such/page")), "the console says {console:#?}");
    chromium.close().await
}

/// Looks at the page that is open on a phone and on a desktop, in the light and in the dark.
async fn looks(stack: &Stack, chromium: &Chromium, name: &str) -> Result<()> {
    for scheme in ["light", "dark"] {
        chromium.prefer(scheme).await?;
        chromium.as_a_phone().await?;
        let wide = chromium.page.execute("return document.documentElement.scrollWidth - innerWidth", vec![]).await?;
        ensure!(wide.as_i64().is_some_and(|wide| wide <= 0), "{name} is {wide} pixels wider than a phone");
        chromium.picture(&format!("{name}-phone-{scheme}")).await?;
        no_barrier(stack, chromium).await.with_context(|| format!("{name} on a phone, {scheme}"))?;
        chromium.as_a_desktop(900, 700).await?;
        chromium.picture(&format!("{name}-{scheme}")).await?;
        no_barrier(stack, chromium).await.with_context(|| format!("{name} on a desktop, {scheme}"))?;
    }
    let page = chromium.page.execute(OUTLINE, vec![]).await?;
    ensure!(page == json!({ "lang": "en", "h1": 1, "main": 1, "header": 1, "footer": 1 }), "{name}: {page}");
    Ok(())
}

const OUTLINE: &str = "const count = (name) => document.querySelectorAll(name).length;
    return { lang: document.documentElement.lang, h1: count('h1'), main: count('main'), header: count('body > header'),
        footer: count('body > footer') }";

/// Every rule of axe, by Deque: labels, roles, landmarks, headings, and the contrast of every text.
async fn no_barrier(stack: &Stack, chromium: &Chromium) -> Result<()> {
    let axe = stack.node_modules.join("axe-core/axe.min.js");
    let axe = std::fs::read_to_string(&axe).with_context(|| format!("reading {}", axe.display()))?;
    chromium.page.execute(&axe, vec![]).await?;
    let found = chromium.page.execute_async(AXE, vec![]).await?;
    ensure!(found["violations"] == json!([]), "{:#}", found["violations"]);
    let is = |list: &Value, rule: &str| list.as_array().is_some_and(|rules| rules.contains(&json!(rule)));
    ensure!(is(&found["passes"], "color-contrast"), "the contrast was not measured: {found:#}");
    ensure!(!is(&found["incomplete"], "color-contrast"), "some contrast could not be measured: {found:#}");
    Ok(())
}

const AXE: &str = "const done = arguments[0];
    const ids = (results) => results.map((result) => result.id);
    const nodes = (result) => result.nodes.map((node) => node.html + ' ' + node.failureSummary);
    axe.run(document, { preload: false, elementRef: false }).then(
        (found) => done({
            violations: found.violations.map((result) => ({ rule: result.id, nodes: nodes(result) })),
            passes: ids(found.passes),
            incomplete: ids(found.incomplete),
        }),
        (error) => done({ violations: [String(error)] }),
    );";

#[tokio::test]
async fn the_icon_is_there_for_who_asks_unasked() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let icon = Browser::new()?.get(stack.public_url.join("favicon.ico")?).await?;
    ensure!(icon.status == 200 && icon.text.starts_with("<svg "), "{}: {}", icon.status, icon.text);
    ensure!(icon.headers.get("content-type").is_some_and(|kind| kind == "image/svg+xml"));
    Ok(())
}
