//! A contributor keeps their address through every change of their account, and no right follows a name (launchpad.md,
//! section 3). All tests sync one domain, so they run one at a time.

mod accounts;
mod names;
mod pages;
mod sign_ins;
mod teams;

use anyhow::{Context, Result, bail, ensure};
use membermail_core::alias::{Alias, Status};
use membermail_store::{Run, RunState};
use membermail_tests::browser::Browser;
use membermail_tests::stack::Stack;

const DOMAIN: &str = "edubuntu.org";
const TEAM: &str = "edubuntu-members";

/// Adds a person to the team, signs them in, and waits for their address.
async fn resident(stack: &Stack, name: &str) -> Result<Browser> {
    stack.resident(DOMAIN, TEAM, name).await
}

async fn alias(stack: &Stack, local_part: &str) -> Result<Alias> {
    stack.existing_alias(&format!("{local_part}@{DOMAIN}")).await
}

/// Syncs the domain and waits for the end of the run. Together, the tests end more addresses within a day than the guard
/// allows, so held runs are released as an operator would.
async fn sync(stack: &Stack) -> Result<Run> {
    let run = stack.sync(DOMAIN).await?;
    match run.state {
        RunState::Applied | RunState::Unchanged => Ok(run),
        RunState::Held => stack.release(DOMAIN, run.id).await,
        RunState::Waiting => stack.release(DOMAIN, run.waits_for.context("it waits for no run")?).await,
        _ => bail!("{run:?}"),
    }
}

/// Syncs until the rolling check has covered all members twice, and expects these addresses to stay as they are.
async fn expect_unchanged(stack: &Stack, local_parts: &[&str]) -> Result<()> {
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
