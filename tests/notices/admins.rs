//! What the admins of a domain are told: a digest of its changes, held syncs, and what becomes of its proof.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use membermail_core::address::Address;
use membermail_core::alias::Status;
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::guard::{HoldReason, Kind};
use membermail_core::message::{Digest, ToNotify};
use membermail_core::plan::Counts;
use membermail_core::random::OsRandom;
use membermail_store::{Run, RunState};
use membermail_tests::wait::until;

use crate::world::{A_WHILE, ADMIN, PATIENCE, World, fresh};

#[tokio::test]
async fn a_sync_of_five_hundred_is_one_mail_to_the_admins() -> Result<()> {
    const CHANGES: usize = 500;
    let world = World::new().await?;
    world.admin().await?;
    let domain = "edubuntu.org".parse()?;
    let now = SystemClock.now();
    let address = |number| Address::try_from(format!("n-crowd{number:03}@edubuntu.org"));
    let member = world.member("n-crowd", "n-crowd@mail.example").await?;
    // The changes as one run leaves them; the message that sends them comes when all are there, as it does after the
    // seconds that it is delayed by.
    world.store.digest_due(&domain, now.checked_add(SignedDuration::from_mins(10))?).await?;
    for number in 0..CHANGES - 1 {
        let change = membermail_core::audit::Change::Alias {
            member: member.id,
            address: address(number)?,
            before: None,
            after: membermail_core::alias::Status::Active,
            reason: membermail_core::alias::Reason::Eligible,
            until: None,
            renamed_from: None,
        };
        let cause = Cause { actor: Actor::Sync, by: Some("a-run"), request_id: "a-test", now };
        world.store.gather(&domain, &membermail_core::audit::Entry::new(change, cause, &OsRandom)).await?;
    }
    let entry = world.grant(&member, &address(CHANGES - 1)?.to_string(), fresh()).await?;
    world.tell(entry).await?;
    world.until_told(entry).await?;
    // A message each would have come, had they come apart.
    let digest = || Digest { domain: domain.clone(), request_id: "a-test".into() };
    for _ in 0..12 {
        world.send(&ToNotify::Digest(digest())).await?;
    }
    let told = world.wait_for_admin("n-crowd").await?;
    ensure!(told[0].subject() == "500 changes at edubuntu.org", "{}", told[0].subject());
    ensure!(told[0].text().contains("New: 500") && told[0].text().contains("And 401 more"), "{}", told[0].text());
    tokio::time::sleep(A_WHILE).await;
    ensure!(world.told_admin("n-crowd")?.len() == 1);
    ensure!(!world.store.has_news(&domain).await?);
    world.forget(&address(CHANGES - 1)?.to_string()).await?;
    Ok(())
}

#[tokio::test]
async fn an_admin_who_signed_in_is_told_and_a_digest_waits_for_a_full_server() -> Result<()> {
    let world = World::new().await?;
    world.admin().await?;
    let refusal = world.mail.refuse(ADMIN, "452 4.3.1 no room")?;
    let member = world.member("n-news", "n-news@mail.example").await?;
    let entry = world.grant(&member, "n-news@lubuntu.me", fresh()).await?;
    world.tell(entry).await?;
    // The member hears of it all the same, and the change is done with.
    world.until_told(entry).await?;
    world.exactly("n-news@mail.example", 1).await?;
    until("the server to be asked", Duration::from_secs(PATIENCE), || async {
        Ok((world.mail.refused(ADMIN) >= 1).then_some(()))
    })
    .await?;
    // What changes while the digest waits is not in it, and not forgotten.
    let entry = world.grant(&member, "n-later-news@lubuntu.me", fresh()).await?;
    world.tell(entry).await?;
    world.until_told(entry).await?;
    drop(refusal);
    world.wait_for_admin("n-news@lubuntu.me: new").await?;
    tokio::time::sleep(A_WHILE).await;
    let mail = world.told_admin("n-news@lubuntu.me")?;
    ensure!(mail.len() == 1, "{} came", mail.len());
    world.wait_for_admin("n-later-news@lubuntu.me: new").await?;
    tokio::time::sleep(A_WHILE).await;
    ensure!(world.told_admin("n-later-news@lubuntu.me")?.len() == 1);
    for address in ["n-news@lubuntu.me", "n-later-news@lubuntu.me"] {
        world.forget(address).await?;
    }
    ensure!(mail[0].header("List-Id") == "Ubuntu mail <admins-notices.notices.example>");
    Ok(())
}

