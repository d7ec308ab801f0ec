//! The pages in Chromium: by mouse and keyboard, with and without scripts, on desktop and phone sizes, in light and dark
//! mode. Screenshots are kept beside the logs of the run.

use anyhow::{Context, Result, ensure};
use membermail_tests::browser::Browser;
use membermail_tests::chromium::{Chromium, Settings};
use membermail_tests::stack::Stack;
use membermail_tests::wait::TIMEOUT;
use serde_json::json;

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn member_signs_in_and_out() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let chromium = Chromium::start(&stack, Settings { scripts: true }).await?;
    chromium.open(&stack.public_url).await?;
    chromium.click("Sign in with Ubuntu One").await?;
    ensure!(chromium.heading().await? == "Who are you?");
    // Launchpad answers slowly, so that the page of a running check is shown.
    stack.set_fault("alice", json!({ "kind": "slow", "millis": 1500 })).await?;
    chromium.click("alice").await?;
    chromium.wait_for("Checking your membership", 10).await?;
    chromium.confirm_destination(&stack).await?;
    stack.clear_fault("alice").await?;
    let home = chromium.page.current_url().await?;
    ensure!(home == stack.public_url, "the answer of the provider is still in the address bar: {home}");
    chromium.wait_for("alice@ubuntu.com now forwards to alice@mail.example", TIMEOUT).await?;
    chromium.wait_for("alice@kubuntu.org now forwards to alice@mail.example", TIMEOUT).await?;
    chromium.wait_for("You are a verified member of Ubuntu", TIMEOUT).await?;
    ensure!(chromium.heading().await? == "Your addresses");
    // The title changes as well, without a reload.
    let title = chromium.page.title().await?;
    ensure!(title == "Your addresses – Ubuntu mail", "the tab says {title:?}");
    let loads = chromium.check_no_errors().await?;
    for part in ["/assets/style-", "/assets/icon-", "/assets/progress-"] {
        ensure!(loads.iter().any(|load| load.resource.contains(part)), "no {part} among {loads:#?}");
    }
    chromium.show_as_desktop(900, 560).await?;
    chromium.save_screenshot("account").await?;

    chromium.click("Sign out").await?;
    chromium.wait_for("Sign in with Ubuntu One", 10).await?;
    chromium.page.back().await?;
    chromium.wait_for("Sign in with Ubuntu One", 10).await.context("the page before is shown out of the cache")?;
    chromium.check_no_errors().await?;
    chromium.close().await
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn pages_work_without_scripts() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let chromium = Chromium::start(&stack, Settings { scripts: false }).await?;
    chromium.open(&stack.public_url).await?;
    chromium.click("Sign in with Ubuntu One").await?;
    stack.set_fault("pat51", json!({ "kind": "slow", "millis": 3000, "count": 1 })).await?;
    chromium.click("pat51").await?;
    chromium.wait_for("Checking your membership", 10).await?;
    chromium.confirm_destination(&stack).await?;
    chromium.wait_for("pat51@ubuntu.com now forwards to pat51@mail.example", TIMEOUT).await?;
    let loads = chromium.check_no_errors().await?;
    let of_site: Vec<_> = loads.iter().filter(|load| load.resource.starts_with(stack.public_url.as_str())).collect();
    ensure!(of_site.iter().any(|load| load.resource.contains("/assets/style-")), "no style among {of_site:#?}");
    ensure!(!of_site.iter().any(|load| load.resource.ends_with(".js")), "a script was loaded: {of_site:#?}");
    chromium.click("Sign out").await?;
    chromium.wait_for("Sign in with Ubuntu One", 10).await?;
    chromium.close().await
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn pages_work_with_keyboard_only() -> Result<()> {
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
    chromium.save_screenshot("focus").await?;
    chromium.press(ENTER).await?;
    tab_to(&chromium, "pat52").await?;
    chromium.press(ENTER).await?;
    chromium.wait_for("pat52@ubuntu.com", TIMEOUT).await?;
    chromium.confirm_destination(&stack).await?;
    chromium.page.refresh().await?;
    chromium.wait_for("pat52@ubuntu.com now forwards to", TIMEOUT).await?;
    tab_to(&chromium, "Sign out").await?;
    chromium.press(ENTER).await?;
    chromium.wait_for("Sign in with Ubuntu One", 10).await?;
    chromium.check_no_errors().await?;
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
#[ignore = "needs the local stack (cargo dev test)"]
async fn pages_are_accessible_and_fit_phones() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let chromium = Chromium::start(&stack, Settings { scripts: true }).await?;
    let base = &stack.public_url;
    chromium.open(base).await?;
    check_appearance(&stack, &chromium, "welcome").await?;
    chromium.open(&base.join("no/such/page")?).await?;
    ensure!(chromium.heading().await? == "This page does not exist");
    check_appearance(&stack, &chromium, "not-found").await?;

    // While Launchpad fails, the member's page does not change.
    stack.set_fault("pat53", json!({ "kind": "status", "status": 503 })).await?;
    chromium.open(&base.join("sign-in")?).await?;
    chromium.click("pat53").await?;
    check_appearance(&stack, &chromium, "checking").await?;
    chromium.wait_for("Launchpad is not answering", TIMEOUT).await?;
    check_appearance(&stack, &chromium, "delayed").await?;
    stack.clear_fault("pat53").await?;

    for (name, words, picture) in [
        ("bob", "bob@ubuntu.com now forwards to", "addresses"),
        ("dave", "Sign the Code of Conduct first", "code-of-conduct"),
        ("postmaster", "Your Launchpad name is reserved", "refused"),
        ("loop", "Switched off because mail would loop", "switched-off"),
    ] {
        chromium.open(&base.join("sign-in")?).await?;
        chromium.click(name).await?;
        chromium.confirm_destination(&stack).await?;
        chromium.page.refresh().await?;
        chromium.wait_for(words, TIMEOUT).await?;
        check_appearance(&stack, &chromium, picture).await?;
    }
    // Chromium logs the 404 itself.
    let console = chromium.console().await?;
    ensure!(console.iter().all(|line| line.contains("/no/such/page")), "the console says {console:#?}");
    chromium.close().await
}

