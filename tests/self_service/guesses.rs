//! Codes that are guessed, entered in a session from before a ban, or entered many times at once.

use anyhow::{Context, Result, ensure};
use membermail_core::audit::{Change, DestinationChange, Entry};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::destination::MAX_ATTEMPTS;
use membermail_core::random::OsRandom;
use membermail_tests::stack::Stack;
use membermail_tests::table::operator;

use super::{Visitor, code_in, wrong};

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn guessed_codes_use_up_attempts() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let member = Visitor::resident(&stack, "ss-guesser").await?;
    let (id, mail) = member.request_code("ss-guessed@mail.example", "none").await?;
    let code = code_in(&mail)?;
    // What cannot be a code is no guess.
    member.is_refused("confirm", &[("destination", &id), ("code", "12345")], 422, "was not counted").await?;
    let guess = [("destination", id.as_str()), ("code", wrong(&code))];
    for left in (0..MAX_ATTEMPTS).rev() {
        let words = match left {
            0 => "That was the last attempt".to_owned(),
            1 => "You have one attempt left".to_owned(),
            left => format!("You have {left} attempts left"),
        };
        member.is_refused("confirm", &guess, 422, &words).await?;
    }
    let right = [("destination", id.as_str()), ("code", code.as_str())];
    member.is_refused("confirm", &right, 422, "Please request a new one").await?;
    ensure!(member.mailbox(&id).await? == (false, MAX_ATTEMPTS), "{:?}", member.mailbox(&id).await?);
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn session_before_ban_confirms_nothing() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let member = Visitor::resident(&stack, "ss-banned").await?;
    let (id, mail) = member.request_code("ss-banned-office@mail.example", "none").await?;
    let code = code_in(&mail)?;
    let fields = [("destination", id.as_str()), ("code", code.as_str())];
    let store = stack.store().await;
    store.ban(member.member, operator(SystemClock.now()), &OsRandom).await?;
    // The answer is the same as for no session: it leads to the start page.
    member.changes("confirm", &fields).await?;
    ensure!(!member.is_signed_in().await? && member.mailbox(&id).await? == (false, 0), "confirmed while banned");
    store.unban(member.member, operator(SystemClock.now()), &OsRandom).await?;
    member.changes("confirm", &fields).await?;
    ensure!(!member.is_signed_in().await? && member.mailbox(&id).await? == (false, 0), "confirmed by an old session");
    // The code ended with the sessions, also for the new one.
    let again = Visitor::sign_in(&stack, "ss-banned").await?;
    again.is_refused("confirm", &fields, 422, "Please request a new one").await?;
    ensure!(member.mailbox(&id).await? == (false, 0), "confirmed by an old code");
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn concurrent_confirmations_have_one_effect() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let begin = SystemClock.now();
    let member = Visitor::resident(&stack, "ss-hasty").await?;
    let (id, mail) = member.request_code("ss-hasty-office@mail.example", "all").await?;
    let code = code_in(&mail)?;
    let clicks: Vec<_> = (0..10)
        .map(|_| {
            let (member, id, code) = (member.clone(), id.clone(), code.clone());
            tokio::spawn(async move { member.submit("confirm", &[("destination", &id), ("code", &code)]).await })
        })
        .collect();
    let mut confirmed = 0;
    for click in clicks {
        let page = click.await??;
        match page.status.as_u16() {
            303 => confirmed += 1,
            // Each click counts as an attempt before the first one is done, and there are five; or the others were faster.
            422 | 503 => {}
            other => anyhow::bail!("{other}: {}", page.text),
        }
    }
    ensure!(confirmed >= 1, "no click confirmed the mailbox");
    ensure!(member.mailbox(&id).await?.0, "the mailbox is not confirmed");
    let goes_to = stack.alias("ss-hasty@ubuntu.com").await?.context("no address")?.destinations;
    ensure!(goes_to.iter().map(ToString::to_string).eq([id.clone()]), "{goes_to:?}");

    let is_confirmation = |entry: &Entry| {
        let Change::Destination { destination, did: DestinationChange::Confirmed, .. } = &entry.change else {
            return false;
        };
        destination.to_string() == id
    };
    let store = stack.store().await;
    let mut entries = Vec::new();
    store.each_entry(&[None], begin, SystemClock.now(), is_confirmation, |entry| entries.push(entry)).await?;
    ensure!(entries.len() == 1, "{entries:?}");
    let history = store.history_of(member.member, 100).await?;
    ensure!(history.iter().filter(|entry| is_confirmation(entry)).count() == 1, "{history:?}");
    // The form once more, as after the back button.
    member.changes("confirm", &[("destination", &id), ("code", &code)]).await
}
