//! Syncs by command: looked at before they are done, asked for, held, released and rejected.
//!
//! All at ubuntu.net, where nobody else here asks for syncs: a domain has one run at a time. One other story opens and
//! shuts that domain, so that only our own people count.

use anyhow::{Context, Result, bail, ensure};
use membermail_core::message::SyncTeam;
use membermail_tests::stack::Stack;
use serde_json::{Value, json};

use crate::command::{Said, membermail};
use crate::{is, state, until_said};

const MEMBERS: [&str; 7] = ["op-one", "op-two", "op-three", "op-four", "op-five", "op-six", "op-seven"];
const DOMAIN: &str = "ubuntu.net";
const TEAM: &str = "ubuntu-smtp-test";

async fn sync(stack: &Stack, arguments: &[&str]) -> Result<Said> {
    membermail(stack, &[&["sync"], arguments, &["--as", "kim", "--json"]].concat()).await
}

/// The one run that a `sync run --wait` came to.
fn the_run(said: &Said) -> Result<Value> {
    let runs = said.json()?;
    ensure!(runs["runs"].as_array().is_some_and(|runs| runs.len() == 1), "{runs}");
    Ok(runs["runs"][0].clone())
}

fn id(run: &Value) -> Result<String> {
    Ok(run["id"].as_str().context("a run without an id")?.to_owned())
}

async fn becomes(stack: &Stack, address: &str, status: &str) -> Result<()> {
    until_said(stack, &["alias", "show", address, "--json"], |alias| alias["status"] == status).await.map(drop)
}

#[tokio::test]
async fn a_sync_is_looked_at_asked_for_held_and_decided_on() -> Result<()> {
    let stack = Stack::of_this_run()?;
    for name in MEMBERS {
        stack.add(json!({ "name": name, "teams": [TEAM] })).await?;
        resident(&stack, name).await?;
    }
    let nothing = sync(&stack, &["plan", DOMAIN]).await?.done()?.json()?;
    ensure!(nothing["counts"]["unchanged"].as_u64() >= Some(7) && nothing["held"] == false, "{nothing}");
    let unchanged = the_run(&sync(&stack, &["run", DOMAIN, "--wait"]).await?.done()?)?;
    ensure!(unchanged["counts"]["taken"] == 0 && unchanged["counts"]["restore"] == 0, "{unchanged}");

    // A member who was banned by mistake has the address back by the next sync.
    let seventh = format!("{}@{DOMAIN}", MEMBERS[6]);
    membermail(&stack, &["member", "ban", MEMBERS[6], "--as", "kim"]).await?.done()?;
    membermail(&stack, &["member", "unban", MEMBERS[6], "--as", "kim"]).await?.done()?;
    ensure!(state(&stack, &seventh).await? == is("suspended", "ban-lifted"));
    let applied = the_run(&sync(&stack, &["run", DOMAIN, "--wait"]).await?.done()?)?;
    ensure!(applied["state"] == "applied" && applied["counts"]["restore"] == 1, "{applied}");
    becomes(&stack, &seventh, "active").await?;

    // Six of seven gone is more than the rules let pass.
    for name in &MEMBERS[..6] {
        stack.change(name, json!({ "leave": [TEAM] })).await?;
    }
    let plan = membermail(&stack, &["sync", "plan", DOMAIN]).await?.ended_with(4)?;
    let leaving = |line: &str| line.trim_start().starts_with("~ op-") && line.contains("  leaving, ends ");
    ensure!(plan.out.lines().filter(|line| leaving(line)).count() == 6, "{}", plan.out);
    ensure!(
        plan.out.contains("6 leaving") && plan.err.contains("6 removals within 24 hours"),
        "{} {}",
        plan.out,
        plan.err
    );
    ensure!(sync(&stack, &["plan", DOMAIN]).await?.ended_with(4)?.json()?["counts"]["leave"] == 6);
    let held = the_run(&sync(&stack, &["run", DOMAIN, "--wait"]).await?.ended_with(4)?)?;
    ensure!(held["state"] == "held", "{held}");
    let shown = sync(&stack, &["show", &id(&held)?]).await?.done()?.json()?;
    ensure!(shown["steps"].as_array().is_some_and(|steps| steps.len() >= 6), "{shown}");

    let decision = sync(&stack, &["reject", &id(&held)?]).await?.done()?.json()?;
    ensure!(decision["did"] == "rejected" && decision["run"] == held["id"], "{decision}");
    let refused = sync(&stack, &["release", &id(&held)?]).await?.ended_with(4)?;
    ensure!(refused.err.contains("rejected by kim"), "{}", refused.err);
    let waiting = the_run(&sync(&stack, &["run", DOMAIN, "--wait"]).await?.ended_with(4)?)?;
    ensure!(waiting["state"] == "waiting", "{waiting}");
    ensure!(state(&stack, &format!("{}@{DOMAIN}", MEMBERS[0])).await? == is("active", "eligible"));

    // Another plan is another question; this time the answer is yes.
    stack.change(MEMBERS[6], json!({ "leave": [TEAM] })).await?;
    let held = the_run(&sync(&stack, &["run", DOMAIN, "--wait"]).await?.ended_with(4)?)?;
    let decision = sync(&stack, &["release", &id(&held)?, "--wait"]).await?.done()?.json()?;
    ensure!(decision["did"] == "released" && decision["run"] == held["id"], "{decision}");
    for name in MEMBERS {
        becomes(&stack, &format!("{name}@{DOMAIN}"), "leaving").await?;
    }
    let entries = membermail(&stack, &["audit", "--domain", DOMAIN, "--json"]).await?.done()?;
    let runs: Vec<Value> = entries.out.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let decided: Vec<_> =
        runs.iter().filter(|entry| entry["subject"] == "run").map(|entry| (&entry["did"], &entry["by"])).collect();
    let words: Vec<_> = decided.iter().map(|(did, _)| did.as_str().unwrap_or_default()).collect();
    ensure!(words == ["held", "rejected", "held", "released"], "{words:?}");
    ensure!(decided[1].1 == "kim" && decided[3].1 == "kim", "{decided:?}");

    let list = membermail(&stack, &["sync", "runs", DOMAIN]).await?.done()?;
    ensure!(list.out.contains("7 leaving") && list.out.contains("rejected"), "{}", list.out);
    for name in MEMBERS {
        stack.change(name, json!({ "join": [TEAM] })).await?;
    }
    the_run(&sync(&stack, &["run", DOMAIN, "--wait"]).await?.done()?)?;
    becomes(&stack, &seventh, "active").await?;
    redriven(&stack).await
}

