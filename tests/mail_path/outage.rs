//! The table stops in the middle: what is known goes on, what is not waits, and nothing is lost or refused for that.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use membermail_alias_map::client::Client;
use membermail_alias_map::endpoint::Endpoint;
use membermail_postfix::follow::{Said, Step};
use membermail_tests::mail::{MailHost, WIDE};
use membermail_tests::proxy::{Line, Proxy};
use membermail_tests::stack::Stack;
use membermail_tests::wait::until;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{member, set_status};

async fn pause(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
}

#[tokio::test]
async fn the_table_stops_and_comes_back() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let proxy = Proxy::before(&stack.endpoint_url).await?;
    let settings = "hits = \"1s\"\nmisses = \"1s\"\nstale = \"20s\"";
    let mut host = MailHost::start(&stack, "outage", &proxy.url, settings, WIDE).await?;
    member(&stack, "pat39").await?;
    member(&stack, "pat40").await?;
    let known = "pat39@ubuntu.com";
    host.deliver(known, "before").await?;
    let said = host.send("not-there@ubuntu.com", "refused").await?;
    ensure!(matches!(said, Said::Refused(Step::Recipient, _)), "{said:?}");
    let asked = Instant::now();

    proxy.set(Line::Cut);
    pause(1.5).await;
    // Known from before, and older than an answer may be while the table answers.
    host.deliver(known, "from the cache").await?;
    // Whom the cache does not know, and of whom it knows only that they were not there: both may be somebody by now.
    for recipient in ["pat40@ubuntu.com", "not-there@ubuntu.com"] {
        let said = host.send(recipient, "waits at its sender").await?;
        ensure!(matches!(&said, Said::Later(text) if text.starts_with("451")), "{recipient}: {said:?}");
    }
    // Taken while the table is away, and its destination is away as well: it waits in the queue.
    host.rig.inbox.close();
    for number in 0..20 {
        let said = host.send(known, &format!("queued {number}")).await?;
        ensure!(matches!(said, Said::Taken(_)), "{said:?}");
    }
    ensure!(asked.elapsed() < Duration::from_secs(18), "this machine is too slow for the times of this test");
    pause(21.0 - asked.elapsed().as_secs_f64()).await;
    let said = host.send(known, "known for too long").await?;
    ensure!(matches!(&said, Said::Later(text) if text.starts_with("451")), "{said:?}");

    proxy.set(Line::Whole);
    host.rig.inbox.open().await?;
    pause(1.5).await;
    host.rig.flush()?;
    for number in 0..20 {
        host.arrived(&format!("queued {number}"), 60).await?;
    }
    host.deliver("pat40@ubuntu.com", "waits at its sender").await?;
    host.deliver(known, "known for too long").await?;
    until("an empty queue", Duration::from_secs(30), || async { Ok(host.rig.queued()?.is_empty().then_some(())) })
        .await?;
    ensure!(host.rig.inbox.all()?.len() == 24, "{} mails arrived", host.rig.inbox.all()?.len());
    Ok(())
}

#[tokio::test]
async fn every_answer_comes_in_three_seconds_and_a_change_is_seen_in_time() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let proxy = Proxy::before(&stack.endpoint_url).await?;
    let host = MailHost::start(&stack, "silent", &proxy.url, "hits = \"2s\"\nmisses = \"1s\"", WIDE).await?;
    let mut client = Client::connect(&host.rig.endpoint).await?;
    member(&stack, "pat29").await?;
    let address = "pat29@ubuntu.com";
    ensure!(client.ask("alias", address).await? == "OK pat29@mail.example");
    ensure!(client.ask("reject", address).await? == "NOTFOUND ");
    set_status(&stack, address, "suspended", "banned").await?;
    ensure!(client.ask("alias", address).await? == "OK pat29@mail.example", "it was asked again at once");
    until("the suspension", Duration::from_secs(5), || async {
        let mut client = Client::connect(&host.rig.endpoint).await?;
        Ok(client.ask("reject", address).await?.starts_with("OK 550 5.2.1").then_some(()))
    })
    .await?;
    ensure!(client.ask("alias", address).await? == "NOTFOUND ");
    set_status(&stack, address, "active", "eligible").await?;

    proxy.set(Line::Silent);
    for number in 0..6 {
        let begin = Instant::now();
        let reply = client.ask("alias", &format!("pat2{number}@ubuntu.com")).await?;
        ensure!(reply.starts_with("TEMP "), "{reply}");
        ensure!(begin.elapsed() < Duration::from_secs(3), "it took {:?}", begin.elapsed());
    }
    // What cannot be ours needs no table.
    ensure!(client.ask("alias", "bob@example.org").await? == "NOTFOUND ");
    ensure!(client.ask("domain", "example.org").await? == "NOTFOUND ");

    // Somebody speaks another protocol there.
    let Endpoint::Inet(at) = &host.rig.endpoint else { bail!("not on TCP") };
    let mut stranger = TcpStream::connect(at).await?;
    stranger.write_all(b"GET / HTTP/1.1\r\n\r\n").await?;
    let mut told = String::new();
    stranger.read_to_string(&mut told).await?;
    ensure!(told == "14:PERM no length,", "{told}");

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
    let log = host.rig.log.with_file_name("alias-map.log");
    let log = std::fs::read_to_string(&log).context("the log of alias-map")?;
    ensure!(log.contains("no answer from the table") && log.lines().all(|line| line.starts_with('{')), "{log}");
    ensure!(!log.contains('@') && !metrics.contains('@'), "an address is in the log: {log}");
    Ok(())
}
