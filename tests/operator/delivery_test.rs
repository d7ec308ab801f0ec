//! `membermail alias test`, through a real Postfix. [`membermail`] checks that no destination is printed.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::status::Component;
use membermail_tests::mail::{MailHost, WIDE};
use membermail_tests::stack::Stack;
use membermail_tests::wait::until_true;
use tokio::process::Command;

use crate::TEAM;
use crate::command::{CommandOutput, membermail, membermail_fed};

const SETTINGS: &str = "hits = \"0s\"\nmisses = \"0s\"";

async fn host(stack: &Stack, name: &str) -> Result<MailHost> {
    MailHost::start(stack, name, &stack.endpoint_url, SETTINGS, WIDE).await
}

/// The mail host of a test.
struct Target {
    port: String,
    log: String,
}

fn target(host: &MailHost) -> Target {
    Target { port: host.rig.smtp.to_string(), log: host.rig.log.display().to_string() }
}

/// Runs the command with this mail host and its log.
async fn test(stack: &Stack, target: &Target, arguments: &[&str]) -> Result<CommandOutput> {
    test_with_input(stack, target, &[&["--mail-log", &target.log], arguments].concat(), Stdio::null()).await
}

async fn test_with_input(stack: &Stack, target: &Target, arguments: &[&str], input: Stdio) -> Result<CommandOutput> {
    let command = ["alias", "test", "--mail-host", "127.0.0.1", "--mail-port", &target.port];
    membermail_fed(stack, &[&command, arguments].concat(), input).await
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn test_mail_is_followed_to_delivery() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.resident("ubuntu.com", TEAM, "op-tested").await?;
    let host = host(&stack, "op-tested").await?;
    let target = target(&host);
    let relay = format!("127.0.0.1[127.0.0.1]:{}", host.rig.sink.port);

    let output = test(&stack, &target, &["Op-Tested@ubuntu.com"]).await?.succeeds()?;
    let lines: Vec<_> = output.out.lines().collect();
    ensure!(lines.len() == 5, "{}", output.out);
    ensure!(lines[0].starts_with("accepted       250 2.1.5") && lines[1].starts_with("queued as      "), "{lines:?}");
    ensure!(lines[2] == format!("sent to        the member's mailbox, via {relay}"), "{lines:?}");
    ensure!(lines[3].starts_with("delivered      after ") && lines[3].contains(" s: 2.0.0 250 "), "{lines:?}");
    ensure!(lines[4].starts_with("op-tested@ubuntu.com: delivered ("), "{lines:?}");
    let arrived = host.wait_for_mail("Test of op-tested@ubuntu.com", 5).await?;
    ensure!(
        arrived.recipients == ["op-tested@mail.example"] && arrived.text().contains("You do not have to do anything"),
        "{arrived:?}"
    );
    // The sender is not in the community, so that DMARC does not apply to its domains.
    let from = "From: <postmaster@mail.membermail.test>";
    let sender = "=mail.membermail.test=postmaster@back.membermail.test";
    ensure!(String::from_utf8_lossy(&arrived.raw).contains(from), "{arrived:?}");
    ensure!(arrived.sender.ends_with(sender), "{arrived:?}");

    let sender = ["op-tested+tag@ubuntu.com", "--sender", "kim@elsewhere.example", "--json"];
    let report = test(&stack, &target, &sender).await?.succeeds()?.json()?;
    ensure!(report["outcome"] == "delivered" && report["address"] == "op-tested+tag@ubuntu.com", "{report}");
    let attempts = report["tries"].as_array().context("no tries")?;
    ensure!(attempts.len() == 1 && attempts[0]["to"] == "member" && attempts[0]["relay"] == relay.as_str(), "{report}");
    ensure!(
        attempts[0]["status"] == "sent" && report["queue_id"].is_string() && report["seconds"].is_f64(),
        "{report}"
    );
    let arrived = host.wait_for_mail("Test of op-tested+tag@ubuntu.com", 5).await?;
    ensure!(arrived.sender.ends_with("=elsewhere.example=kim@back.membermail.test"), "{arrived:?}");

    // A reserved address reaches an admin.
    let report = test(&stack, &target, &["postmaster@ubuntu.com", "--json"]).await?.succeeds()?.json()?;
    ensure!(report["outcome"] == "delivered" && report["tries"][0]["to"] == "admin", "{report}");

    // The log from standard input, as with journalctl.
    let mut tail = Command::new("tail");
    let mut tail =
        tail.args(["--lines=0", "--follow"]).arg(&host.rig.log).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let lines: Stdio = tail.stdout.take().context("no pipe")?.try_into()?;
    let arguments = ["--mail-log", "-", "op-tested@ubuntu.com", "--json"];
    let report = test_with_input(&stack, &target, &arguments, lines).await?.succeeds()?.json()?;
    ensure!(report["outcome"] == "delivered", "{report}");
    tail.kill().await?;
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn rejection_shows_reply_of_mail_host() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.resident("ubuntu.com", TEAM, "op-untested").await?;
    let mut host = host(&stack, "op-untested").await?;
    let target = target(&host);

    let unknown = test(&stack, &target, &["nobody-of-that-name@ubuntu.com"]).await?.exits_with(3)?;
    ensure!(unknown.out.contains("unknown address"), "{}", unknown.out);
    ensure!(unknown.err.contains("550 5.1.1") && unknown.err.contains("User unknown"), "{}", unknown.err);

    membermail(&stack, &["member", "ban", "op-untested", "--as", "kim"]).await?.succeeds()?;
    let refused = test(&stack, &target, &["op-untested@ubuntu.com", "--json"]).await?.exits_with(1)?;
    let report = refused.json()?;
    ensure!(report["outcome"] == "refused" && report["queue_id"].is_null(), "{report}");
    let door = report["door"].as_str().unwrap_or_default();
    ensure!(door.starts_with("550 5.2.1") && door.contains("This address is switched off"), "{report}");
    ensure!(refused.err.contains("\"error\":\"failed\"") && refused.err.contains("switched off"), "{}", refused.err);

    // Not an address of this host.
    let foreign = test(&stack, &target, &["bob@example.org"]).await?.exits_with(1)?;
    ensure!(foreign.err.contains("554 5.7.1") && foreign.err.contains("Relay access denied"), "{}", foreign.err);

    host.rig.kill_alias_map()?;
    let later = test(&stack, &target, &["op-untested@ubuntu.com", "--json"]).await?.exits_with(5)?;
    ensure!(later.json()?["outcome"] == "later" && later.err.contains(" now: 451 4.3."), "{} {}", later.out, later.err);

    for (arguments, code) in [
        (&["op-untested"][..], 2),
        (&["op-untested@ubuntu.com", "--sender", "nobody"], 2),
        (&["op-untested@ubuntu.com", "--mail-log", "/nowhere/mail.log"], 1),
        // No server listens there.
        (&["op-untested@ubuntu.com", "--mail-host", "127.0.0.9", "--mail-log", "/dev/null"], 1),
    ] {
        let command = ["alias", "test", "--mail-port", &target.port];
        let output = membermail(&stack, &[&command, arguments].concat()).await?.exits_with(code)?;
        ensure!(output.out.is_empty() && !output.err.is_empty(), "{arguments:?}: {} {}", output.out, output.err);
    }
    Ok(())
}

