//! Mails about the mailboxes of a member: the code to a new one, the code that reverts a change, and test messages.

use anyhow::{Context, Result, bail, ensure};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::code::Code;
use membermail_core::email::EmailAddress;
use membermail_core::member;
use membermail_core::message::{NotifyMessage, TestRequest};
use membermail_core::random::OsRandom;
use membermail_store::{Confirmed, Requested, Reverted};
use membermail_test_mail_host::mailbox::ReceivedMail;
use membermail_tests::table::{address, operator};
use membermail_tests::wait::{TIMEOUT, until_true};

use super::world::{World, fresh};

fn code_in(mail: &ReceivedMail) -> Result<Code> {
    let text = mail.text();
    let mut words = text.split_whitespace().filter(|word| word.len() == 9 && word.contains('-'));
    words.find_map(Code::parse).with_context(|| format!("no code in {}", mail.subject()))
}

/// Each code really comes from a mail: that to the new mailbox confirms it, and that to the old one reverts it.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn codes_confirm_and_revert_mailbox() -> Result<()> {
    let world = World::new().await?;
    let (store, sealer) = (&world.store, &world.sealer);
    let member = world.member("n-mailbox", "n-mailbox@mail.example").await?;
    let new = EmailAddress::parse("n-mailbox-new@mail.example")?;
    let cause = operator(SystemClock.now());
    let requested = store.add_destination(sealer, &member, (&new, false), cause, &OsRandom).await?;
    let Requested::Sent { id, entry } = requested else { bail!("{requested:?}") };
    // Duplicates send one code.
    for _ in 0..3 {
        world.enqueue(entry).await?;
    }
    world.wait_until_delivered(entry).await?;
    let mail = world.receives("n-mailbox-new@mail.example", 1).await?;
    ensure!(!mail[0].text().contains("Hello n-mailbox"), "{}", mail[0].text());
    let code = code_in(&mail[0])?;

    let cause = operator(SystemClock.now());
    let confirmed = store.confirm_destination(sealer, &member, (id, Some(&code)), cause, &OsRandom).await?;
    let Confirmed::Done { entry, .. } = confirmed else { bail!("{confirmed:?}") };
    world.notify(entry).await?;
    world.receives("n-mailbox-new@mail.example", 1).await?;
    let mail = world.receives("n-mailbox@mail.example", 2).await?;
    let added = mail.iter().find(|mail| mail.subject() == "A mailbox was added to your Ubuntu mail");
    let added = added.context("not told")?;
    ensure!(added.text().contains(&format!("/undo?change={}.{entry}", member.id)), "{}", added.text());

    let code = code_in(added)?;
    let cause = operator(SystemClock.now());
    let reverted = store.revert(sealer, (member.id, entry), Some(&code), cause, &OsRandom).await?;
    ensure!(matches!(reverted, Reverted::Done { .. }), "{reverted:?}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn test_message_is_sent_to_address_itself() -> Result<()> {
    let world = World::new().await?;
    let member = world.member("n-test", "n-test@mail.example").await?;
    world.grant(&member, "n-test@ubuntu.com", fresh()).await?;
    let address = address("n-test@ubuntu.com")?;
    let now = SystemClock.now();
    let id = member::ulid(now, &OsRandom);
    world.store.request_test(member.id, &address, (id, now)).await?;
    let request = TestRequest { member: member.id, address: address.clone(), id, request_id: "a-test".into() };
    for _ in 0..3 {
        world.send(&NotifyMessage::Test(request.clone())).await?;
    }
    let mail = world.receives("n-test@ubuntu.com", 1).await?;
    ensure!(mail[0].subject() == "Test message to n-test@ubuntu.com", "{}", mail[0].subject());
    until_true("the answer of the mail server", TIMEOUT, async || {
        let test = world.store.test_message(member.id, &address).await?;
        Ok(test.is_some_and(|test| test.accepted.is_some() && test.rejected.is_none()))
    })
    .await
}
