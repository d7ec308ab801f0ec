//! Mail to an address with several destinations, and to one that takes no mail now.

use anyhow::{Context, Result, bail, ensure};
use membermail_core::clock::{Clock, SystemClock, earlier};
use membermail_core::destination::{DestinationId, UNCONFIRMED_GRACE};
use membermail_core::email::EmailAddress;
use membermail_core::random::OsRandom;
use membermail_postfix::smtp::SmtpReply;
use membermail_store::{Choice, Confirmed, Proof, Redirected, Requested, Switched};
use membermail_tests::browser::Browser;
use membermail_tests::mail::{SENDER, mail};
use membermail_tests::stack::Stack;
use membermail_tests::table::{address, operator, text};
use membermail_tests::wait::{TIMEOUT, until};

use super::{host, member, refused};

/// Adds a destination to the member of an address, confirms it with its code, and lets the address forward to it as well.
pub(super) async fn add_destination(stack: &Stack, alias: &str, destination: &str) -> Result<DestinationId> {
    let store = stack.store().await;
    let sealer = stack.sealer().await?;
    let stored = stack.alias(alias).await?.context("no alias")?;
    let member = store.member(stored.alias.member).await?.context("no member")?;
    let destination = EmailAddress::parse(destination)?;
    let cause = operator(SystemClock.now());
    let added = store.add_destination(&sealer, &member, (&destination, false), cause, &OsRandom).await?;
    let Requested::Sent { id, .. } = added else { bail!("{added:?}") };
    let pending = store.destination(member.id, id).await?.and_then(|stored| stored.destination.pending);
    let pending = pending.context("no pending confirmation")?;
    let proof = Proof::Mailbox { member: member.id, destination: id, pending: &pending, address: &destination };
    let code = sealer.code(proof)?;
    let confirmed = store.confirm_destination(&sealer, &member, (id, Some(&code)), cause, &OsRandom).await?;
    ensure!(matches!(confirmed, Confirmed::Done { .. }), "{confirmed:?}");
    let destinations = [stored.destinations, vec![id]].concat();
    let choice = Choice { address: &address(alias)?, seen: None, destinations: &destinations };
    let redirected = store.redirect(&sealer, &member, choice, cause, &OsRandom).await?;
    ensure!(matches!(redirected, Redirected::Done { .. }), "{redirected:?}");
    Ok(id)
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn mail_reaches_both_destinations() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "two-destinations", "takes-tags = [\"tags.example\"]").await?;
    let home = member(&stack, "pat42").await?;
    add_destination(&stack, "pat42@ubuntu.com", "office@tags.example").await?;
    let tagged = "pat42+news@ubuntu.com";
    host.accept(Some(SENDER), tagged, &mail(tagged, "to both")).await?;
    let mailbox = &host.rig.sink.mailbox;
    for destination in [&*home, "office+news@tags.example"] {
        let arrived = mailbox.wait_for(destination, 1, 30).await?;
        ensure!(arrived[0].subject() == "to both", "{arrived:?}");
        // No header field tells one mailbox of the other one.
        let raw = String::from_utf8_lossy(&arrived[0].raw);
        ensure!(!raw.contains("tags.example") && !raw.contains("pat42@mail.example"), "{raw}");
    }
    host.wait_for_empty_queue(10).await?;
    let copies: usize = mailbox.all()?.iter().map(|mail| mail.recipients.len()).sum();
    ensure!(copies == 2, "{copies} copies");
    Ok(())
}

fn deferred(said: &SmtpReply) -> bool {
    matches!(said, SmtpReply::Deferred(words) if words.contains("4.2.1") && words.contains("cannot take mail just now"))
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn paused_address_refuses_mail() -> Result<()> {
    let stack = Stack::of_this_run()?;
    // Nothing stays in the cache.
    let host = host(&stack, "paused", "hits = \"0s\"\nmisses = \"0s\"").await?;
    member(&stack, "pat43").await?;
    let paused = "pat43@ubuntu.com";
    let store = stack.store().await;
    let member = store.member(stack.owner_of(paused).await?).await?.context("no member")?;
    for (is_permanent, number) in [(Some(false), 0), (Some(true), 1), (None, 2)] {
        let cause = operator(SystemClock.now());
        let switched = store.pause_alias(&member, &address(paused)?, is_permanent, cause, &OsRandom).await?;
        ensure!(matches!(switched, Switched::Done { .. }), "{switched:?}");
        let said = host.send(paused, &format!("paused {number}")).await?;
        let is_expected = match is_permanent {
            Some(false) => deferred(&said),
            Some(true) => refused(&said, "5.2.1", "This address is switched off"),
            None => matches!(said, SmtpReply::Queued(_)),
        };
        ensure!(is_expected, "{is_permanent:?}: {said:?}");
    }
    host.wait_for_mail("paused 2", 30).await?;
    ensure!(host.rig.sink.mailbox.count()? == 1);
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn unconfirmed_address_refuses_mail_later() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "unconfirmed", "hits = \"0s\"\nmisses = \"0s\"").await?;
    let alias = "pat44@ubuntu.com";
    let mut browser = Browser::new()?;
    let callback = stack.start_sign_in(&mut browser, "pat44").await?;
    browser.open(callback).await?;
    let stored = until("the address", TIMEOUT, async || stack.alias(alias).await).await?;
    ensure!(deferred(&host.send(alias, "too early").await?), "not deferred");

    let [destination] = stored.destinations[..] else { bail!("{:?}", stored.destinations) };
    let member = stored.alias.member;
    let keys = [text(format!("MEMBER#{member}")), text(format!("DESTINATION#{destination}"))];
    let created = earlier(SystemClock.now(), UNCONFIRMED_GRACE).to_string();
    stack.set(keys, "created", text(created)).await?;
    let said = host.send(alias, "too late").await?;
    ensure!(refused(&said, "5.2.1", "This address is switched off"), "{said:?}");

    stack.confirm_destination_of(member).await?;
    host.deliver(alias, "in time").await?;
    ensure!(host.rig.sink.mailbox.count()? == 1, "refused mail arrived");
    Ok(())
}
