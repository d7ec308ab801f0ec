//! Admins make a dry run, inspect a held plan and release it; the second admin sees that it is done.

use anyhow::{Context, Result, ensure};
use jiff::SignedDuration;
use membermail_core::admin::Permission;
use membermail_core::alias::{Alias, ExpectedVersion, Reason, Status};
use membermail_core::audit::{Actor, Change, RunChange};
use membermail_core::clock::{Clock, SystemClock, later};
use membermail_core::guard::HoldReason;
use membermail_core::lifecycle::{Action, ChangeKind, Step};
use membermail_core::member;
use membermail_core::plan::Counts;
use membermail_core::random::OsRandom;
use membermail_store::{Run, RunState};
use membermail_tests::stack::Stack;
use membermail_tests::wait::TIMEOUT;
use serde_json::json;

use super::{Desk, TEAM, new_admin};

const DOMAIN: &str = "ubuntu.com";
const LEAVERS: [&str; 2] = ["plan-leaver-1", "plan-leaver-2"];
const COMMENT: &str = "They left, says the council.";

/// A run that was held, as a sync leaves it. A sync itself would count what other tests change in the domain.
async fn held_run(stack: &Stack, leavers: &[Alias]) -> Result<Run> {
    let now = SystemClock.now();
    let until = later(now, SignedDuration::from_hours(14 * 24));
    let steps = leavers.iter().map(|alias| Step {
        address: alias.address.clone(),
        member: alias.member,
        expected: ExpectedVersion::At(alias.version),
        known_as: Some(alias.known_as.clone()),
        action: Action::Leave { reason: Reason::NotInTeam, until },
    });
    let leave = leavers.len() as u64;
    let bound = HoldReason::Bound { kind: ChangeKind::Removals, count: 7, earlier: 5, of: 20, among: Status::Active };
    let run = Run {
        state: RunState::Held,
        finished: Some(now),
        counts: Some(Counts { participants: 18, active: 20, leave, removed: leave, ..Counts::default() }),
        held_for: vec![bound],
        ..Run::new(member::ulid(now, &OsRandom), &DOMAIN.parse()?, now, "a-test")
    };
    let store = stack.store().await;
    store.save_steps(&run, &steps.collect::<Vec<_>>()).await?;
    store.finish_run(&run, None).await?;
    Ok(run)
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn admin_releases_held_plan() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let decider = new_admin(&stack, "plan-admin", &[DOMAIN], &[Permission::Decide]).await?;
    new_admin(&stack, "plan-second", &[DOMAIN], &[Permission::Decide]).await?;
    let mut leavers = Vec::new();
    for name in LEAVERS {
        stack.resident(DOMAIN, TEAM, name).await?;
        leavers.push(stack.existing_alias(&format!("{name}@{DOMAIN}")).await?);
        stack.change_person(name, json!({ "leave": [TEAM] })).await?;
    }
    let held = held_run(&stack, &leavers).await?;
    let page = format!("domains/{DOMAIN}/plans/{}", held.id);

    let desk = Desk::start(&stack, "plan-admin").await?;
    desk.open(&format!("domains/{DOMAIN}/plans")).await?;
    desk.shows("Held: needs a decision").await?;
    desk.inspect("plans").await?;
    desk.press("form[action$='/plans/dry-run'] button").await?;
    // No script runs: the page refreshes itself.
    desk.screen.shows("The dry run ended on", TIMEOUT).await?;
    desk.shows("People in the team").await?;
    desk.inspect("dry-run").await?;

    desk.open(&page).await?;
    for text in
        ["Too many removals within 24 hours", "plan-leaver-2@ubuntu.com (plan-leaver-2)", "No longer in the team."]
    {
        desk.shows(text).await?;
    }
    desk.inspect("held-plan").await?;
    desk.press("main a[href$='/release']").await?;
    desk.shows("Changes of this plan that are still right are applied").await?;
    desk.inspect("release").await?;

    // Another admin is about to reject it.
    let second = Desk::start(&stack, "plan-second").await?;
    second.open(&format!("{page}/reject")).await?;
    second.shows("No address changes.").await?;

    desk.enter("#comment", COMMENT).await?;
    desk.press("form[action$='/release'] button").await?;
    desk.shows("Released by plan-admin on").await?;
    desk.shows(COMMENT).await?;
    second.press("form[action$='/reject'] button").await?;
    second.shows("It is already decided, so nothing was done now.").await?;
    second.shows("Released by plan-admin on").await?;
    for screen in [&desk.screen, &second.screen] {
        screen.shows("Each address that is still as it was planned changes within minutes.", TIMEOUT).await?;
    }
    // Its address did not change when it refreshed itself.
    second.shows("It is already decided, so nothing was done now.").await?;
    second.inspect("decided-before").await?;

    for name in LEAVERS {
        stack.wait_for_alias(&format!("{name}@{DOMAIN}"), Status::Leaving, Reason::NotInTeam).await?;
    }
    let decider = decider.to_string();
    let month = held.started.strftime("%Y-%m").to_string();
    let entries = stack.store().await.audit(Some(&held.domain), &month).await?;
    let decisions: Vec<_> = entries
        .iter()
        .filter(
            |entry| matches!(&entry.change, Change::Run { run, did, .. } if *run == held.id && *did != RunChange::Held),
        )
        .collect();
    let [entry] = &decisions[..] else { anyhow::bail!("{decisions:?}") };
    ensure!((entry.actor, entry.by.as_deref()) == (Actor::Admin, Some(decider.as_str())), "{entry:?}");
    ensure!(entry.comment.as_ref().context("no comment")?.as_str() == COMMENT, "{entry:?}");
    Ok(())
}
