//! A contributor signs in and gets their address: the story through the deployed stack.

use anyhow::{Context, Result, ensure};
use membermail_core::random::OsRandom;
use membermail_tests::browser::Browser;
use membermail_tests::stack::Stack;
use membermail_tests::table::operator;
use serde_json::json;

/// Long enough for two functions to start on a busy machine.
const PATIENCE: u64 = 120;

#[tokio::test]
async fn alice_gets_her_addresses_and_keeps_them() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let mut stranger = Browser::new()?;
    let welcome = stranger.get(stack.public_url.clone()).await?;
    ensure!(welcome.text.contains("Log in with Ubuntu One"), "{}", welcome.text);

    let (browser, _) = stack.sign_in("alice").await?;
    let page = stack.page_with(&browser, "alice@ubuntu.com now forwards to alice@mail.example", PATIENCE).await?;
    ensure!(!page.texts("main .card").is_empty());
    // Others sign in as alice too, so that her addresses may be there before this check is done.
    let page = stack.page_with(&browser, "You are a verified member of Ubuntu", PATIENCE).await?;
    ensure!(page.heading() == "Your addresses");
    stack.page_with(&browser, "alice@kubuntu.org now forwards to alice@mail.example", PATIENCE).await?;
    let before = stack.alias("alice@ubuntu.com").await?.context("no alias in the table")?.alias;

    let (browser, _) = stack.sign_in("alice").await?;
    stack.page_with(&browser, "Your addresses", PATIENCE).await?;
    let after = stack.alias("alice@ubuntu.com").await?.context("no alias in the table")?.alias;
    ensure!(before == after, "{before:?} became {after:?}");
    ensure!(stack.audit_of("alice@ubuntu.com").await?.len() == 1);
    Ok(())
}

#[tokio::test]
async fn every_outcome_has_its_page() -> Result<()> {
    let stack = Stack::of_this_run()?;
    for (name, heading) in [
        ("nobody-here", "Launchpad does not know you yet"),
        ("erin", "Your Launchpad account is not active"),
        ("frank", "Your Launchpad account is not active"),
        ("dave", "Sign the Code of Conduct first"),
        ("carol", "You are in none of the teams yet"),
    ] {
        let (browser, _) = stack.sign_in(name).await?;
        let page = stack.page_with(&browser, heading, PATIENCE).await?;
        ensure!(page.texts("main .card").is_empty(), "{name} has addresses: {}", page.text);
    }
    Ok(())
}

#[tokio::test]
async fn names_make_addresses_or_say_why_not() -> Result<()> {
    let stack = Stack::of_this_run()?;
    for (name, words) in [
        ("bob", "bob@ubuntu.com now forwards to"),
        ("grace", "grace@ubuntu.com now forwards to"),
        ("heidi+tag", "heidi+tag@ubuntu.com now forwards to"),
        ("ivan..dots", "Your Launchpad name is not valid before the @"),
        ("postmaster", "Your Launchpad name is reserved"),
        ("loop", "Switched off: mail would go round in a circle"),
    ] {
        let (browser, _) = stack.sign_in(name).await?;
        stack.page_with(&browser, words, PATIENCE).await.with_context(|| name.to_owned())?;
    }
    ensure!(stack.alias("grace-old@ubuntu.com").await?.is_none(), "the nickname of long ago got an address");
    Ok(())
}

#[tokio::test]
async fn a_banned_member_is_signed_out_and_told_so() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let (browser, _) = stack.sign_in("pat01").await?;
    stack.page_with(&browser, "pat01@ubuntu.com now forwards to", PATIENCE).await?;
    let store = stack.store().await;
    let member = stack.alias("pat01@ubuntu.com").await?.context("no alias")?.alias.member;
    ensure!(store.ban(member, operator("2026-11-24T10:00:00Z".parse()?), &OsRandom).await?);
    stack.page_with(&browser, "Log in with Ubuntu One", PATIENCE).await?;
    let (browser, _) = stack.sign_in("pat01").await?;
    stack.page_with(&browser, "Your account is blocked", PATIENCE).await?;
    Ok(())
}

#[tokio::test]
async fn a_domain_that_is_not_verified_gives_no_address_until_it_is() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let (store, domain, now) = (stack.store().await, "ubuntu.net".parse()?, "2026-11-24T10:00:00Z".parse()?);
    store.unverify_domain(&domain, operator(now), &OsRandom).await?;
    let (browser, _) = stack.sign_in("smtp-tester").await?;
    stack.page_with(&browser, "This domain is not open for addresses yet", PATIENCE).await?;
    store.verify_domain(&domain, operator(now), &OsRandom).await?;
    let (browser, _) = stack.sign_in("smtp-tester").await?;
    stack.page_with(&browser, "smtp-tester@ubuntu.net now forwards to", PATIENCE).await?;
    Ok(())
}

