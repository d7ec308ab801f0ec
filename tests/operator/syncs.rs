//! Syncs: plan, run, hold, release and reject.
//!
//! All at ubuntu.net, where no other test requests syncs, because a domain has one run at a time. Another test verifies and
//! unverifies that domain, so that only our own members are checked.

use anyhow::{Context, Result, bail, ensure};
use membermail_core::alias::{Reason, Status};
use membermail_tests::stack::Stack;
use membermail_tests::syncs::full_sync;
use serde_json::{Value, json};

use crate::command::{CommandOutput, membermail, membermail_json};
use crate::queues::letter_with_body;
use crate::{audit, state, until_output};

const MEMBERS: [&str; 7] = ["op-one", "op-two", "op-three", "op-four", "op-five", "op-six", "op-seven"];
const DOMAIN: &str = "ubuntu.net";
const TEAM: &str = "ubuntu-smtp-test";

async fn sync(stack: &Stack, arguments: &[&str]) -> Result<CommandOutput> {
    membermail(stack, &[&["sync"], arguments, &["--as", "kim", "--json"]].concat()).await
}

/// The single run of `sync run --wait`.
fn single_run(output: &CommandOutput) -> Result<Value> {
    let runs = output.json()?;
    ensure!(runs["runs"].as_array().is_some_and(|runs| runs.len() == 1), "{runs}");
    Ok(runs["runs"][0].clone())
}

fn id(run: &Value) -> Result<String> {
    Ok(run["id"].as_str().context("a run without an id")?.to_owned())
}

