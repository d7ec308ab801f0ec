//! Launchpad outages: the page says so, no check is lost, and the page says when the queue gives up.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use membermail_core::eligibility::CheckState;
use membermail_core::message::VerifyMember;
use membermail_tests::stack::Stack;
use membermail_tests::wait::until_true;
use serde_json::{Value, json};
use tokio::time::Instant;

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn launchpad_outage_delays_the_check() -> Result<()> {
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
        stack.set_fault(name, fault.clone()).await?;
        browsers.push(stack.sign_in(name).await?);
    }
    for ((name, fault), browser) in faults.iter().zip(&browsers) {
        let page = stack.page_within(browser, "Launchpad is not answering", 150).await;
        page.with_context(|| format!("{name} under {fault}"))?;
        ensure!(stack.alias(&format!("{name}@ubuntu.com")).await?.is_none(), "{name} under {fault}");
        stack.clear_fault(name).await?;
    }
    for ((name, _), browser) in faults.iter().zip(&browsers) {
        stack.page_within(browser, &format!("{name}@ubuntu.com now forwards to"), 180).await?;
        ensure!(stack.audit_of(&format!("{name}@ubuntu.com")).await?.len() == 1);
    }
    Ok(())
}

/// `Retry-After: 900` of a timeout is a constant, and the next request mostly succeeds (launchpad.md, 6).
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn one_launchpad_timeout_is_retried() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.set_fault("pat20", json!({ "kind": "timeout", "count": 1 })).await?;
    let begin = Instant::now();
    stack.sign_in_at("ubuntu.com", "pat20").await?;
    ensure!(begin.elapsed() < Duration::from_secs(100), "it took {:?}", begin.elapsed());
    ensure!(stack.audit_of("pat20@ubuntu.com").await?.len() == 1);
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn failed_check_can_be_requested_again() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.set_fault("pat21", json!({ "kind": "timeout" })).await?;
    let browser = stack.sign_in_until("pat21", "Launchpad is not answering").await?;

    // The queue retries for a day, so the test invokes the function with the last receive of the message.
    let member = stack.member_of(&browser).await?;
    let requested_at = stack.store().await.member(member).await?.context("no member")?.check.requested_at;
    let message =
        VerifyMember { member, identity: None, adds: None, requested_at, request_id: "the-last-try".to_owned() };
    let name = stack.physical_id("VerifyMember")?;
    let settings = stack.function_configuration(&name)?;
    let tries = settings["Environment"]["Variables"]["VERIFY_QUEUE_TRIES"].as_str().context("no tries")?.to_owned();
    // Another retry of the real message can hold the in-flight lease just then.
    until_true("the last try to fail", 60, async || {
        let answer = deliver(&stack, &name, &message, &tries)?;
        ensure!(answer["batchItemFailures"][0]["itemIdentifier"] == "the-message", "{answer}");
        let check = stack.store().await.member(member).await?.context("no member")?.check;
        Ok(check.state == CheckState::GivenUp)
    })
    .await?;
    stack.clear_fault("pat21").await?;
    let page = stack.page_within(&browser, "We could not check your membership", 10).await?;
    ensure!(page.attribute("form[action$='/check']", "method").is_some(), "{}", page.text);
    stack.check_again(&browser).await?;
    stack.page_with(&browser, "pat21@ubuntu.com now forwards to").await?;
    Ok(())
}

/// Invokes a function with a message that its queue has delivered `receives` times.
fn deliver(stack: &Stack, function: &str, message: &VerifyMember, receives: &str) -> Result<Value> {
    let record = json!({
        "messageId": "the-message", "receiptHandle": "none", "body": serde_json::to_string(message)?,
        "attributes": { "ApproximateReceiveCount": receives, "SentTimestamp": "1795514400000" },
        "messageAttributes": {}, "eventSource": "aws:sqs",
    });
    Ok(stack.invoke(function, &json!({ "Records": [record] }))?.0)
}
