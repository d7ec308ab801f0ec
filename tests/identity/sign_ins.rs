//! Many sign-ins of one member.

use std::time::Duration;

use anyhow::{Result, ensure};
use membermail_tests::stack::Stack;
use membermail_tests::wait::until;
use tokio::time::Instant;

use crate::{PATIENCE, resident};

/// Single-flight: twenty sign-ins in a row come to one or two look-ups.
#[tokio::test]
async fn twenty_sign_ins_cause_two_lookups() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let first = resident(&stack, "id-often").await?;
    let member = stack.member_of(&first).await?;
    let checked = format!("member {member} checked");
    let lookups = || -> Result<usize> {
        let lines = stack.log_of("VerifyMember")?;
        Ok(lines.iter().filter(|line| line["message"] == checked.as_str()).count())
    };
    let (before, begin) = (lookups()?, Instant::now());
    let mut last = first;
    for _ in 0..20 {
        last = stack.sign_in("id-often").await?.0;
    }
    let took = begin.elapsed();
    stack.page_with(&last, "You are a verified member of Ubuntu", PATIENCE).await?;
    // Until the last request has its outcome, nothing is settled.
    until("the last request to have its outcome", Duration::from_secs(PATIENCE), async || {
        let member = stack.store().await.member(member).await?;
        let check = member.map(|member| member.check);
        Ok(check.filter(|check| check.checked_at.is_some_and(|at| at >= check.requested_at)).map(drop))
    })
    .await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let lookups = lookups()? - before;
    // One at once and one for all that came meanwhile; a busy machine can take longer than the pause between two.
    let most = 2 + usize::try_from(took.as_secs() / 10)?;
    ensure!((1..=most).contains(&lookups), "{lookups} look-ups in {took:?}");
    Ok(())
}
