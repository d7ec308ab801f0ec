//! What the browser brings back from the provider: good once, in its own browser, and only as the provider made it.

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join_all;
use membermail_tests::browser::Browser;
use membermail_tests::stack::Stack;
use serde_json::json;
use url::Url;

const USED: &str = "This sign-in was used already";

/// How many items have this kind of key, and this text in their key or as their member.
async fn items(stack: &Stack, kind: &str, text: &str) -> Result<usize> {
    let scan = stack.dynamodb().await.scan().table_name(&stack.table);
    let scan = scan.filter_expression("begins_with(pk, :kind) AND (contains(pk, :text) OR #member = :text)");
    let scan = scan.expression_attribute_names("#member", "member");
    let scan = scan.expression_attribute_values(":kind", AttributeValue::S(kind.to_owned()));
    let scan = scan.expression_attribute_values(":text", AttributeValue::S(text.to_owned()));
    let mut found = scan.into_paginator().items().send();
    let mut count = 0;
    while let Some(item) = found.next().await {
        item?;
        count += 1;
    }
    Ok(count)
}

#[tokio::test]
async fn an_answer_of_the_provider_is_good_once_and_in_its_own_browser() -> Result<()> {
    let stack = Stack::of_this_run()?;
    // The provider would confirm it again and again, so that it is our own table that knows better.
    stack.provider_fault("pat11", json!({ "kind": "confirms-again" })).await?;
    let mut browser = Browser::new()?;
    let callback = stack.chosen(&mut browser, "pat11").await?;

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

    // Again, later, and by whoever has the cookie of the sign-in and that of the session.
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
async fn two_tabs_of_a_browser_both_come_back() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let mut browser = Browser::new()?;
    let one = stack.chosen(&mut browser, "pat22").await?;
    let two = stack.chosen(&mut browser, "pat22").await?;
    for callback in [two, one] {
        let landed = browser.get(callback).await?;
        ensure!(landed.status == 303, "{}: {}", landed.status, landed.text);
    }
    // The second one ended the session of the first, as each sign-in does.
    let member = stack.member_of(&browser).await?.to_string();
    ensure!(items(&stack, "SESSION#", &member).await? == 1);
    Ok(())
}

/// The URL with the value of a field changed, or taken away.
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

#[tokio::test]
async fn an_answer_that_was_tampered_with_writes_nothing() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let mut browser = Browser::new()?;
    let callback = stack.chosen(&mut browser, "pat23").await?;
    let field = |name: &str| callback.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let identity = field("openid.claimed_id").context("no identifier")?;
    let word = identity.rsplit_once('/').context("no word")?.1;

    let sreg = "http://openid.net/extensions/sreg/1.1";
    let without_email = |list: &str| {
        let kept: Vec<_> = list.split(',').filter(|name| *name != "sreg.email").collect();
        (kept.len() + 1 == list.split(',').count()).then(|| kept.join(","))
    };
    let mallory = |_: &str| Some("mallory@mail.example".to_owned());
    let other = identity.replace(word, "mallory");
    let foreign = |_: &str| Some(other.clone());
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
        refused(&mut browser, what, url, "The sign-in could not be accepted").await?;
    }

    // Only the provider can tell, and it is asked once for a state.
    for what in ["a forged signature", "another address", "another person"] {
        let callback = stack.chosen(&mut browser, "pat23").await?;
        let url = match what {
            "a forged signature" => with(&callback, "openid.sig", |sig| Some(sig.chars().rev().collect())),
            "another address" => with(&callback, "openid.sreg.email", mallory),
            _ => with(&with(&callback, "openid.claimed_id", foreign), "openid.identity", foreign),
        };
        refused(&mut browser, what, url, "Ubuntu One did not confirm the sign-in").await?;
        refused(&mut browser, what, callback, USED).await?;
    }
    ensure!(items(&stack, "IDENTITY#", word).await? == 0 && items(&stack, "IDENTITY#", "/+id/mallory").await? == 0);

    // What was refused without asking used up nothing: the answer as the provider made it is still good.
    let landed = browser.get(callback).await?;
    ensure!(landed.status == 303, "{}: {}", landed.status, landed.text);
    ensure!(items(&stack, "IDENTITY#", word).await? == 1);
    let member = stack.member_of(&browser).await?.to_string();
    ensure!(items(&stack, "SESSION#", &member).await? == 1);
    Ok(())
}