/// Takes screenshots of the open page in phone and desktop size, in light and dark mode.
async fn check_appearance(stack: &Stack, chromium: &Chromium, name: &str) -> Result<()> {
    for scheme in ["light", "dark"] {
        chromium.prefer(scheme).await?;
        chromium.show_as_phone().await?;
        let wide = chromium.page.execute("return document.documentElement.scrollWidth - innerWidth", vec![]).await?;
        ensure!(wide.as_i64().is_some_and(|wide| wide <= 0), "{name} is {wide} pixels wider than a phone");
        chromium.save_screenshot(&format!("{name}-phone-{scheme}")).await?;
        check_accessibility(stack, chromium).await.with_context(|| format!("{name} on a phone, {scheme}"))?;
        chromium.show_as_desktop(900, 700).await?;
        chromium.save_screenshot(&format!("{name}-{scheme}")).await?;
        check_accessibility(stack, chromium).await.with_context(|| format!("{name} on a desktop, {scheme}"))?;
    }
    let page = chromium.page.execute(OUTLINE, vec![]).await?;
    ensure!(page == json!({ "lang": "en", "h1": 1, "main": 1, "header": 1, "footer": 1 }), "{name}: {page}");
    Ok(())
}

const OUTLINE: &str = "const count = (name) => document.querySelectorAll(name).length;
    return { lang: document.documentElement.lang, h1: count('h1'), main: count('main'), header: count('body > header'),
        footer: count('body > footer') }";

/// Every rule of axe, by Deque: labels, roles, landmarks, headings, and the contrast of every text.
pub(crate) async fn check_accessibility(stack: &Stack, chromium: &Chromium) -> Result<()> {
    let axe = stack.node_modules.join("axe-core/axe.min.js");
    let axe = std::fs::read_to_string(&axe).with_context(|| format!("reading {}", axe.display()))?;
    chromium.page.execute(&axe, vec![]).await?;
    let found = chromium.page.execute_async(AXE, vec![]).await?;
    ensure!(found["violations"] == json!([]), "{:#}", found["violations"]);
    for (list, is_there) in [("passes", true), ("incomplete", false)] {
        let rules = found[list].as_array().context("no list of rules")?;
        let is_measured = rules.contains(&json!("color-contrast")) == is_there;
        ensure!(is_measured, "the contrast was not measured everywhere: {found:#}");
    }
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
#[ignore = "needs the local stack (cargo dev test)"]
async fn favicon_is_served() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let icon = Browser::new()?.get(stack.public_url.join("favicon.ico")?).await?;
    ensure!(icon.status == 200 && icon.text.starts_with("<svg "), "{}: {}", icon.status, icon.text);
    ensure!(icon.headers.get("content-type").is_some_and(|kind| kind == "image/svg+xml"));
    Ok(())
}
