//! A table outage: cached addresses are still served, other mail is deferred, and none is lost or refused.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use membermail_alias_map::client::Client;
use membermail_alias_map::endpoint::Endpoint;
use membermail_postfix::smtp::{SmtpPhase, SmtpReply};
use membermail_tests::mail::{MailHost, SENDER, WIDE, mail, tail};
use membermail_tests::proxy::{Line, Proxy};
use membermail_tests::stack::Stack;
use membermail_tests::wait::until_true;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{member, set_status};

async fn pause(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn cached_aliases_survive_table_outage() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let proxy = Proxy::before(&stack.endpoint_url).await?;
    let settings = "hits = \"1s\"\nmisses = \"1s\"\nstale = \"20s\"";
    let mut host = MailHost::start(&stack, "outage", &proxy.url, settings, WIDE).await?;
    member(&stack, "pat39").await?;
    member(&stack, "pat40").await?;
    let known = "pat39@ubuntu.com";
    host.deliver(known, "before").await?;
    let said = host.send("not-there@ubuntu.com", "refused").await?;
    ensure!(matches!(said, SmtpReply::Rejected(SmtpPhase::Recipient, _)), "{said:?}");
    let cached_at = Instant::now();

    proxy.set(Line::Cut);
    pause(1.5).await;
    // Cached, and older than the cache TTL: served stale while the table fails.
    host.deliver(known, "from the cache").await?;
    // Cache misses and negative entries: the address may exist by now, so the mail is deferred.
    for recipient in ["pat40@ubuntu.com", "not-there@ubuntu.com"] {
        let said = host.send(recipient, "waits at its sender").await?;
        ensure!(matches!(&said, SmtpReply::Deferred(text) if text.starts_with("451")), "{recipient}: {said:?}");
    }
    // Accepted while both the table and the destination are down: it waits in the queue.
    host.rig.sink.close();
    for number in 0..20 {
        host.accept(Some(SENDER), known, &mail(known, &format!("queued {number}"))).await?;
    }
    ensure!(cached_at.elapsed() < Duration::from_secs(18), "this machine is too slow for the times of this test");
    pause(21.0 - cached_at.elapsed().as_secs_f64()).await;
    let said = host.send(known, "known for too long").await?;
    ensure!(matches!(&said, SmtpReply::Deferred(text) if text.starts_with("451")), "{said:?}");

    proxy.set(Line::Whole);
    host.rig.sink.open().await?;
    pause(1.5).await;
    host.rig.flush()?;
    for number in 0..20 {
        host.wait_for_mail(&format!("queued {number}"), 60).await?;
    }
    host.deliver("pat40@ubuntu.com", "waits at its sender").await?;
    host.deliver(known, "known for too long").await?;
    host.wait_for_empty_queue(30).await?;
    let arrived = host.rig.sink.mailbox.count()?;
    ensure!(arrived == 24, "{arrived} mails arrived");
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn lookups_stay_fast_during_outage() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let proxy = Proxy::before(&stack.endpoint_url).await?;
    let host = MailHost::start(&stack, "silent", &proxy.url, "hits = \"2s\"\nmisses = \"1s\"", WIDE).await?;
    let mut client = Client::connect(&host.rig.endpoint).await?;
    member(&stack, "pat29").await?;
    let address = "pat29@ubuntu.com";
    ensure!(client.request("alias", address).await? == "OK pat29@mail.example");
    ensure!(client.request("reject", address).await? == "NOTFOUND ");
    set_status(&stack, address, "suspended", "banned").await?;
    ensure!(client.request("alias", address).await? == "OK pat29@mail.example", "it was queried again at once");
    let mut reply = String::new();
    until_true("the suspension", 5, async || {
        let mut client = Client::connect(&host.rig.endpoint).await?;
        reply = client.request("reject", address).await?;
        Ok(reply.starts_with("OK 550 5.2.1"))
    })
    .await
    .with_context(|| format!("the last reply was {reply:?}; alias-map logged {}", tail(&host.alias_map_log())))?;
    ensure!(client.request("alias", address).await? == "NOTFOUND ");
    set_status(&stack, address, "active", "eligible").await?;

    proxy.set(Line::Silent);
    for number in 0..6 {
        let begin = Instant::now();
        let reply = client.request("alias", &format!("pat2{number}@ubuntu.com")).await?;
        ensure!(reply.starts_with("TEMP "), "{reply}");
        ensure!(begin.elapsed() < Duration::from_secs(3), "it took {:?}", begin.elapsed());
    }
    // A foreign domain is answered without the table.
    ensure!(client.request("alias", "bob@example.org").await? == "NOTFOUND ");
    ensure!(client.request("domain", "example.org").await? == "NOTFOUND ");

    // A client that speaks another protocol.
    let Endpoint::Inet(at) = &host.rig.port_endpoint else { bail!("not on TCP") };
    let mut stranger = TcpStream::connect(at).await?;
    stranger.write_all(b"GET / HTTP/1.1\r\n\r\n").await?;
    let mut reply = String::new();
    stranger.read_to_string(&mut reply).await?;
    ensure!(reply == "14:PERM no length,", "{reply}");

    let metrics = format!("http://127.0.0.1:{}/metrics", host.rig.metrics);
    let metrics = reqwest::Client::builder().no_proxy().build()?.get(metrics).send().await?.text().await?;
    for name in [
        "lookups_total{map=\"alias\",outcome=\"temp\"}",
        "lookups_total{map=\"alias\",outcome=\"ok\"}",
        "table_errors_total",
        "malformed_total",
        "cache_total{outcome=\"hit\"}",
        "lookup_seconds_count",
        "table_seconds_count",
    ] {
        let value = metrics.lines().find_map(|line| line.strip_prefix(&format!("membermail_alias_map_{name} ")));
        ensure!(value.is_some_and(|value| value != "0"), "{name} is {value:?} in {metrics}");
    }
    let log = std::fs::read_to_string(host.alias_map_log()).context("the log of alias-map")?;
    ensure!(log.contains("table query failed") && log.lines().all(|line| line.starts_with('{')), "{log}");
    ensure!(!log.contains('@') && !metrics.contains('@'), "an address is in the log: {log}");
    Ok(())
}
