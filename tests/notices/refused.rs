//! Temporary refusals, permanent refusals, and a mail server that does not respond.

use anyhow::{Context, Result, ensure};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::email::EmailAddress;
use membermail_core::message::{DeliveryFailure, NotifyMessage, Undeliverable};
use membermail_core::random::OsRandom;
use membermail_store::{FirstDestination, NewSession, SignIn};
use membermail_tests::table::address;

use super::world::{DUPLICATE_WAIT, World, fresh, old};

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn temporary_refusal_delays_the_mail() -> Result<()> {
    let world = World::new().await?;
    let member = world.member("n-later", "n-later@mail.example").await?;
    let refusal = world.mail.refuse("n-later@mail.example", "451 4.3.0 <n-later@mail.example> greylisted")?;
    let entry = world.grant(&member, "n-later@ubuntu.com", old()).await?;
    world.enqueue(entry).await?;
    world.wait_for_refusals("n-later@mail.example", 2).await?;
    ensure!(world.store.undelivered(entry).await?.is_some(), "delivered, though no mail was sent");
    // The message is in flight, so a sweep skips its entry.
    ensure!(world.store.undelivered_before(SystemClock.now(), 1000).await?.iter().all(|other| other.id != entry));
    drop(refusal);
    world.wait_until_delivered(entry).await?;
    world.receives_once("n-later@mail.example", "n-later@ubuntu.com").await?;
    ensure!(world.operator_mails("Launchpad name: n-later")?.is_empty(), "a delay is no error");
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn silent_server_delays_mail_not_aliases() -> Result<()> {
    let world = World::new().await?;
    let refusal = world.mail.refuse("member1509@mail.example", "slow")?;
    world.stack.sign_in_at("ubuntu.com", "member1509").await?;
    world.wait_for_refusals("member1509@mail.example", 1).await?;
    drop(refusal);
    world.receives("member1509@mail.example", 1).await?;
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn unknown_mailbox_is_reported_and_dropped() -> Result<()> {
    let world = World::new().await?;
    let _refusal = world.mail.refuse("n-gone@mail.example", "550 5.1.1 <n-gone@mail.example>: no such user")?;
    let member = world.member("n-gone", "n-gone@mail.example").await?;
    let entry = world.grant(&member, "n-gone@ubuntu.com", fresh()).await?;
    world.notify(entry).await?;
    world.enqueue(entry).await?;
    let mails = world.wait_for_operators("Launchpad name: n-gone", 1).await?;
    ensure!(mails[0].subject() == "A notice was rejected: 550 5.1.1", "{}", mails[0].subject());
    // The report contains neither the server's reply nor the member's address.
    ensure!(!mails[0].text().contains("mail.example") && mails[0].text().contains("Request id: a-test"));
    tokio::time::sleep(DUPLICATE_WAIT).await;
    ensure!(world.mail.refused("n-gone@mail.example") == 1, "tried again");
    ensure!(world.operator_mails("Launchpad name: n-gone")?.len() == 1);
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn failing_destination_shows_after_sign_in() -> Result<()> {
    let world = World::new().await?;
    let member = world.member("n-moved", "n-moved-old@mail.example").await?;
    let entry = world.grant(&member, "n-moved@ubuntu.com", fresh()).await?;
    // The provider has another address by now; the alias keeps its destination.
    let member = world.member("n-moved", "n-moved-new@mail.example").await?;
    world.stack.set_in_member(member.id, "language", "ar").await?;
    let _refusal = world.mail.refuse("n-moved-old@mail.example", "552 5.2.2 over quota")?;
    world.notify(entry).await?;
    let mail = world.receives("n-moved-new@mail.example", 2).await?;
    ensure!(mail[0].subject().contains("لا يصلك") && mail[0].text().contains("552 5.2.2"), "{}", mail[0].subject());
    ensure!(mail[1].subject().contains("أصبح العنوان"), "{}", mail[1].subject());

    // One message reports a bounce, at most once a day.
    let bounced = Undeliverable {
        address: address("n-moved@ubuntu.com")?,
        destination: None,
        reply: "550 5.1.1".into(),
        request_id: "a-test".into(),
    };
    world.send(&NotifyMessage::Undeliverable(bounced)).await?;
    world.wait_for_operators("Launchpad name: n-moved", 2).await?;
    world.receives("n-moved-new@mail.example", 2).await?;
    Ok(())
}

/// From the report of the mail host to the member: on the page, and at the address that they sign in with by now.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn failed_delivery_reaches_the_member() -> Result<()> {
    let world = World::new().await?;
    let stack = &world.stack;
    let browser = stack.sign_in_at("ubuntu.com", "member1515").await?;
    let member = world.store.member_by_name(&"member1515".parse()?).await?.context("no member")?;
    let (_, identities) = world.store.member_to_look_up(member.id).await?.context("no member")?;
    let other = EmailAddress::parse("member1515-new@mail.example")?;
    let now = SystemClock.now();
    let session = NewSession { hash: "member1515", expires: now };
    let identity = identities.first().context("no identity")?;
    let sign_in =
        SignIn { identity, address: &other, language: None, destination: FirstDestination::Confirmed, session };
    world.store.sign_in(&world.sealer, sign_in, now, &OsRandom).await?;

    let queue = stack.physical_id("DeliveryFailureQueue")?;
    let failure =
        DeliveryFailure::forwarded(address("member1515@ubuntu.com")?, None, "5.2.2".parse()?, SystemClock.now());
    for _ in 0..3 {
        stack.send(&queue, &failure).await?;
    }
    let page = stack.page_with(&browser, "Some mail to member1515@ubuntu.com did not reach you").await?;
    let text = page.texts("main").concat();
    ensure!(text.contains("status 5.2.2") && text.contains("member1515@mail.example"), "{text}");
    let mail = world.receives("member1515-new@mail.example", 1).await?;
    ensure!(mail[0].subject() == "Mail to member1515@ubuntu.com does not reach you", "{}", mail[0].subject());
    ensure!(!mail[0].text().contains("member1515@mail.example"), "{}", mail[0].text());
    ensure!(world.store.count_failing(&"ubuntu.com".parse()?, SystemClock.now()).await? >= 1);
    Ok(())
}