#[tokio::test]
async fn while_launchpad_fails_the_page_says_so_and_nothing_is_lost() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let faults = [
        ("pat02", json!({ "kind": "status", "status": 503 })),
        ("pat03", json!({ "kind": "status", "status": 429 })),
        ("pat04", json!({ "kind": "status", "status": 404 })),
        ("pat05", json!({ "kind": "malformed" })),
        ("pat06", json!({ "kind": "missing-flag" })),
        ("pat07", json!({ "kind": "cut-short" })),
        ("pat08", json!({ "kind": "slow", "millis": 20000 })),
        ("pat09", json!({ "kind": "foreign-link" })),
        ("pat10", json!({ "kind": "redirect" })),
    ];
    let mut browsers = Vec::new();
    for (name, fault) in &faults {
        stack.fault(name, fault.clone()).await?;
        browsers.push(stack.sign_in(name).await?.0);
    }
    for ((name, fault), browser) in faults.iter().zip(&browsers) {
        let told = stack.page_with(browser, "Launchpad is not answering", 90).await;
        told.with_context(|| format!("{name} under {fault}"))?;
        ensure!(stack.alias(&format!("{name}@ubuntu.com")).await?.is_none(), "{name} under {fault}");
        stack.mend(name).await?;
    }
    for ((name, _), browser) in faults.iter().zip(&browsers) {
        stack.page_with(browser, &format!("{name}@ubuntu.com now forwards to"), 180).await?;
        ensure!(stack.audit_of(&format!("{name}@ubuntu.com")).await?.len() == 1);
    }
    Ok(())
}

#[tokio::test]
async fn an_answer_of_the_provider_is_good_once_and_in_its_own_browser() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let mut browser = Browser::new()?;
    let callback = stack.chosen(&mut browser, "pat11").await?;

    let elsewhere = Browser::new()?.open(callback.clone()).await?;
    ensure!(elsewhere.status == 400 && elsewhere.heading() == "This login was not begun here", "{}", elsewhere.text);

    let (mut one, mut two) = (browser.clone(), browser.clone());
    let (first, second) = tokio::join!(one.get(callback.clone()), two.get(callback.clone()));
    let mut statuses = [first?.status.as_u16(), second?.status.as_u16()];
    statuses.sort_unstable();
    ensure!(statuses == [303, 400], "two callbacks at once came to {statuses:?}");

    let again = browser.get(callback).await?;
    ensure!(again.status == 400, "the same answer again came to {}", again.status);
    Ok(())
}

#[tokio::test]
async fn cancelling_changes_nothing() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let mut browser = Browser::new()?;
    let away = browser.get(stack.public_url.join("sign-in")?).await?.redirect()?.context("no redirect")?;
    let return_to = away.query_pairs().find(|(name, _)| name == "openid.return_to").context("no return_to")?.1;
    let mut back: url::Url = return_to.parse()?;
    back.query_pairs_mut()
        .append_pair("openid.ns", "http://specs.openid.net/auth/2.0")
        .append_pair("openid.mode", "cancel");
    let page = browser.get(back).await?;
    ensure!(page.heading() == "You cancelled the login", "{}", page.text);
    ensure!(browser.cookie(&stack.public_url, "session").is_none());
    Ok(())
}

#[tokio::test]
async fn logging_out_needs_our_own_form_and_ends_the_session() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let (mut browser, page) = stack.sign_in("pat12").await?;
    let copy = browser.clone();
    let sign_out = stack.public_url.join("sign-out")?;
    let foreign = browser.post(sign_out.clone(), &[("csrf", "guessed")]).await?;
    ensure!(foreign.status == 403);
    let token = page.attribute("input[name=csrf]", "value").context("no token on the page")?;
    let home = browser.post(sign_out, &[("csrf", &token)]).await?.redirect()?.context("no redirect")?;
    ensure!(browser.open(home).await?.text.contains("Log in with Ubuntu One"));
    // The session is over in the table too, not only in this browser.
    stack.page_with(&copy, "Log in with Ubuntu One", PATIENCE).await?;
    Ok(())
}

#[tokio::test]
async fn every_answer_keeps_the_page_to_itself() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let page = Browser::new()?.get(stack.public_url.clone()).await?;
    let header = |name: &str| page.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    ensure!(header("content-security-policy").starts_with("default-src 'none'"));
    ensure!(header("x-content-type-options") == "nosniff");
    ensure!(header("cache-control") == "no-store");
    let style = page.attribute("link[rel=stylesheet]", "href").context("no style sheet")?;
    let style = Browser::new()?.get(stack.public_url.join(&style)?).await?;
    ensure!(style.status == 200 && style.text.contains("--accent"), "{}", style.status);
    Ok(())
}
