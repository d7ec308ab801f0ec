//! A contributor keeps their address through everything that can happen to an account, and no right follows a name
//! (launchpad.md, section 3). All stories sync one domain, so that they take turns.

#[path = "identity/accounts.rs"]
mod accounts;
#[path = "identity/names.rs"]
mod names;
#[path = "identity/pages.rs"]
mod pages;
#[path = "identity/sign_ins.rs"]
mod sign_ins;
#[path = "identity/teams.rs"]
mod teams;

use anyhow::{Context, Result, bail, ensure};
use membermail_core::alias::{Alias, Status};
use membermail_store::{Run, RunState};
use membermail_tests::browser::Browser;
use membermail_tests::stack::Stack;
use serde_json::json;

const DOMAIN: &str = "edubuntu.org";
const TEAM: &str = "edubuntu-members";
/// Long enough for two functions to start on a busy machine.
const PATIENCE: u64 = 120;

/// Adds somebody to the team, signs them in, and waits for their address.
async fn resident(stack: &Stack, name: &str) -> Result<Browser> {
    stack.add(json!({ "name": name, "teams": [TEAM] })).await?;
    let (browser, _) = stack.sign_in(name).await?;
    stack.page_with(&browser, &format!("{name}@{DOMAIN} now forwards to"), PATIENCE).await?;
    Ok(browser)
}

async fn alias(stack: &Stack, local_part: &str) -> Result<Alias> {
    let stored = stack.alias(&format!("{local_part}@{DOMAIN}")).await?;
    Ok(stored.with_context(|| format!("no address {local_part}"))?.alias)
}

/// Syncs the domain; the run has to come to its end. The stories together end more addresses within a day than the guard
/// lets pass: an operator releases the runs that are held.
async fn sync(stack: &Stack) -> Result<Run> {
    let run = stack.sync(DOMAIN).await?;
    match run.state {
        RunState::Applied | RunState::Unchanged => Ok(run),
        RunState::Held => stack.release(DOMAIN, run.id).await,
        RunState::Waiting => stack.release(DOMAIN, run.waits_for.context("it waits for no run")?).await,
        _ => bail!("{run:?}"),
    }
}

/// Syncs until the rolling check has had everybody twice, and expects these addresses to stay as they are.
async fn keeps(stack: &Stack, local_parts: &[&str]) -> Result<()> {
    let mut before = Vec::new();
    for local_part in local_parts {
        before.push(alias(stack, local_part).await?);
    }
    for _ in 0..2 {
        sync(stack).await?;
    }
    for (local_part, before) in local_parts.iter().zip(before) {
        let after = alias(stack, local_part).await?;
        ensure!(after.status == Status::Active, "{after:?}");
        ensure!((after.member, after.version) == (before.member, before.version), "{before:?} became {after:?}");
    }
    Ok(())
}
