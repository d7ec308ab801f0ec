//! Many sign-ins of one member.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use membermail_core::member::MemberId;
use membermail_tests::stack::Stack;
use membermail_tests::wait::{TIMEOUT, until_true};
use tokio::time::Instant;

use super::resident;

/// The number of look-ups of a member so far.
fn lookups(stack: &Stack, member: MemberId) -> Result<usize> {
    let checked = format!("member {member} checked");
    Ok(stack.log_of("VerifyMember")?.iter().filter(|line| line["message"] == checked.as_str()).count())
}

/// Single-flight: twenty sign-ins in a row cause one or two lookups.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn twenty_sign_ins_cause_two_lookups() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let first = resident(&stack, "id-often").await?;
    let member = stack.member_of(&first).await?;
    let before = lookups(&stack, member)?;
    let begin = Instant::now();
    let mut last = first;
    for _ in 0..20 {
        last = stack.sign_in("id-often").await?;
    }
    let took = begin.elapsed();
    stack.page_with(&last, "You are a verified member of Ubuntu").await?;
    // Wait for the outcome of the last request.
    until_true("the last request to have its outcome", TIMEOUT, async || {
        let check = stack.store().await.member(member).await?.context("no member")?.check;
        Ok(check.checked_at.is_some_and(|at| at >= check.requested_at))
    })
    .await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let lookups = lookups(&stack, member)? - before;
    // One immediately and one for all later requests; a busy machine can be slower than the pause between two.
    let most = 2 + usize::try_from(took.as_secs() / 10)?;
    ensure!((1..=most).contains(&lookups), "{lookups} look-ups in {took:?}");
    Ok(())
}