#[tokio::test]
async fn outsider_with_admins_name_gets_no_digest() -> Result<()> {
    let world = World::new().await?;
    world.admin().await?;
    // The community file documents `ubuntu-admin`; another person has the name now, and an active address.
    let outsider = world.member("ubuntu-admin", "n-outsider@mail.example").await?;
    let entry = world.grant(&outsider, "n-outsider@edubuntu.org", fresh()).await?;
    world.tell(entry).await?;
    world.wait_for_admin("n-outsider@edubuntu.org: new").await?;
    tokio::time::sleep(A_WHILE).await;
    // Nothing but what became of their own address.
    let mail = world.mail.to("n-outsider@mail.example")?;
    ensure!(mail.len() == 1 && mail[0].subject().contains("is yours"), "{} came", mail.len());
    world.forget("n-outsider@edubuntu.org").await?;
    Ok(())
}

#[tokio::test]
async fn a_held_sync_is_told_with_its_counts_and_the_commands() -> Result<()> {
    let world = World::new().await?;
    world.admin().await?;
    let now = SystemClock.now();
    let id = membermail_core::member::ulid(now, &OsRandom);
    let bound = HoldReason::Bound { kind: Kind::Removals, count: 12, earlier: 0, of: 40, among: Status::Active };
    let run = Run {
        state: RunState::Held,
        finished: Some(now),
        counts: Some(Counts { active: 40, taken: 12, leave: 12, ..Counts::default() }),
        held_for: vec![bound],
        ..Run::new(id, &"ubuntustudio.com".parse()?, now, "a-test")
    };
    let cause = Cause { actor: Actor::Sync, by: None, request_id: "a-test", now };
    let entry = world.store.finish_run(&run, Some((cause, &OsRandom))).await?.context("no entry")?;
    for _ in 0..3 {
        world.tell(entry).await?;
    }
    let told = world.wait_for_admin(&id.to_string()).await?;
    ensure!(told[0].subject() == "A sync of ubuntustudio.com waits for you", "{}", told[0].subject());
    let text = told[0].text();
    ensure!(
        text.contains("removals within 24 hours: 12 with 40 addresses") && text.contains("To end after a grace: 12"),
        "{text}"
    );
    ensure!(text.contains(&format!("membermail sync release {id}")), "{text}");
    world.until_told(entry).await?;
    tokio::time::sleep(A_WHILE).await;
    ensure!(world.told_admin(&id.to_string())?.len() == 1);
    Ok(())
}

#[tokio::test]
async fn what_becomes_of_a_domains_proof_is_told_to_its_admins() -> Result<()> {
    let world = World::new().await?;
    world.admin().await?;
    let domain = "ubuntustudio.com".parse()?;
    let cause = Cause { actor: Actor::Operator, by: Some("a test"), request_id: "a-test", now: SystemClock.now() };
    // Each is told before the next: one that was taken back meanwhile would not be told any more.
    for proves in [false, true] {
        let before = world.store.undelivered_before(Timestamp::MAX, 10_000).await?;
        if proves {
            world.store.verify_domain(&domain, cause, &OsRandom).await?;
        } else {
            world.store.unverify_domain(&domain, cause, &OsRandom).await?;
        }
        let untold = world.store.undelivered_before(Timestamp::MAX, 10_000).await?;
        let new = untold.iter().filter(|entry| entry.domain() == Some(&domain) && !before.contains(entry));
        for entry in new {
            world.tell(entry.id).await?;
            world.until_told(entry.id).await?;
        }
    }
    for text in ["took back that ubuntustudio.com counts", "membermail domain show ubuntustudio.com"] {
        world.wait_for_admin(text).await?;
    }
    Ok(())
}
