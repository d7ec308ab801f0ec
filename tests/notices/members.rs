//! Notices to a member, each sent once.

use anyhow::{Result, bail, ensure};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::message::NotifyMessage;
use membermail_core::random::OsRandom;
use membermail_store::Linked;
use membermail_tests::stack::Stack;
use membermail_tests::table::operator;
use membermail_tests::wait::TIMEOUT;
use serde_json::json;

use super::world::{DUPLICATE_WAIT, World, fresh, old};

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn new_address_mail_uses_members_language() -> Result<()> {
    let world = World::new().await?;
    world.admin().await?;
    let stack = &world.stack;
    stack.change_person("member1506", json!({ "language": "ar" })).await?;
    for name in ["member1503", "member1506"] {
        stack.sign_in_at("ubuntu.com", name).await?;
    }
    let mailbox = stack.mailbox();
    let mail = mailbox.wait_for("member1503@mail.example", 1, TIMEOUT).await?;
    ensure!(mail[0].subject() == "member1503@ubuntu.com is yours", "{}", mail[0].subject());
    ensure!(mail[0].text().contains("Hello member1503"), "{}", mail[0].text());
    ensure!(mail[0].html().contains(r#"<html lang="en" dir="ltr">"#));
    ensure!(mail[0].header("Auto-Submitted") == "auto-generated");
    ensure!(mail[0].header("List-Id") == "Ubuntu mail <members-notices.notices.example>");
    ensure!(mail[0].header("Reply-To").contains("help@notices.example"));
    ensure!(!mail[0].header("Date").is_empty() && mail[0].message_id().ends_with(".member@notices.example"));

    let arabic = mailbox.wait_for("member1506@mail.example", 1, TIMEOUT).await?;
    ensure!(arabic[0].subject().contains("أصبح العنوان"), "{}", arabic[0].subject());
    ensure!(arabic[0].html().contains(r#"<html lang="ar" dir="rtl">"#));
    ensure!(arabic[0].text().contains("مرحبًا") && arabic[0].text().contains("member1506@ubuntu.com"));

    // A second sign-in sends no mail.
    stack.sign_in("member1503").await?;
    tokio::time::sleep(DUPLICATE_WAIT).await;
    ensure!(mailbox.to("member1503@mail.example")?.len() == 1);
    // The admins of the domain are notified as well.
    for name in ["member1503", "member1506"] {
        world.wait_for_admin(&format!("{name}@ubuntu.com: new")).await?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn duplicate_message_sends_one_mail() -> Result<()> {
    let world = World::new().await?;
    let member = world.member("n-twice", "n-twice@mail.example").await?;
    let entry = world.grant(&member, "n-twice@ubuntu.com", fresh()).await?;
    // More messages than one batch holds, each twice, so that several instances run at the same time.
    for _ in 0..12 {
        world.enqueue(entry).await?;
    }
    world.wait_until_delivered(entry).await?;
    world.enqueue(entry).await?;
    world.receives("n-twice@mail.example", 1).await?;
    // Even if the outbox still has the entry, as after a crash between the mail and the write.
    ensure!(world.store.undelivered(entry).await?.is_none());
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn lost_message_is_swept_from_outbox() -> Result<()> {
    let world = World::new().await?;
    let member = world.member("n-crash", "n-crash@mail.example").await?;
    let lost = world.grant(&member, "n-crash@ubuntu.com", old()).await?;
    let young = world.member("n-young", "n-young@mail.example").await?;
    let sent = world.grant(&young, "n-young@ubuntu.com", fresh()).await?;
    world.send(&NotifyMessage::Sweep).await?;
    world.wait_until_delivered(lost).await?;
    world.receives_once("n-crash@mail.example", "n-crash@ubuntu.com").await?;
    // A young entry is skipped, since its message may still arrive.
    ensure!(world.store.undelivered(sent).await?.is_some() && world.mail.to("n-young@mail.example")?.is_empty());
    world.notify(sent).await?;
    // A second sweep finds nothing.
    world.send(&NotifyMessage::Sweep).await?;
    world.receives_once("n-crash@mail.example", "n-crash@ubuntu.com").await?;
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn notice_logs_hold_no_address() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.sign_in_at("ubuntu.com", "member1512").await?;
    stack.mailbox().wait_for("member1512@mail.example", 1, TIMEOUT).await?;
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
#[ignore = "needs the local stack (cargo dev test)"]
async fn link_is_mailed_to_both_destinations() -> Result<()> {
    let world = World::new().await?;
    let member = world.member("n-linked", "n-linked@mail.example").await?;
    let other = world.member("n-linked2", "n-linked2@mail.example").await?;
    let linked = world.store.link(&member, &other, operator(SystemClock.now()), &OsRandom).await?;
    let Linked::Done(entry) = linked else {
        bail!("not linked");
    };
    for _ in 0..3 {
        world.enqueue(entry).await?;
    }
    world.wait_until_delivered(entry).await?;
    for address in ["n-linked@mail.example", "n-linked2@mail.example"] {
        let mail = world.receives(address, 1).await?;
        ensure!(mail[0].subject() == "Your two sign-ins are now one account", "{}", mail[0].subject());
    }
    Ok(())
}
