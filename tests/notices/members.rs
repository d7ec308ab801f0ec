//! What a member is told, and that it is told once.

use anyhow::{Result, bail, ensure};
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::message::ToNotify;
use membermail_core::random::OsRandom;
use membermail_store::Linked;
use membermail_tests::stack::Stack;
use serde_json::json;

use crate::world::{A_WHILE, PATIENCE, World, fresh, old};

#[tokio::test]
async fn a_member_who_signs_in_is_told_of_the_address_in_their_language() -> Result<()> {
    let world = World::new().await?;
    world.admin().await?;
    let stack = &world.stack;
    stack.change("member1506", json!({ "language": "ar" })).await?;
    for name in ["member1503", "member1506"] {
        let (browser, _) = stack.sign_in(name).await?;
        stack.page_with(&browser, &format!("{name}@ubuntu.com now forwards to"), PATIENCE).await?;
    }
    let mailbox = stack.mailbox();
    let mail = mailbox.wait_for("member1503@mail.example", 1, PATIENCE).await?;
    ensure!(mail[0].subject() == "member1503@ubuntu.com is yours", "{}", mail[0].subject());
    ensure!(mail[0].text().contains("Hello member1503"), "{}", mail[0].text());
    ensure!(mail[0].html().contains(r#"<html lang="en" dir="ltr">"#));
    ensure!(mail[0].header("Auto-Submitted") == "auto-generated");
    ensure!(mail[0].header("List-Id") == "Ubuntu mail <members-notices.notices.example>");
    ensure!(mail[0].header("Reply-To").contains("help@notices.example"));
    ensure!(!mail[0].header("Date").is_empty() && mail[0].message_id().ends_with(".member@notices.example"));

    let arabic = mailbox.wait_for("member1506@mail.example", 1, PATIENCE).await?;
    ensure!(arabic[0].subject().contains("أصبح العنوان"), "{}", arabic[0].subject());
    ensure!(arabic[0].html().contains(r#"<html lang="ar" dir="rtl">"#));
    ensure!(arabic[0].text().contains("مرحبًا") && arabic[0].text().contains("member1506@ubuntu.com"));

    // Who signs in again learns nothing new.
    stack.sign_in("member1503").await?;
    tokio::time::sleep(A_WHILE).await;
    ensure!(mailbox.to("member1503@mail.example")?.len() == 1);
    // The admins of the domain hear of it too.
    for name in ["member1503", "member1506"] {
        world.wait_for_admin(&format!("{name}@ubuntu.com: new")).await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_same_message_twice_and_two_at_once_reach_people_once() -> Result<()> {
    let world = World::new().await?;
    let member = world.member("n-twice", "n-twice@mail.example").await?;
    let entry = world.grant(&member, "n-twice@ubuntu.com", fresh()).await?;
    // Two at once, and more than one batch holds, so that several functions are at it at the same time.
    let sends: Vec<_> = (0..12).map(|_| world.tell(entry)).collect();
    for sent in sends {
        sent.await?;
    }
    world.until_told(entry).await?;
    world.tell(entry).await?;
    world.exactly("n-twice@mail.example", 1).await?;
    // Even where the outbox still has it: as after a crash between the mail and the note of it.
    ensure!(world.store.undelivered(entry).await?.is_none());
    Ok(())
}

#[tokio::test]
async fn a_crash_between_change_and_message_loses_nothing() -> Result<()> {
    let world = World::new().await?;
    let member = world.member("n-crash", "n-crash@mail.example").await?;
    let lost = world.grant(&member, "n-crash@ubuntu.com", old()).await?;
    let young = world.member("n-young", "n-young@mail.example").await?;
    let sent = world.grant(&young, "n-young@ubuntu.com", fresh()).await?;
    world.send(&ToNotify::Sweep).await?;
    world.until_told(lost).await?;
    world.exactly("n-crash@mail.example", 1).await?;
    // What is young has its message on the way, and here it has none.
    ensure!(world.store.undelivered(sent).await?.is_some() && world.mail.to("n-young@mail.example")?.is_empty());
    world.tell(sent).await?;
    world.until_told(sent).await?;
    // A second sweep finds nothing.
    world.send(&ToNotify::Sweep).await?;
    world.exactly("n-crash@mail.example", 1).await?;
    Ok(())
}

#[tokio::test]
async fn no_log_of_the_notices_holds_an_address() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let (browser, _) = stack.sign_in("member1512").await?;
    stack.page_with(&browser, "member1512@ubuntu.com now forwards to", PATIENCE).await?;
    stack.mailbox().wait_for("member1512@mail.example", 1, PATIENCE).await?;
    let mut looked = 0;
    for file in std::fs::read_dir(&stack.logs)? {
        let file = file?;
        if file.file_name().to_string_lossy().contains("Notify") {
            let text = std::fs::read_to_string(file.path())?;
            looked += text.lines().count();
            for address in ["@mail.example", "@ubuntu.com", "@notices.example", "@lubuntu.me"] {
                let line = text.lines().find(|line| line.contains(address));
                ensure!(line.is_none(), "{address} in {line:?}");
            }
        }
    }
    ensure!(looked > 0, "no log of notify in {}", stack.logs.display());
    Ok(())
}

#[tokio::test]
async fn link_is_told_to_both_sign_ins() -> Result<()> {
    let world = World::new().await?;
    let member = world.member("n-linked", "n-linked@mail.example").await?;
    let other = world.member("n-linked2", "n-linked2@mail.example").await?;
    let cause = Cause { actor: Actor::Operator, by: Some("a-test"), request_id: "a-test", now: SystemClock.now() };
    let Linked::Done(entry) = world.store.link(&member, &other, cause, &OsRandom).await? else {
        bail!("not linked");
    };
    for _ in 0..3 {
        world.tell(entry).await?;
    }
    world.until_told(entry).await?;
    for address in ["n-linked@mail.example", "n-linked2@mail.example"] {
        let mail = world.exactly(address, 1).await?;
        ensure!(mail[0].subject() == "Your two sign-ins are one account now", "{}", mail[0].subject());
    }
    Ok(())
}
