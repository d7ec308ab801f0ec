//! While Launchpad fails: the page says so, nothing is lost, Launchpad is left alone for as long as it asks, and what the
//! queue gives up is said to be given up.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use membermail_core::member::ClaimedIdentifier;
use membermail_core::message::VerifyMember;
use membermail_tests::browser::Browser;
use membermail_tests::stack::Stack;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::PATIENCE;

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
        ("pat15", json!({ "kind": "down" })),
        ("pat17", json!({ "kind": "status", "status": 500 })),
        ("pat18", json!({ "kind": "status", "status": 502 })),
    ];
    let mut browsers = Vec::new();
    for (name, fault) in &faults {
        stack.fault(name, fault.clone()).await?;
        browsers.push(stack.sign_in(name).await?.0);
    }
    for ((name, fault), browser) in faults.iter().zip(&browsers) {
        let told = stack.page_with(browser, "Launchpad is not answering", 150).await;
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
async fn gone_for_a_moment_is_asked_again_and_gone_for_good_is_an_answer() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.fault("pat16", json!({ "kind": "status", "status": 410, "count": 1 })).await?;
    let (browser, _) = stack.sign_in("pat16").await?;
    stack.page_with(&browser, "pat16@ubuntu.com now forwards to", PATIENCE).await?;
    // So Launchpad answers about a suspended account.
    stack.fault("pat19", json!({ "kind": "status", "status": 410 })).await?;
    let (browser, _) = stack.sign_in("pat19").await?;
    stack.page_with(&browser, "Your Launchpad account is not active", PATIENCE).await?;
    crate::checked(&stack, &browser, "not-valid").await?;
    stack.mend("pat19").await
}

#[tokio::test]
async fn launchpad_is_left_alone_for_as_long_as_it_asks() -> Result<()> {
    let stack = Stack::of_this_run()?;
    // More than the patience of a check, so that it is the queue that waits; by itself that would do so for 5 seconds.
    stack.fault("pat20", json!({ "kind": "status", "status": 503, "retry_after": 30, "count": 1 })).await?;
    let (browser, _) = stack.sign_in("pat20").await?;
    stack.page_with(&browser, "Launchpad is not answering", PATIENCE).await?;
    let told = Instant::now();
    stack.page_with(&browser, "pat20@ubuntu.com now forwards to", PATIENCE).await?;
    ensure!(told.elapsed() > Duration::from_secs(20), "it was asked again after {:?}", told.elapsed());
    Ok(())
}

#[tokio::test]
async fn what_the_queue_gives_up_the_page_gives_up_until_the_next_sign_in() -> Result<()> {
    let stack = Stack::of_this_run()?;
    // The message of this sign-in stays away for the whole story.
    stack.fault("pat21", json!({ "kind": "status", "status": 503, "retry_after": 3600, "count": 1 })).await?;
    let mut browser = Browser::new()?;
    let callback = stack.chosen(&mut browser, "pat21").await?;
    let identifier = callback.query_pairs().find(|(name, _)| name == "openid.claimed_id").context("no identifier")?.1;
    let claimed_identifier = ClaimedIdentifier::parse(&identifier)?;
    browser.open(callback).await?;
    stack.page_with(&browser, "Launchpad is not answering", PATIENCE).await?;

    // Nobody waits for a day: the deployed function is shown a message as the queue shows it for the last time.
    stack.fault("pat21", json!({ "kind": "status", "status": 503 })).await?;
    let member = stack.member_of(&browser).await?;
    let message = VerifyMember { member, claimed_identifier, request_id: "the-last-try".to_owned() };
    let name = stack.physical_id("VerifyMember")?;
    let settings = stack.cli(&["lambda", "get-function-configuration", "--function-name", &name])?;
    let tries = settings["Environment"]["Variables"]["VERIFY_QUEUE_TRIES"].as_str().context("no tries")?.to_owned();
    let answer = shown(&stack, &name, &message, &tries)?;
    ensure!(answer["batchItemFailures"][0]["itemIdentifier"] == "the-message", "{answer}");
    let page = stack.page_with(&browser, "Your membership could not be checked", 10).await?;
    ensure!(page.texts("main").concat().contains("Log out and in again"), "{}", page.text);

    stack.mend("pat21").await?;
    let (browser, _) = stack.sign_in("pat21").await?;
    stack.page_with(&browser, "pat21@ubuntu.com now forwards to", PATIENCE).await?;
    Ok(())
}

/// Shows a message to a function as its queue does for the so manieth time.
fn shown(stack: &Stack, function: &str, message: &VerifyMember, receives: &str) -> Result<Value> {
    let record = json!({
        "messageId": "the-message", "receiptHandle": "none", "body": serde_json::to_string(message)?,
        "attributes": { "ApproximateReceiveCount": receives, "SentTimestamp": "1795514400000" },
        "messageAttributes": {}, "eventSource": "aws:sqs",
    });
    let (payload, answer) = (json!({ "Records": [record] }).to_string(), tempfile::NamedTempFile::new()?);
    let path = answer.path().to_str().context("an odd path")?;
    stack.cli(&["lambda", "invoke", "--function-name", function, "--payload", &payload, path])?;
    Ok(serde_json::from_slice(&std::fs::read(path)?)?)
}