async fn becomes(stack: &Stack, address: &str, status: &str) -> Result<()> {
    until_output(stack, &["alias", "show", address], |alias| alias["status"] == status).await.map(drop)
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn held_run_is_rejected_or_released() -> Result<()> {
    let stack = Stack::of_this_run()?;
    for name in MEMBERS {
        stack.add_person(json!({ "name": name, "teams": [TEAM] })).await?;
        resident(&stack, name).await?;
    }
    let nothing = sync(&stack, &["plan", DOMAIN]).await?.succeeds()?.json()?;
    ensure!(nothing["counts"]["unchanged"].as_u64() >= Some(7) && nothing["held"] == false, "{nothing}");
    let unchanged = single_run(&sync(&stack, &["run", DOMAIN, "--wait"]).await?.succeeds()?)?;
    ensure!(unchanged["counts"]["removed"] == 0 && unchanged["counts"]["restore"] == 0, "{unchanged}");

    // The next sync restores the address after a ban was lifted.
    let seventh = format!("{}@{DOMAIN}", MEMBERS[6]);
    membermail(&stack, &["member", "ban", MEMBERS[6], "--as", "kim"]).await?.succeeds()?;
    membermail(&stack, &["member", "unban", MEMBERS[6], "--as", "kim"]).await?.succeeds()?;
    ensure!(state(&stack, &seventh).await? == (Status::Suspended, Reason::BanLifted));
    let applied = single_run(&sync(&stack, &["run", DOMAIN, "--wait"]).await?.succeeds()?)?;
    ensure!(applied["state"] == "applied" && applied["counts"]["restore"] == 1, "{applied}");
    becomes(&stack, &seventh, "active").await?;

    // Six removals of seven exceed the limits.
    for name in &MEMBERS[..6] {
        stack.change_person(name, json!({ "leave": [TEAM] })).await?;
    }
    let plan = membermail(&stack, &["sync", "plan", DOMAIN]).await?.exits_with(4)?;
    let ours = plan.out.lines().filter(|line| line.trim_start().starts_with("~ op-"));
    ensure!(ours.filter(|line| line.contains("  leaving, ends ")).count() == 6, "{}", plan.out);
    plan.contains_output("6 leaving")?;
    ensure!(plan.err.contains("6 removals within 24 hours"), "{}", plan.err);
    ensure!(sync(&stack, &["plan", DOMAIN]).await?.exits_with(4)?.json()?["counts"]["leave"] == 6);
    let held = single_run(&sync(&stack, &["run", DOMAIN, "--wait"]).await?.exits_with(4)?)?;
    ensure!(held["state"] == "held", "{held}");
    let shown = sync(&stack, &["show", &id(&held)?]).await?.succeeds()?.json()?;
    ensure!(shown["steps"].as_array().is_some_and(|steps| steps.len() >= 6), "{shown}");

    let decision = sync(&stack, &["reject", &id(&held)?]).await?.succeeds()?.json()?;
    ensure!(decision["did"] == "rejected" && decision["run"] == held["id"], "{decision}");
    let refused = sync(&stack, &["release", &id(&held)?]).await?.exits_with(4)?;
    ensure!(refused.err.contains("rejected by kim"), "{}", refused.err);
    let waiting = single_run(&sync(&stack, &["run", DOMAIN, "--wait"]).await?.exits_with(4)?)?;
    ensure!(waiting["state"] == "waiting", "{waiting}");
    ensure!(state(&stack, &format!("{}@{DOMAIN}", MEMBERS[0])).await? == (Status::Active, Reason::Eligible));

    // A different plan is held again, and released.
    stack.change_person(MEMBERS[6], json!({ "leave": [TEAM] })).await?;
    let held = single_run(&sync(&stack, &["run", DOMAIN, "--wait"]).await?.exits_with(4)?)?;
    let decision = sync(&stack, &["release", &id(&held)?, "--wait"]).await?.succeeds()?.json()?;
    ensure!(decision["did"] == "released" && decision["run"] == held["id"], "{decision}");
    for name in MEMBERS {
        becomes(&stack, &format!("{name}@{DOMAIN}"), "leaving").await?;
    }
    let mut runs = audit(&stack, &["--domain", DOMAIN]).await?;
    runs.retain(|entry| entry["subject"] == "run");
    ensure!(runs.iter().map(|entry| &entry["did"]).eq(["held", "rejected", "held", "released"]), "{runs:?}");
    ensure!(runs[1]["by"] == "kim" && runs[3]["by"] == "kim", "{runs:?}");

    let list = membermail(&stack, &["sync", "runs", DOMAIN]).await?.succeeds()?;
    list.contains_output("7 leaving")?;
    list.contains_output("rejected")?;
    for name in MEMBERS {
        stack.change_person(name, json!({ "join": [TEAM] })).await?;
    }
    single_run(&sync(&stack, &["run", DOMAIN, "--wait"]).await?.succeeds()?)?;
    becomes(&stack, &seventh, "active").await?;
    redrive_runs_sync(&stack).await
}

/// A redriven message starts its sync.
async fn redrive_runs_sync(stack: &Stack) -> Result<()> {
    let request_id = format!("redriven-{}", std::process::id());
    let message = full_sync(DOMAIN, &request_id)?;
    let list = membermail_json(stack, &["queue", "list"]).await?;
    let queues = list["queues"].as_array().context("no list")?;
    let dead =
        queues.iter().find(|one| one["name"] == "sync").and_then(|one| one["url"].as_str()).context("no queue")?;
    stack.send(dead, &message).await?;
    let body = serde_json::to_string(&message)?;
    ensure!(letter_with_body(stack, "sync", &body).await?.is_some(), "the dead letter is not shown");
    let back = membermail_json(stack, &["queue", "redrive", "sync"]).await?;
    ensure!(back["moved"].as_u64() >= Some(1), "{back}");
    until_output(stack, &["sync", "runs", DOMAIN], |runs| {
        runs["runs"].as_array().is_some_and(|runs| runs.iter().any(|run| run["request_id"] == request_id.as_str()))
    })
    .await?;
    ensure!(letter_with_body(stack, "sync", &body).await?.is_none(), "the dead letter is still in its queue");
    Ok(())
}

/// Signs a member in until they have an address. Another test can unverify the domain in the meantime.
async fn resident(stack: &Stack, name: &str) -> Result<()> {
    for _ in 0..10 {
        let browser = stack.sign_in(name).await?;
        if stack.page_within(&browser, &format!("{name}@{DOMAIN} now forwards to"), 20).await.is_ok() {
            return Ok(());
        }
    }
    bail!("{name} gets no address")
}
