//! Callbacks: an assertion is valid once, in the browser that started the sign-in, and only unmodified.

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use membermail_tests::browser::{Browser, parameter};
use membermail_tests::stack::Stack;
use membermail_tests::table;
use serde_json::json;
use url::Url;

const USED: &str = "This sign-in was already used";

/// The number of items with this kind of key, and this text in the key or as the member.
async fn items(stack: &Stack, kind: &str, text: &str) -> Result<usize> {
    let scan = stack.dynamodb().await.scan().table_name(&stack.table);
    let scan = scan.filter_expression("begins_with(pk, :kind) AND (contains(pk, :text) OR #member = :text)");
    let scan = scan.expression_attribute_names("#member", "member");
    let scan = scan.expression_attribute_values(":kind", table::text(kind));
    let scan = scan.expression_attribute_values(":text", table::text(text));
    let found = scan.into_paginator().items().send().try_collect().await?;
    Ok(found.len())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn assertion_works_once_per_browser() -> Result<()> {
    let stack = Stack::of_this_run()?;
    // The provider would confirm it each time, so only our table can refuse it.
    stack.set_provider_fault("pat11", json!({ "kind": "confirms-again" })).await?;
    let mut browser = Browser::new()?;
    let callback = stack.start_sign_in(&mut browser, "pat11").await?;

    let elsewhere = Browser::new()?.open(callback.clone()).await?;
    ensure!(
        elsewhere.status == 400 && elsewhere.heading() == "This sign-in did not start in this browser",
        "{}",
        elsewhere.text
    );

    let mut clones = vec![browser.clone(); 4];
    let pages = try_join_all(clones.iter_mut().map(|clone| clone.get(callback.clone()))).await?;
    let (went_on, refused): (Vec<_>, Vec<_>) = pages.iter().partition(|page| page.status == 303);
    let seen: Vec<_> = pages.iter().map(|page| (page.status, page.heading())).collect();
    ensure!(went_on.len() == 1, "four callbacks at once came to {seen:?}");
    ensure!(refused.iter().all(|page| page.status == 400 && page.heading() == USED), "{seen:?}");

    // A replay fails, even with the cookies of the sign-in and of the session.
    let in_session = clones.iter().find(|clone| clone.cookie(&stack.public_url, "session").is_some());
    let in_session = in_session.context("nobody got a session")?;
    for mut browser in [browser, in_session.clone()] {
        let again = browser.get(callback.clone()).await?;
        ensure!(again.status == 400 && again.heading() == USED, "{}: {}", again.status, again.text);
    }
    let member = stack.member_of(in_session).await?.to_string();
    let sessions = items(&stack, "SESSION#", &member).await?;
    ensure!(sessions == 1, "{sessions} sessions of one sign-in");
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn two_tabs_can_sign_in() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let mut browser = Browser::new()?;
    let one = stack.start_sign_in(&mut browser, "pat22").await?;
    let two = stack.start_sign_in(&mut browser, "pat22").await?;
    for callback in [two, one] {
        let landed = browser.get(callback).await?;
        ensure!(landed.status == 303, "{}: {}", landed.status, landed.text);
    }
    // The second sign-in replaced the session of the first.
    let member = stack.member_of(&browser).await?.to_string();
    ensure!(items(&stack, "SESSION#", &member).await? == 1);
    Ok(())
}

/// The URL with the value of a field changed or removed.
fn with(callback: &Url, field: &str, change: impl Fn(&str) -> Option<String>) -> Url {
    let pairs: Vec<(String, String)> = callback.query_pairs().into_owned().collect();
    let pairs = pairs.into_iter().filter_map(|(name, value)| {
        let value = if name == field { change(&value)? } else { value };
        Some((name, value))
    });
    let mut url = callback.clone();
    url.set_query(None);
    url.query_pairs_mut().extend_pairs(pairs);
    url
}

async fn refused(browser: &mut Browser, what: &str, url: Url, heading: &str) -> Result<()> {
    let answer = browser.get(url).await?;
    ensure!(answer.status == 400 && answer.heading() == heading, "{what}: {} {}", answer.status, answer.heading());
    ensure!(!answer.headers.contains_key("set-cookie"), "{what} set a cookie");
    Ok(())
}

fn and(callback: &Url, further: &[(&str, &str)]) -> Url {
    let mut url = callback.clone();
    url.query_pairs_mut().extend_pairs(further);
    url
}

/// The list of signed fields without the address, if it is in the list.
fn without_email(list: &str) -> Option<String> {
    let kept: Vec<_> = list.split(',').filter(|name| *name != "sreg.email").collect();
    (kept.len() + 1 == list.split(',').count()).then(|| kept.join(","))
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn tampered_assertion_writes_nothing() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let mut browser = Browser::new()?;
    let callback = stack.start_sign_in(&mut browser, "pat23").await?;
    let identity = parameter(&callback, "openid.claimed_id").context("no identifier")?;
    let word = identity.rsplit_once('/').context("no word")?.1;

    let sreg = "http://openid.net/extensions/sreg/1.1";
    let other = identity.replace(word, "mallory");
    let hostile = [
        ("an unsigned address", with(&callback, "openid.signed", without_email)),
        (
            "a second alias of Simple Registration",
            and(&callback, &[("openid.ns.more", sreg), ("openid.more.email", "mallory@mail.example")]),
        ),
        ("a parameter twice", and(&callback, &[("openid.sreg.email", "mallory@mail.example")])),
        (
            "another place to come to",
            with(&callback, "openid.return_to", |to| Some(to.replace("/callback", "/elsewhere"))),
        ),
        ("no nonce", with(&callback, "openid.response_nonce", |_| None)),
    ];
    for (what, url) in hostile {
        ensure!(url != callback, "{what} is no change");
        refused(&mut browser, what, url, "We could not accept the sign-in").await?;
    }

    // Only the provider can detect these; it is asked once per state.
    for what in ["a forged signature", "another address", "another person"] {
        let callback = stack.start_sign_in(&mut browser, "pat23").await?;
        let url = match what {
            "a forged signature" => with(&callback, "openid.sig", |sig| Some(sig.chars().rev().collect())),
            "another address" => with(&callback, "openid.sreg.email", |_| Some("mallory@mail.example".to_owned())),
            _ => {
                let url = with(&callback, "openid.claimed_id", |_| Some(other.clone()));
                with(&url, "openid.identity", |_| Some(other.clone()))
            }
        };
        refused(&mut browser, what, url, "Ubuntu One did not confirm the sign-in").await?;
        refused(&mut browser, what, callback, USED).await?;
    }
    ensure!(items(&stack, "IDENTITY#", word).await? == 0 && items(&stack, "IDENTITY#", "/+id/mallory").await? == 0);

    // Assertions refused without a request to the provider were not consumed: the genuine one is still valid.
    let landed = browser.get(callback).await?;
    ensure!(landed.status == 303, "{}: {}", landed.status, landed.text);
    ensure!(items(&stack, "IDENTITY#", word).await? == 1);
    let member = stack.member_of(&browser).await?.to_string();
    ensure!(items(&stack, "SESSION#", &member).await? == 1);
    Ok(())
}