/// What failed for a reason that is gone is done after a redrive.
async fn redriven(stack: &Stack) -> Result<()> {
    let request_id = format!("redriven-{}", std::process::id());
    let domain = DOMAIN.parse()?;
    let message = SyncTeam { domain, release: None, full: true, requested_at: None, request_id: request_id.clone() };
    let list = membermail(stack, &["queue", "list", "--json"]).await?.done()?.json()?;
    let queues = list["queues"].as_array().context("no list")?;
    let dead =
        queues.iter().find(|one| one["name"] == "sync").and_then(|one| one["url"].as_str()).context("no queue")?;
    stack.send(dead, &message).await?;
    let body = serde_json::to_string(&message)?;
    let is_dead = async || -> Result<bool> {
        let shown = membermail(stack, &["queue", "show", "sync", "--json"]).await?.done()?.json()?;
        Ok(shown["messages"].as_array().is_some_and(|all| all.iter().any(|letter| letter["body"] == body.as_str())))
    };
    ensure!(is_dead().await?, "it is not shown");
    let back = membermail(stack, &["queue", "redrive", "sync", "--json"]).await?.done()?.json()?;
    ensure!(back["moved"].as_u64() >= Some(1), "{back}");
    until_said(stack, &["sync", "runs", DOMAIN, "--json"], |runs| {
        runs["runs"].as_array().is_some_and(|runs| runs.iter().any(|run| run["request_id"] == request_id.as_str()))
    })
    .await?;
    ensure!(!is_dead().await?, "it is still among the dead");
    Ok(())
}

/// Signs somebody in until they have their address: the domain may be shut just then.
async fn resident(stack: &Stack, name: &str) -> Result<()> {
    for _ in 0..10 {
        let (browser, _) = stack.sign_in(name).await?;
        if stack.page_with(&browser, &format!("{name}@{DOMAIN} now forwards to"), 20).await.is_ok() {
            return Ok(());
        }
    }
    bail!("{name} gets no address")
}
