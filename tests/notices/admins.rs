//! Notices to the admins of a domain: a digest of its changes, held syncs, and changes of its verification.

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use membermail_core::alias::{Reason, Status};
use membermail_core::audit::{Actor, Cause, Change, Entry};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::guard::HoldReason;
use membermail_core::lifecycle::ChangeKind;
use membermail_core::message::{Digest, NotifyMessage};
use membermail_core::plan::Counts;
use membermail_core::random::OsRandom;
use membermail_store::{Run, RunState};
use membermail_tests::table::{address, operator};

use super::world::{ADMIN, DUPLICATE_WAIT, World, fresh};

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn large_sync_sends_one_digest() -> Result<()> {
    const CHANGES: usize = 500;
    let world = World::new().await?;
    world.admin().await?;
    let domain = "edubuntu.org".parse()?;
    let now = SystemClock.now();
    let member = world.member("n-crowd", "n-crowd@mail.example").await?;
    // The changes of one run. The message that sends the digest arrives after all of them, as its delay ensures.
    world.store.extend_digest_claim(&domain, now.checked_add(SignedDuration::from_mins(10))?).await?;
    for number in 0..CHANGES - 1 {
        let change = Change::Alias {
            member: member.id,
            address: address(&format!("n-crowd{number:03}@edubuntu.org"))?,
            before: None,
            after: Status::Active,
            reason: Reason::Eligible,
            until: None,
            renamed_from: None,
        };
        let cause = Cause { actor: Actor::Sync, by: Some("a-run"), request_id: "a-test", now };
        world.store.gather(&domain, &Entry::new(change, cause, &OsRandom)).await?;
    }
    let last = "n-crowd499@edubuntu.org";
    let entry = world.grant(&member, last, fresh()).await?;
    world.notify(entry).await?;
    // Separate changes would have sent one message each.
    for _ in 0..12 {
        let digest = Digest { domain: domain.clone(), request_id: "a-test".into() };
        world.send(&NotifyMessage::Digest(digest)).await?;
    }
    let mails = world.wait_for_admin("n-crowd").await?;
    ensure!(mails[0].subject() == "500 changes at edubuntu.org", "{}", mails[0].subject());
    ensure!(
        mails[0].text().contains("New: 500") && mails[0].text().contains("Further changes: 401"),
        "{}",
        mails[0].text()
    );
    tokio::time::sleep(DUPLICATE_WAIT).await;
    ensure!(world.admin_mails("n-crowd")?.len() == 1);
    ensure!(!world.store.has_news(&domain).await?);
    world.forget(last).await
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn digest_waits_for_full_server() -> Result<()> {
    let world = World::new().await?;
    world.admin().await?;
    let refusal = world.mail.refuse(ADMIN, "452 4.3.1 no room")?;
    let member = world.member("n-news", "n-news@mail.example").await?;
    let entry = world.grant(&member, "n-news@lubuntu.me", fresh()).await?;
    world.enqueue(entry).await?;
    // The member is notified all the same, and the outbox entry is delivered.
    world.wait_until_delivered(entry).await?;
    world.receives("n-news@mail.example", 1).await?;
    world.wait_for_refusals(ADMIN, 1).await?;
    // A change made while the digest waits goes into the next one.
    let entry = world.grant(&member, "n-later-news@lubuntu.me", fresh()).await?;
    world.notify(entry).await?;
    drop(refusal);
    world.wait_for_admin("n-news@lubuntu.me: new").await?;
    tokio::time::sleep(DUPLICATE_WAIT).await;
    let mail = world.admin_mails("n-news@lubuntu.me")?;
    ensure!(mail.len() == 1, "{} came", mail.len());
    world.wait_for_admin("n-later-news@lubuntu.me: new").await?;
    tokio::time::sleep(DUPLICATE_WAIT).await;
    ensure!(world.admin_mails("n-later-news@lubuntu.me")?.len() == 1);
    for address in ["n-news@lubuntu.me", "n-later-news@lubuntu.me"] {
        world.forget(address).await?;
    }
    ensure!(mail[0].header("List-Id") == "Ubuntu mail <admins-notices.notices.example>");
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn namesake_of_admin_gets_no_digest() -> Result<()> {
    let world = World::new().await?;
    world.admin().await?;
    // The community file documents `ubuntu-admin`; another person has the name now, and an active address.
    let outsider = world.member("ubuntu-admin", "n-outsider@mail.example").await?;
    let entry = world.grant(&outsider, "n-outsider@edubuntu.org", fresh()).await?;
    world.enqueue(entry).await?;
    world.wait_for_admin("n-outsider@edubuntu.org: new").await?;
    tokio::time::sleep(DUPLICATE_WAIT).await;
    // Only the notice about their own address.
    let mail = world.mail.to("n-outsider@mail.example")?;
    ensure!(mail.len() == 1 && mail[0].subject().contains("is yours"), "{} came", mail.len());
    world.forget("n-outsider@edubuntu.org").await?;
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn held_sync_mail_links_its_page() -> Result<()> {
    let world = World::new().await?;
    world.admin().await?;
    let now = SystemClock.now();
    let id = membermail_core::member::ulid(now, &OsRandom);
    let bound = HoldReason::Bound { kind: ChangeKind::Removals, count: 12, earlier: 0, of: 40, among: Status::Active };
    let run = Run {
        state: RunState::Held,
        finished: Some(now),
        counts: Some(Counts { active: 40, removed: 12, leave: 12, ..Counts::default() }),
        held_for: vec![bound],
        ..Run::new(id, &"ubuntustudio.com".parse()?, now, "a-test")
    };
    let cause = Cause { actor: Actor::Sync, by: None, request_id: "a-test", now };
    let entry = world.store.finish_run(&run, Some((cause, &OsRandom))).await?.context("no entry")?;
    for _ in 0..3 {
        world.enqueue(entry).await?;
    }
    let mails = world.wait_for_admin(&id.to_string()).await?;
    ensure!(mails[0].subject() == "A sync of ubuntustudio.com needs your decision", "{}", mails[0].subject());
    let text = mails[0].text();
    ensure!(
        text.contains("removals within 24 hours: 12 against 40 existing addresses")
            && text.contains("To end after the grace period: 12"),
        "{text}"
    );
    let page = world.stack.public_url.join(&format!("admin/domains/ubuntustudio.com/plans/{id}"))?;
    ensure!(text.contains(page.as_str()) && !text.contains("membermail sync"), "{text}");
    world.wait_until_delivered(entry).await?;
    tokio::time::sleep(DUPLICATE_WAIT).await;
    ensure!(world.admin_mails(&id.to_string())?.len() == 1);
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn proof_changes_are_mailed_to_admins() -> Result<()> {
    let world = World::new().await?;
    world.admin().await?;
    let domain = "ubuntustudio.com".parse()?;
    let cause = operator(SystemClock.now());
    // Wait for each mail before the next change: a change that is reverted meanwhile is not mailed.
    for proves in [false, true] {
        let before = world.store.undelivered_before(Timestamp::MAX, 10_000).await?;
        if proves {
            world.store.verify_domain(&domain, cause, &OsRandom).await?;
        } else {
            world.store.unverify_domain(&domain, cause, &OsRandom).await?;
        }
        let undelivered = world.store.undelivered_before(Timestamp::MAX, 10_000).await?;
        let new = undelivered.iter().filter(|entry| entry.domain() == Some(&domain) && !before.contains(entry));
        for entry in new {
            world.enqueue(entry.id).await?;
            world.wait_until_delivered(entry.id).await?;
        }
    }
    for text in ["withdrew the verification of ubuntustudio.com", "/admin/domains/ubuntustudio.com"] {
        world.wait_for_admin(text).await?;
    }
    Ok(())
}
