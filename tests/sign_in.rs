//! A contributor signs in and gets their address, through the deployed stack.

mod callbacks;
mod launchpad_fails;

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use membermail_core::member::MemberId;
use membermail_core::random::OsRandom;
use membermail_tests::browser::{Browser, parameter};
use membermail_tests::stack::Stack;
use membermail_tests::table::operator;
use membermail_tests::wait::{TIMEOUT, until};
use serde_json::json;

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn signed_in_member_keeps_addresses() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let mut stranger = Browser::new()?;
    let welcome = stranger.get(stack.public_url.clone()).await?;
    ensure!(welcome.text.contains("Sign in with Ubuntu One"), "{}", welcome.text);

    let browser = stack.sign_in("alice").await?;
    let page = stack.page_with(&browser, "alice@ubuntu.com now forwards to alice@mail.example").await?;
    ensure!(!page.texts("#live .card").is_empty());
    // Other tests sign in as alice too, so her addresses may exist before this check ends.
    let page = stack.page_with(&browser, "You are a verified member of Ubuntu").await?;
    ensure!(page.heading() == "Your addresses");
    stack.page_with(&browser, "alice@kubuntu.org now forwards to alice@mail.example").await?;
    let before = stack.existing_alias("alice@ubuntu.com").await?;

    let member = stack.member_of(&browser).await?;
    let earlier = sign_ins(&stack, member)?;
    stack.sign_in_until("alice", "Your addresses").await?;
    // Wait until the grant of this second sign-in is handled too.
    let later = until("the second sign-in in the log", TIMEOUT, async || {
        let new: Vec<_> = sign_ins(&stack, member)?.difference(&earlier).cloned().collect();
        Ok((!new.is_empty()).then_some(new))
    });
    for request in later.await? {
        let unchanged = format!("address of member {member} unchanged");
        let what = format!("{unchanged:?} by request {request}");
        stack
            .wait_for_log("WriteAliases", &what, |line| {
                line["message"] == unchanged.as_str()
                    && line["span"]["request_id"] == request.as_str()
                    && line["domain"] == "ubuntu.com"
            })
            .await?;
    }
    let after = stack.existing_alias("alice@ubuntu.com").await?;
    ensure!(before == after, "{before:?} became {after:?}");
    ensure!(stack.audit_of("alice@ubuntu.com").await?.len() == 1);
    Ok(())
}

/// The request ids of a member's sign-ins.
fn sign_ins(stack: &Stack, member: MemberId) -> Result<BTreeSet<String>> {
    let lines = stack.log_of("Sso")?;
    let of_member = lines.iter().filter(|line| line["message"] == format!("member {member} signed in").as_str());
    Ok(of_member.filter_map(|line| line["span"]["request_id"].as_str().map(str::to_owned)).collect())
}

