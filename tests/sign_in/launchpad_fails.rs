//! While Launchpad fails: the page says so, nothing is lost, and the page says when the queue has given up.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use membermail_core::message::VerifyMember;
use membermail_store::CheckState;
use membermail_tests::stack::Stack;
use membermail_tests::wait::until;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::PATIENCE;

#[tokio::test]
async fn while_launchpad_fails_the_page_says_so_and_nothing_is_lost() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let faults = [
        ("pat02", json!({ "kind": "timeout" })),
        ("pat16", json!({ "kind": "database-away" })),
        ("pat19", json!({ "kind": "front-end", "status": 502 })),
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
        ("pat18", json!({ "kind": "redacted", "field": "date_created" })),
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

/// `Retry-After: 900` of a timeout is a constant, and the next request mostly succeeds (launchpad.md, 6).
#[tokio::test]
async fn one_timeout_is_not_noticed() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.fault("pat20", json!({ "kind": "timeout", "count": 1 })).await?;
    let begin = Instant::now();
    let (browser, _) = stack.sign_in("pat20").await?;
    stack.page_with(&browser, "pat20@ubuntu.com now forwards to", PATIENCE).await?;
    ensure!(begin.elapsed() < Duration::from_secs(100), "it took {:?}", begin.elapsed());
    ensure!(stack.audit_of("pat20@ubuntu.com").await?.len() == 1);
    Ok(())
}

#[tokio::test]
async fn given_up_check_can_be_asked_again() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.fault("pat21", json!({ "kind": "timeout" })).await?;
    let (browser, _) = stack.sign_in("pat21").await?;
    stack.page_with(&browser, "Launchpad is not answering", PATIENCE).await?;

    // The queue retries for a day: the deployed function gets the message as the queue delivers it for the last time.
    let member = stack.member_of(&browser).await?;
    let requested_at = stack.store().await.member(member).await?.context("no member")?.check.requested_at;
    let message = VerifyMember { member, identity: None, requested_at, request_id: "the-last-try".to_owned() };
    let name = stack.physical_id("VerifyMember")?;
    let settings = stack.cli(&["lambda", "get-function-configuration", "--function-name", &name])?;
    let tries = settings["Environment"]["Variables"]["VERIFY_QUEUE_TRIES"].as_str().context("no tries")?.to_owned();
    // Another retry of the real message can hold the in-flight lease just then.
    until("the last try to fail", Duration::from_secs(60), async || {
        let answer = shown(&stack, &name, &message, &tries)?;
        ensure!(answer["batchItemFailures"][0]["itemIdentifier"] == "the-message", "{answer}");
        let check = stack.store().await.member(member).await?.context("no member")?.check;
        Ok((check.state == CheckState::GivenUp).then_some(()))
    })
    .await?;
    stack.mend("pat21").await?;
    let page = stack.page_with(&browser, "Your membership could not be checked", 10).await?;
    ensure!(page.attribute("form[action$='/check']", "method").is_some(), "{}", page.text);
    stack.check_again(&browser).await?;
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
