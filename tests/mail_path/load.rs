//! Load: no mail is lost or duplicated, even when `alias-map` is killed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use membermail_alias_map::client::Client;
use membermail_postfix::smtp::{SmtpReply, send};
use membermail_tests::mail::{MailHost, SENDER, mail};
use membermail_tests::wait::{TIMEOUT, until_true};

use super::host_with_member;

/// Sends `count` mails, several at a time, and retries each until it is accepted, as a mail server does. Returns the number
/// of deferrals.
async fn send_all(port: u16, recipient: &'static str, count: usize, accepted: Arc<AtomicUsize>) -> Result<usize> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let next = Arc::clone(&next);
        let accepted = Arc::clone(&accepted);
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
                        SmtpReply::Queued(_) => break,
                        SmtpReply::Deferred(_) => {
                            waits += 1;
                            tokio::time::sleep(Duration::from_millis(200)).await;
                        }
                        SmtpReply::Rejected(_, words) => bail!("number {number}: {words}"),
                    }
                }
                accepted.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let mut waits = 0;
    while let Some(done) = senders.join_next().await {
        waits += done??;
    }
    Ok(waits)
}

/// Waits until `count` mails have arrived, and checks that each arrived once.
async fn all_arrived(host: &MailHost, count: usize) -> Result<()> {
    let mailbox = &host.rig.sink.mailbox;
    until_true(&format!("{count} mails to arrive"), TIMEOUT, async || Ok(mailbox.count()? >= count)).await?;
    let mut times = BTreeMap::new();
    for mail in mailbox.all()? {
        *times.entry(mail.subject().to_owned()).or_insert(0) += 1;
    }
    for number in 0..count {
        let times = times.remove(&format!("number {number}")).unwrap_or(0);
        ensure!(times == 1, "number {number} arrived {times} times");
    }
    ensure!(times.is_empty(), "these came from nowhere: {times:?}");
    host.wait_for_empty_queue(10).await
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn thousand_mails_arrive_once() -> Result<()> {
    let host = host_with_member("thousand", "pat37").await?;
    let waits = send_all(host.rig.smtp, "pat37@ubuntu.com", 1_000, Arc::default()).await?;
    ensure!(waits == 0, "{waits} mails had to wait");
    all_arrived(&host, 1_000).await
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn killed_alias_map_loses_no_mail() -> Result<()> {
    let mut host = host_with_member("killed", "pat38").await?;
    let accepted = Arc::new(AtomicUsize::new(0));
    let sending = tokio::spawn(send_all(host.rig.smtp, "pat38@ubuntu.com", 400, Arc::clone(&accepted)));
    for (at, down) in [(60, 1_500), (200, 300)] {
        until_true("some mails", 60, async || Ok(accepted.load(Ordering::Relaxed) > at)).await?;
        host.rig.kill_alias_map()?;
        tokio::time::sleep(Duration::from_millis(down)).await;
        host.rig.start_alias_map().await?;
    }
    let waits = sending.await??;
    ensure!(waits > 0, "no mail was deferred while alias-map was down");
    all_arrived(&host, 400).await
}

/// Look-ups that alias-map has answered, by map.
async fn lookups(host: &MailHost) -> Result<BTreeMap<String, u64>> {
    let url = format!("http://127.0.0.1:{}/metrics", host.rig.metrics);
    let text = reqwest::Client::builder().no_proxy().build()?.get(url).send().await?.text().await?;
    let mut lookups = BTreeMap::new();
    for line in text.lines() {
        let Some(counter) = line.strip_prefix("membermail_alias_map_lookups_total{map=\"") else { continue };
        let (map, rest) = counter.split_once('"').context("no map")?;
        let count: u64 = rest.rsplit_once(' ').context("no count")?.1.parse()?;
        *lookups.entry(map.to_owned()).or_insert(0) += count;
    }
    Ok(lookups)
}

/// At most: Postfix keeps some results for seconds. docs/mail.md lists them. Each takes about 30 µs of CPU in Postfix and
/// alias-map.
const LOOKUPS_OF_A_MAIL: [(&str, u64); 4] = [("alias", 3), ("domain", 4), ("reject", 1), ("return-path", 1)];

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn mail_needs_few_lookups() -> Result<()> {
    let host = host_with_member("lookups", "pat37").await?;
    // The first mail starts Postfix's processes.
    host.deliver("pat37@ubuntu.com", "first").await?;
    host.wait_for_empty_queue(10).await?;
    let mut before = lookups(&host).await?;
    host.deliver("pat37@ubuntu.com", "second").await?;
    host.wait_for_empty_queue(10).await?;
    let mut spent = lookups(&host).await?;
    spent.retain(|map, count| {
        *count -= before.remove(map).unwrap_or(0);
        *count > 0
    });
    let limits = BTreeMap::from(LOOKUPS_OF_A_MAIL);
    let is_allowed = |(map, count): (&String, &u64)| limits.get(map.as_str()).is_some_and(|limit| count <= limit);
    ensure!(spent.iter().all(is_allowed) && spent.contains_key("return-path"), "{spent:?}");
    Ok(())
}

/// As Postfix's processes do: one connection each, one lookup after the other.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn reload_under_load_drops_no_lookup() -> Result<()> {
    let mut host = host_with_member("reload", "pat24").await?;
    let stop = Arc::new(AtomicBool::new(false));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let endpoint = host.rig.endpoint.clone();
        let stop = Arc::clone(&stop);
        clients.spawn(async move {
            let mut client = Client::connect(&endpoint).await?;
            let mut count = 0;
            while !stop.load(Ordering::Relaxed) {
                let reply = client.request("alias", "pat24@ubuntu.com").await?;
                ensure!(reply == "OK pat24@mail.example", "after {count}: {reply}");
                count += 1;
            }
            Ok(count)
        });
    }
    let log = host.alias_map_log();
    for number in 1..=20 {
        // Alternate TTLs, so that lookups hit both settings; with 0 s each lookup reads the table.
        host.rig.change_settings(&format!("hits = \"{}s\"", number % 3))?;
        until_true("the settings to be read", 10, async || {
            Ok(std::fs::read_to_string(&log)?.matches("settings reloaded").count() == number)
        })
        .await?;
    }
    stop.store(true, Ordering::Relaxed);
    let mut total = 0;
    while let Some(count) = clients.join_next().await {
        total += count??;
    }
    ensure!(total > 1_000, "only {total} look-ups");
    Ok(())
}
