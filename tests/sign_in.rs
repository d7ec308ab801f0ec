//! A contributor signs in and gets their address: the story through the deployed stack.

#[path = "sign_in/callbacks.rs"]
mod callbacks;
#[path = "sign_in/launchpad_fails.rs"]
mod launchpad_fails;

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use membermail_core::member::MemberId;
use membermail_core::random::OsRandom;
use membermail_tests::browser::Browser;
use membermail_tests::stack::Stack;
use membermail_tests::table::operator;
use membermail_tests::wait::until;
use serde_json::{Value, json};

/// Long enough for two functions to start on a busy machine.
const PATIENCE: u64 = 120;

#[tokio::test]
async fn alice_gets_her_addresses_and_keeps_them() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let mut stranger = Browser::new()?;
    let welcome = stranger.get(stack.public_url.clone()).await?;
    ensure!(welcome.text.contains("Sign in with Ubuntu One"), "{}", welcome.text);

    let (browser, _) = stack.sign_in("alice").await?;
    let page = stack.page_with(&browser, "alice@ubuntu.com now forwards to alice@mail.example", PATIENCE).await?;
    ensure!(!page.texts("main .card").is_empty());
    // Others sign in as alice too, so that her addresses may be there before this check is done.
    let page = stack.page_with(&browser, "You are a verified member of Ubuntu", PATIENCE).await?;
    ensure!(page.heading() == "Your addresses");
    stack.page_with(&browser, "alice@kubuntu.org now forwards to alice@mail.example", PATIENCE).await?;
    let before = stack.alias("alice@ubuntu.com").await?.context("no alias in the table")?.alias;

    let member = stack.member_of(&browser).await?;
    let earlier = sign_ins(&stack, member)?;
    let (browser, _) = stack.sign_in("alice").await?;
    stack.page_with(&browser, "Your addresses", PATIENCE).await?;
    // Not before the wish of this second sign-in was handled too.
    let later = until("the second sign-in in the log", Duration::from_secs(PATIENCE), async || {
        let new: Vec<_> = sign_ins(&stack, member)?.difference(&earlier).cloned().collect();
        Ok((!new.is_empty()).then_some(new))
    });
    for request in later.await? {
        let unchanged = format!("address of member {member} unchanged");
        let is_it = |line: &Value| {
            let of_it = line["message"] == unchanged.as_str() && line["span"]["request_id"] == request.as_str();
            of_it && line["domain"] == "ubuntu.com"
        };
        stack.logged("WriteAliases", &format!("{unchanged:?} by request {request}"), is_it).await?;
    }
    let after = stack.alias("alice@ubuntu.com").await?.context("no alias in the table")?.alias;
    ensure!(before == after, "{before:?} became {after:?}");
    ensure!(stack.audit_of("alice@ubuntu.com").await?.len() == 1);
    Ok(())
}

/// The requests in which a member signed in.
fn sign_ins(stack: &Stack, member: MemberId) -> Result<BTreeSet<String>> {
    let lines = stack.log_of("Sso")?;
    let of_member = lines.iter().filter(|line| line["message"] == format!("member {member} signed in").as_str());
    Ok(of_member.filter_map(|line| line["span"]["request_id"].as_str().map(str::to_owned)).collect())
}

/// Waits until the log says what the check of this browser's member came to.
async fn checked(stack: &Stack, browser: &Browser, outcome: &str) -> Result<()> {
    let what = format!("member {} checked", stack.member_of(browser).await?);
    let is_it = |line: &Value| line["message"] == what.as_str() && line["outcome"] == outcome;
    stack.logged("VerifyMember", &format!("{what:?} as {outcome}"), is_it).await.map(drop)
}

#[tokio::test]
async fn every_outcome_has_its_page() -> Result<()> {
    let stack = Stack::of_this_run()?;
    for (name, heading, outcome) in [
        ("nobody-here", "Launchpad does not know you yet", "unknown"),
        ("clive", "Launchpad does not know you yet", "unknown"),
        ("paula", "You have never used your Launchpad account", "never-activated"),
        ("erin", "Your Launchpad account is deactivated", "deactivated"),
        ("dora", "Your Launchpad account is deactivated", "deactivated"),
        ("doug", "Your Launchpad account is deactivated", "deactivated"),
        ("frank", "Your Launchpad account is suspended", "suspended"),
        ("nora", "Your Launchpad account has no e-mail address", "no-preferred-address"),
        ("dean", "Your Launchpad account is not active", "not-valid"),
        ("dave", "Sign the Code of Conduct first", "code-of-conduct-unsigned"),
        ("carol", "You are in none of the teams yet", "no-team"),
    ] {
        let (browser, _) = stack.sign_in(name).await?;
        let page = stack.page_with(&browser, heading, PATIENCE).await?;
        ensure!(page.texts("main .card").is_empty(), "{name} has addresses: {}", page.text);
        checked(&stack, &browser, outcome).await?;
    }
    let (browser, _) = stack.sign_in("pat13").await?;
    stack.page_with(&browser, "You are a verified member of Ubuntu", PATIENCE).await?;
    checked(&stack, &browser, "eligible").await
}