/// Waits for the log line with the outcome of this member's check.
async fn checked(stack: &Stack, browser: &Browser, outcome: &str) -> Result<()> {
    let what = format!("member {} checked", stack.member_of(browser).await?);
    stack
        .wait_for_log("VerifyMember", &format!("{what:?} as {outcome}"), |line| {
            line["message"] == what.as_str() && line["outcome"] == outcome
        })
        .await
        .map(drop)
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn every_outcome_has_its_page() -> Result<()> {
    let stack = Stack::of_this_run()?;
    for (name, heading, outcome) in [
        ("nobody-here", "You have no Launchpad account yet", "unknown"),
        ("clive", "You have no Launchpad account yet", "unknown"),
        ("paula", "Activate your Launchpad account first", "never-activated"),
        ("erin", "Your Launchpad account is deactivated", "deactivated"),
        ("dora", "Your Launchpad account is deactivated", "deactivated"),
        ("doug", "Your Launchpad account is deactivated", "deactivated"),
        ("frank", "Your Launchpad account is suspended", "suspended"),
        ("nora", "Your Launchpad account has no e-mail address", "no-preferred-address"),
        ("dean", "Your Launchpad account is not active", "not-valid"),
        ("dave", "Sign the Code of Conduct first", "code-of-conduct-unsigned"),
        ("carol", "You are not in any of the teams yet", "no-team"),
    ] {
        let browser = stack.sign_in(name).await?;
        let page = stack.page_with(&browser, heading).await?;
        ensure!(page.texts("#live .card").is_empty(), "{name} has addresses: {}", page.text);
        checked(&stack, &browser, outcome).await?;
    }
    let browser = stack.sign_in_until("pat13", "You are a verified member of Ubuntu").await?;
    checked(&stack, &browser, "eligible").await
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn unusable_addresses_have_their_pages() -> Result<()> {
    let stack = Stack::of_this_run()?;
    for (name, heading) in [
        ("una", "Ubuntu One did not share your e-mail address"),
        ("quinn", "We cannot forward mail to your e-mail address"),
    ] {
        let mut browser = Browser::new()?;
        let callback = stack.start_sign_in(&mut browser, name).await?;
        let page = browser.open(callback).await?;
        ensure!(page.heading() == heading, "{name}: {}", page.text);
        let again = page.attributes("main a", "href");
        ensure!(again.iter().any(|href| href.ends_with("/sign-in")), "{name}: {again:?}");
        ensure!(browser.cookie(&stack.public_url, "session").is_none(), "{name} is signed in");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn refused_name_is_hidden_without_eligibility() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.add_person(json!({ "name": "abuse", "teams": ["ubuntumembers"] })).await?;
    let browser = stack.sign_in_until("abuse", "Your Launchpad name is reserved").await?;
    stack.change_person("abuse", json!({ "leave": ["ubuntumembers"] })).await?;
    stack.check_again(&browser).await?;
    let page = stack.page_with(&browser, "You are not in any of the teams yet").await?;
    ensure!(page.texts("#live .card").is_empty(), "{}", page.text);
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn names_become_addresses_or_refusals() -> Result<()> {
    let stack = Stack::of_this_run()?;
    for (name, words) in [
        ("bob", "bob@ubuntu.com now forwards to"),
        ("grace", "grace@ubuntu.com now forwards to"),
        ("heidi+tag", "Your Launchpad name contains a +"),
        ("ivan..dots", "Your Launchpad name is not allowed in an address"),
        ("postmaster", "Your Launchpad name is reserved"),
        ("loop", "Switched off because mail would loop"),
    ] {
        stack.sign_in_until(name, words).await?;
    }
    ensure!(stack.alias("grace-old@ubuntu.com").await?.is_none(), "the nickname of long ago got an address");
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn banned_member_is_signed_out() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let browser = stack.sign_in_at("ubuntu.com", "pat01").await?;
    let store = stack.store().await;
    let member = stack.owner_of("pat01@ubuntu.com").await?;
    ensure!(store.ban(member, operator("2026-11-24T10:00:00Z".parse()?), &OsRandom).await?);
    stack.page_with(&browser, "Sign in with Ubuntu One").await?;
    let browser = stack.sign_in_until("pat01", "Your account is blocked").await?;
    checked(&stack, &browser, "banned").await
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn unverified_domain_gives_no_address() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let store = stack.store().await;
    let domain = "ubuntu.net".parse()?;
    let now = "2026-11-24T10:00:00Z".parse()?;
    store.unverify_domain(&domain, operator(now), &OsRandom).await?;
    let browser = stack.sign_in_until("smtp-tester", "This domain is not open for addresses yet").await?;
    store.verify_domain(&domain, operator(now), &OsRandom).await?;
    stack.check_again(&browser).await?;
    stack.page_with(&browser, "smtp-tester@ubuntu.net now forwards to").await?;
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn cancelling_changes_nothing() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let mut browser = Browser::new()?;
    let away = browser.get(stack.public_url.join("sign-in")?).await?.location()?;
    let mut back: url::Url = parameter(&away, "openid.return_to").context("no return_to")?.parse()?;
    back.query_pairs_mut()
        .append_pair("openid.ns", "http://specs.openid.net/auth/2.0")
        .append_pair("openid.mode", "cancel");
    let page = browser.get(back).await?;
    ensure!(page.heading() == "You cancelled the sign-in", "{}", page.text);
    ensure!(browser.cookie(&stack.public_url, "session").is_none());
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn log_out_requires_own_form() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let mut browser = stack.sign_in("pat12").await?;
    let page = browser.get(stack.public_url.clone()).await?;
    let copy = browser.clone();
    let sign_out = stack.public_url.join("sign-out")?;
    let foreign = browser.post(sign_out.clone(), &[("csrf", "guessed")]).await?;
    ensure!(foreign.status == 403);
    let token = page.attribute("input[name=csrf]", "value").context("no token on the page")?;
    let home = browser.post(sign_out, &[("csrf", &token)]).await?.location()?;
    ensure!(browser.open(home).await?.text.contains("Sign in with Ubuntu One"));
    // The session is deleted from the table, not only from this browser.
    stack.page_with(&copy, "Sign in with Ubuntu One").await?;
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn responses_have_security_headers() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let page = Browser::new()?.get(stack.public_url.clone()).await?;
    let policy = page.header("content-security-policy").unwrap_or_default();
    let directives: BTreeSet<_> = policy.split(';').map(str::trim).collect();
    for needed in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
        ensure!(directives.contains(needed), "no {needed} in {policy}");
    }
    for lax in ["unsafe", "*", "http", "data:"] {
        ensure!(!policy.contains(lax), "{lax} in {policy}");
    }
    ensure!(page.header("x-content-type-options") == Some("nosniff"));
    ensure!(page.header("cache-control") == Some("no-store"));
    let style = page.attribute("link[rel=stylesheet]", "href").context("no style sheet")?;
    let style = Browser::new()?.get(stack.public_url.join(&style)?).await?;
    ensure!(style.status == 200 && style.text.contains("--accent"), "{}", style.status);
    Ok(())
}