/// The systemd timer on the mail host runs it like this.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn canary_counts_for_status_page() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.resident("ubuntu.com", TEAM, "op-canary").await?;
    let host = host(&stack, "op-canary").await?;
    let target = target(&host);
    let store = stack.store().await;
    let counts = async || -> Result<(u32, u32)> {
        let history = store.status_history(Component::Mail, SystemClock.now()).await?;
        let sums = history.days().iter().map(|day| (day.good, day.failed));
        Ok(sums.fold((0, 0), |(good, failed), day| (good + day.0, failed + day.1)))
    };
    // A test without the flag, and one that is not carried out, count nothing.
    let address = "op-canary@ubuntu.com";
    let before = counts().await?;
    test(&stack, &target, &[address]).await?.succeeds()?;
    test(&stack, &target, &[address, "--canary", "--sender", "nobody"]).await?.exits_with(2)?;
    ensure!(counts().await? == before, "{:?}", counts().await?);

    // The key of the canary reads no stack, so it gets the name of the table.
    let arguments = [address, "--canary", "--table", stack.table.as_str(), "--stack", "none"];
    let counted = test(&stack, &target, &arguments).await?.succeeds()?;
    ensure!(counted.err.contains("counted for the status page"), "{}", counted.err);
    ensure!(counts().await? == (before.0 + 1, before.1), "{:?}", counts().await?);
    // A second run in the same interval does not count, unless the interval has just ended.
    let unknown = ["nobody-of-that-name@ubuntu.com", "--canary"];
    let again = test(&stack, &target, &unknown).await?.exits_with(3)?;
    let failed = u32::from(!again.err.contains("not counted for the status page"));
    ensure!(counts().await? == (before.0 + 1, before.1 + failed), "{:?} {}", counts().await?, again.err);
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn unreachable_destination_is_retried_until_timeout() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.resident("ubuntu.com", TEAM, "op-deferred").await?;
    let mut host = host(&stack, "op-deferred").await?;
    let target = target(&host);
    host.rig.sink.close();
    let deferred =
        test(&stack, &target, &["op-deferred@ubuntu.com", "--timeout", "4", "--json"]).await?.exits_with(5)?;
    let report = deferred.json()?;
    ensure!(report["outcome"] == "deferred" && report["tries"][0]["status"] == "deferred", "{report}");
    ensure!(report["tries"][0]["reply"].as_str().is_some_and(|reply| reply.contains("Connection refused")), "{report}");
    ensure!(deferred.err.contains("stays in the queue"), "{}", deferred.err);

    // Every attempt is reported until the mail is delivered.
    let waiting = test(&stack, &target, &["op-deferred@ubuntu.com", "--timeout", "60", "--json"]);
    let log = host.rig.log.clone();
    let (output, opened) = tokio::join!(waiting, async {
        // The first mail is still in the queue, and is tried again as well.
        until_true("a deferral of the second mail", 60, async || Ok(deferred_mails(&log)? == 2)).await?;
        host.rig.sink.open().await
    });
    opened?;
    let report = output?.succeeds()?.json()?;
    let statuses: Vec<_> =
        report["tries"].as_array().context("no tries")?.iter().map(|attempt| &attempt["status"]).collect();
    ensure!(statuses.len() > 1 && statuses[0] == "deferred" && statuses[statuses.len() - 1] == "sent", "{report}");
    ensure!(report["outcome"] == "delivered", "{report}");
    Ok(())
}

/// The number of mails with a deferral in Postfix's log.
fn deferred_mails(log: &Path) -> Result<usize> {
    let log = std::fs::read_to_string(log)?;
    let deferrals = log.lines().filter(|line| line.contains("status=deferred"));
    // "<time> <host> postfix/smtp[<pid>]: <queue id>: to=<…>, …"
    let ids = deferrals.filter_map(|line| line.split_once("]: ")?.1.split_once(':'));
    Ok(ids.map(|(id, _)| id).collect::<BTreeSet<_>>().len())
}