#[tokio::test]
async fn unusable_addresses_have_their_pages() -> Result<()> {
    let stack = Stack::of_this_run()?;
    for (name, heading) in [
        ("una", "Ubuntu One did not share your e-mail address"),
        ("quinn", "Mail cannot be forwarded to your e-mail address"),
    ] {
        let mut browser = Browser::new()?;
        let callback = stack.chosen(&mut browser, name).await?;
        let page = browser.open(callback).await?;
        ensure!(page.heading() == heading, "{name}: {}", page.text);
        let again = page.attributes("main a", "href");
        ensure!(again.iter().any(|href| href.ends_with("/sign-in")), "{name}: {again:?}");
        ensure!(browser.cookie(&stack.public_url, "session").is_none(), "{name} is signed in");
    }
    Ok(())
}

#[tokio::test]
async fn a_name_that_was_refused_is_no_matter_once_there_is_nothing_to_give() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.add(json!({ "name": "abuse", "teams": ["ubuntumembers"] })).await?;
    let (browser, _) = stack.sign_in("abuse").await?;
    stack.page_with(&browser, "Your Launchpad name is reserved", PATIENCE).await?;
    stack.change("abuse", json!({ "leave": ["ubuntumembers"] })).await?;
    stack.check_again(&browser).await?;
    let page = stack.page_with(&browser, "You are in none of the teams yet", PATIENCE).await?;
    ensure!(page.texts("main .card").is_empty(), "{}", page.text);
    Ok(())
}

#[tokio::test]
async fn names_make_addresses_or_say_why_not() -> Result<()> {
    let stack = Stack::of_this_run()?;
    for (name, words) in [
        ("bob", "bob@ubuntu.com now forwards to"),
        ("grace", "grace@ubuntu.com now forwards to"),
        ("heidi+tag", "Your Launchpad name contains a +"),
        ("ivan..dots", "Your Launchpad name is not allowed in an address"),
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
    stack.page_with(&browser, "Sign in with Ubuntu One", PATIENCE).await?;
    let (browser, _) = stack.sign_in("pat01").await?;
    stack.page_with(&browser, "Your account is blocked", PATIENCE).await?;
    checked(&stack, &browser, "banned").await
}

#[tokio::test]
async fn a_domain_that_is_not_verified_gives_no_address_until_it_is() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let (store, domain, now) = (stack.store().await, "ubuntu.net".parse()?, "2026-11-24T10:00:00Z".parse()?);
    store.unverify_domain(&domain, operator(now), &OsRandom).await?;
    let (browser, _) = stack.sign_in("smtp-tester").await?;
    stack.page_with(&browser, "This domain is not open for addresses yet", PATIENCE).await?;
    store.verify_domain(&domain, operator(now), &OsRandom).await?;
    stack.check_again(&browser).await?;
    stack.page_with(&browser, "smtp-tester@ubuntu.net now forwards to", PATIENCE).await?;
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
    ensure!(page.heading() == "You cancelled the sign-in", "{}", page.text);
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
    ensure!(browser.open(home).await?.text.contains("Sign in with Ubuntu One"));
    // The session is over in the table too, not only in this browser.
    stack.page_with(&copy, "Sign in with Ubuntu One", PATIENCE).await?;
    Ok(())
}

#[tokio::test]
async fn every_answer_keeps_the_page_to_itself() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let page = Browser::new()?.get(stack.public_url.clone()).await?;
    let header = |name: &str| page.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let policy = header("content-security-policy");
    let directives: BTreeSet<_> = policy.split(';').map(str::trim).collect();
    for needed in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
        ensure!(directives.contains(needed), "no {needed} in {policy}");
    }
    for lax in ["unsafe", "*", "http", "data:"] {
        ensure!(!policy.contains(lax), "{lax} in {policy}");
    }
    ensure!(header("x-content-type-options") == "nosniff");
    ensure!(header("cache-control") == "no-store");
    let style = page.attribute("link[rel=stylesheet]", "href").context("no style sheet")?;
    let style = Browser::new()?.get(stack.public_url.join(&style)?).await?;
    ensure!(style.status == 200 && style.text.contains("--accent"), "{}", style.status);
    Ok(())
}
