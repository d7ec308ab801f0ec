//! Many mails, none lost and none twice, also while `alias-map` is killed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use membermail_alias_map::client::Client;
use membermail_postfix::follow::{Said, send};
use membermail_tests::mail::{MailHost, SENDER, mail};
use membermail_tests::stack::Stack;
use membermail_tests::wait::until;

use crate::{host, member};

/// Sends that many mails, some at a time, each again until it is taken, as a mail server does; how often one had to wait.
async fn send_all(port: u16, recipient: &'static str, count: usize, taken: Arc<AtomicUsize>) -> Result<usize> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (next, taken) = (Arc::clone(&next), Arc::clone(&taken));
        senders.spawn(async move {
            let mut waits = 0;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return Ok(waits);
                }
                let mail = mail(recipient, &format!("number {number}"));
                loop {
                    match send(port, None, Some(SENDER), recipient, &mail).await? {
                        Said::Taken(_) => break,
                        Said::Later(_) => {
                            waits += 1;
                            tokio::time::sleep(Duration::from_millis(200)).await;
                        }
                        Said::Refused(_, words) => bail!("number {number}: {words}"),
                    }
                }
                taken.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let mut waits = 0;
    while let Some(done) = senders.join_next().await {
        waits += done??;
    }
    Ok(waits)
}

/// Waits until that many arrived, and looks that they are all of them, each once.
async fn all_arrived(host: &MailHost, count: usize) -> Result<()> {
    let new = host.rig.inbox.maildir().join("new");
    until(&format!("{count} mails in the inbox"), Duration::from_secs(120), || async {
        let arrived = std::fs::read_dir(&new).map_or(0, Iterator::count);
        Ok((arrived >= count).then_some(()))
    })
    .await?;
    let mut times = BTreeMap::new();
    for mail in host.rig.inbox.all()? {
        *times.entry(mail.subject).or_insert(0) += 1;
    }
    for number in 0..count {
        let times = times.remove(&format!("number {number}")).unwrap_or(0);
        ensure!(times == 1, "number {number} arrived {times} times");
    }
    ensure!(times.is_empty(), "these came from nowhere: {times:?}");
    // What arrived leaves the queue a moment later.
    until("an empty queue", Duration::from_secs(10), || async { Ok(host.rig.queued()?.is_empty().then_some(())) }).await
}

#[tokio::test]
async fn of_a_thousand_mails_none_is_lost() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "thousand", "").await?;
    member(&stack, "pat37").await?;
    let waits = send_all(host.rig.smtp, "pat37@ubuntu.com", 1_000, Arc::default()).await?;
    ensure!(waits == 0, "{waits} mails had to wait");
    all_arrived(&host, 1_000).await
}

#[tokio::test]
async fn alias_map_killed_under_load_loses_nothing() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let mut host = host(&stack, "killed", "").await?;
    member(&stack, "pat38").await?;
    let taken = Arc::new(AtomicUsize::new(0));
    let sending = tokio::spawn(send_all(host.rig.smtp, "pat38@ubuntu.com", 400, Arc::clone(&taken)));
    for (at, down) in [(60, 1_500), (200, 300)] {
        until("some mails", Duration::from_secs(60), || async {
            Ok((taken.load(Ordering::Relaxed) > at).then_some(()))
        })
        .await?;
        host.rig.kill_alias_map()?;
        tokio::time::sleep(Duration::from_millis(down)).await;
        host.rig.start_alias_map().await?;
    }
    let waits = sending.await??;
    ensure!(waits > 0, "nobody noticed that alias-map was gone");
    all_arrived(&host, 400).await
}

/// As Postfix's processes do: each with a connection of its own, one question after the other.
#[tokio::test]
async fn a_reload_under_load_drops_no_look_up() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let mut host = host(&stack, "reload", "").await?;
    member(&stack, "pat24").await?;
    let stop = Arc::new(AtomicBool::new(false));
    let mut askers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (endpoint, stop) = (host.rig.endpoint.clone(), Arc::clone(&stop));
        askers.spawn(async move {
            let (mut client, mut count) = (Client::connect(&endpoint).await?, 0);
            while !stop.load(Ordering::Relaxed) {
                let reply = client.ask("alias", "pat24@ubuntu.com").await?;
                ensure!(reply == "OK pat24@mail.example", "after {count}: {reply}");
                count += 1;
            }
            Ok(count)
        });
    }
    let read = |host: &MailHost| std::fs::read_to_string(host.rig.log.with_file_name("alias-map.log"));
    let reloads = |log: &str| log.matches("settings read again").count();
    for number in 1..=20 {
        // Other times each, so that what is asked meets both; with 0 s, each look-up goes to the table.
        host.rig.change_settings(&format!("hits = \"{}s\"", number % 3))?;
        until("the settings to be read", Duration::from_secs(10), || async {
            Ok((reloads(&read(&host)?) == number).then_some(()))
        })
        .await?;
    }
    stop.store(true, Ordering::Relaxed);
    let mut asked = 0;
    while let Some(count) = askers.join_next().await {
        asked += count??;
    }
    ensure!(asked > 1_000, "only {asked} look-ups");
    Ok(())
}
