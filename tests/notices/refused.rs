//! Mail that is refused: for a while, for good, and by a server that does not answer.

use std::time::Duration;

use anyhow::{Result, ensure};
use membermail_core::address::Address;
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::message::{ToNotify, Undeliverable};
use membermail_tests::wait::until;

use crate::world::{A_WHILE, PATIENCE, World, fresh, old};

#[tokio::test]
async fn a_server_that_refuses_for_a_while_delays_the_mail() -> Result<()> {
    let world = World::new().await?;
    let member = world.member("n-later", "n-later@mail.example").await?;
    let refusal = world.mail.refuse("n-later@mail.example", "451 4.3.0 <n-later@mail.example> greylisted")?;
    let entry = world.grant(&member, "n-later@ubuntu.com", old()).await?;
    world.tell(entry).await?;
    until("a second try", Duration::from_secs(PATIENCE), || async {
        Ok((world.mail.refused("n-later@mail.example") >= 2).then_some(()))
    })
    .await?;
    ensure!(world.store.undelivered(entry).await?.is_some(), "told, though nothing went");
    // The queue is at it, so a sweep keeps away.
    ensure!(world.store.undelivered_before(SystemClock.now(), 1000).await?.iter().all(|other| other.id != entry));
    drop(refusal);
    world.until_told(entry).await?;
    world.exactly("n-later@mail.example", 1).await?;
    ensure!(world.told_operators("Launchpad name: n-later")?.is_empty(), "a delay is no error");
    Ok(())
}

#[tokio::test]
async fn a_server_that_does_not_answer_delays_mail_and_never_aliases() -> Result<()> {
    let world = World::new().await?;
    let refusal = world.mail.refuse("member1509@mail.example", "slow")?;
    let (browser, _) = world.stack.sign_in("member1509").await?;
    world.stack.page_with(&browser, "member1509@ubuntu.com now forwards to", PATIENCE).await?;
    until("the server to be asked", Duration::from_secs(PATIENCE), || async {
        Ok((world.mail.refused("member1509@mail.example") >= 1).then_some(()))
    })
    .await?;
    drop(refusal);
    world.exactly("member1509@mail.example", 1).await?;
    Ok(())
}

#[tokio::test]
async fn a_mailbox_that_is_none_is_told_to_the_operators_and_not_tried_again() -> Result<()> {
    let world = World::new().await?;
    let _refusal = world.mail.refuse("n-gone@mail.example", "550 5.1.1 <n-gone@mail.example>: no such user")?;
    let member = world.member("n-gone", "n-gone@mail.example").await?;
    let entry = world.grant(&member, "n-gone@ubuntu.com", fresh()).await?;
    world.tell(entry).await?;
    world.until_told(entry).await?;
    world.tell(entry).await?;
    let told = world.wait_for_operators("Launchpad name: n-gone", 1).await?;
    ensure!(told[0].subject() == "A notice was refused: 550 5.1.1", "{}", told[0].subject());
    // Neither what the server said nor the address of the member goes on from here.
    ensure!(!told[0].text().contains("mail.example") && told[0].text().contains("Request id: a-test"));
    tokio::time::sleep(A_WHILE).await;
    ensure!(world.mail.refused("n-gone@mail.example") == 1, "tried again");
    ensure!(world.told_operators("Launchpad name: n-gone")?.len() == 1);
    Ok(())
}

#[tokio::test]
async fn a_destination_that_fails_is_told_where_the_member_signs_in() -> Result<()> {
    let world = World::new().await?;
    let member = world.member("n-moved", "n-moved-old@mail.example").await?;
    let entry = world.grant(&member, "n-moved@ubuntu.com", fresh()).await?;
    // The provider knows another address since; the alias forwards to where it did.
    let member = world.member("n-moved", "n-moved-new@mail.example").await?;
    world.speaks(&member, "ar").await?;
    let _refusal = world.mail.refuse("n-moved-old@mail.example", "552 5.2.2 over quota")?;
    world.tell(entry).await?;
    world.until_told(entry).await?;
    let mail = world.exactly("n-moved-new@mail.example", 2).await?;
    ensure!(mail[0].subject().contains("لا يصلك") && mail[0].text().contains("552 5.2.2"), "{}", mail[0].subject());
    ensure!(mail[1].subject().contains("أصبح العنوان"), "{}", mail[1].subject());

    // Whoever handles bounces says it in one message; once a day is enough.
    let bounced = Undeliverable {
        address: Address::try_from("n-moved@ubuntu.com".to_owned())?,
        reply: "550 5.1.1".into(),
        request_id: "a-test".into(),
    };
    world.send(&ToNotify::Undeliverable(bounced)).await?;
    world.wait_for_operators("Launchpad name: n-moved", 2).await?;
    world.exactly("n-moved-new@mail.example", 2).await?;
    Ok(())
}
