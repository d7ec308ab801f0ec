//! `membermail alias test`: a mail is sent to an address and followed through a real Postfix, and nobody's own address is
//! told. [`membermail`] itself looks for that.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use membermail_tests::mail::{MailHost, WIDE};
use membermail_tests::stack::Stack;
use serde_json::json;
use tokio::process::Command;

use crate::command::{Said, membermail, membermail_fed};
use crate::{TEAM, somebody};

const SETTINGS: &str = "hits = \"0s\"\nmisses = \"0s\"";

async fn host(stack: &Stack, name: &str) -> Result<MailHost> {
    MailHost::start(stack, name, &stack.endpoint_url, SETTINGS, WIDE).await
}

/// Where the command finds a mail host.
struct At {
    port: String,
    log: String,
}

fn at(host: &MailHost) -> At {
    At { port: host.rig.smtp.to_string(), log: host.rig.log.display().to_string() }
}

/// The command at this mail host, whose log it reads.
async fn test(stack: &Stack, at: &At, arguments: &[&str]) -> Result<Said> {
    fed(stack, at, &[&["--mail-log", &at.log], arguments].concat(), Stdio::null()).await
}

async fn fed(stack: &Stack, at: &At, arguments: &[&str], input: Stdio) -> Result<Said> {
    let place = ["alias", "test", "--mail-host", "127.0.0.1", "--mail-port", &at.port];
    membermail_fed(stack, &[&place, arguments].concat(), input).await
}

#[tokio::test]
async fn a_test_mail_is_followed_to_its_delivery() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.add(json!({ "name": "op-tested", "teams": [TEAM] })).await?;
    somebody(&stack, "op-tested").await?;
    let host = host(&stack, "op-tested").await?;
    let at = at(&host);
    let relay = format!("127.0.0.1[127.0.0.1]:{}", host.rig.inbox.port);

    let said = test(&stack, &at, &["Op-Tested@ubuntu.com"]).await?.done()?;
    let lines: Vec<_> = said.out.lines().collect();
    ensure!(lines.len() == 5, "{}", said.out);
    ensure!(lines[0].starts_with("taken at RCPT  250 2.1.5") && lines[1].starts_with("queued as      "), "{lines:?}");
    ensure!(lines[2] == format!("goes to        the member's own mailbox, by {relay}"), "{lines:?}");
    ensure!(lines[3].starts_with("delivered      after ") && lines[3].contains(" s: 2.0.0 250 "), "{lines:?}");
    ensure!(lines[4].starts_with("op-tested@ubuntu.com: mail arrives ("), "{lines:?}");
    let arrived = host.arrived("Test of op-tested@ubuntu.com", 5).await?;
    ensure!(
        arrived.recipients == ["op-tested@mail.example"] && arrived.text.contains("There is nothing for you to do"),
        "{arrived:?}"
    );
    // From nobody whom a destination would ask the community's DNS about.
    let (from, sender) =
        ("From: <postmaster@mail.membermail.test>", "=mail.membermail.test=postmaster@srs.membermail.test");
    ensure!(String::from_utf8_lossy(&arrived.raw).contains(from), "{arrived:?}");
    ensure!(arrived.sender.starts_with("SRS0=") && arrived.sender.ends_with(sender), "{arrived:?}");

    let sender = ["op-tested+tag@ubuntu.com", "--sender", "kim@elsewhere.example", "--json"];
    let told = test(&stack, &at, &sender).await?.done()?.json()?;
    ensure!(told["outcome"] == "delivered" && told["address"] == "op-tested+tag@ubuntu.com", "{told}");
    let tries = told["tries"].as_array().context("no tries")?;
    ensure!(tries.len() == 1 && tries[0]["to"] == "member" && tries[0]["relay"] == relay.as_str(), "{told}");
    ensure!(tries[0]["status"] == "sent" && told["queue_id"].is_string() && told["seconds"].is_f64(), "{told}");
    let arrived = host.arrived("Test of op-tested+tag@ubuntu.com", 5).await?;
    ensure!(arrived.sender.starts_with("SRS0=") && arrived.sender.ends_with("=kim@srs.membermail.test"), "{arrived:?}");

    // A name that is nobody's, and reaches an admin.
    let told = test(&stack, &at, &["postmaster@ubuntu.com", "--json"]).await?.done()?.json()?;
    ensure!(told["outcome"] == "delivered" && told["tries"][0]["to"] == "admin", "{told}");

    // Where the log is a journal, its lines come by standard input.
    let mut tail = Command::new("tail");
    let mut tail =
        tail.args(["--lines=0", "--follow"]).arg(&host.rig.log).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let lines: Stdio = tail.stdout.take().context("no pipe")?.try_into()?;
    let arguments = ["--mail-log", "-", "op-tested@ubuntu.com", "--json"];
    let told = fed(&stack, &at, &arguments, lines).await?.done()?.json()?;
    ensure!(told["outcome"] == "delivered", "{told}");
    tail.kill().await?;
    Ok(())
}

#[tokio::test]
async fn who_takes_no_mail_is_told_in_the_servers_words() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.add(json!({ "name": "op-untested", "teams": [TEAM] })).await?;
    somebody(&stack, "op-untested").await?;
    let mut host = host(&stack, "op-untested").await?;
    let at = at(&host);

    let unknown = test(&stack, &at, &["nobody-of-that-name@ubuntu.com"]).await?.ended_with(3)?;
    ensure!(unknown.out.contains("there is no such address"), "{}", unknown.out);
    ensure!(unknown.err.contains("550 5.1.1") && unknown.err.contains("User unknown"), "{}", unknown.err);

    membermail(&stack, &["member", "ban", "op-untested", "--as", "kim"]).await?.done()?;
    let refused = test(&stack, &at, &["op-untested@ubuntu.com", "--json"]).await?.ended_with(1)?;
    let told = refused.json()?;
    ensure!(told["outcome"] == "refused" && told["queue_id"].is_null(), "{told}");
    let door = told["door"].as_str().unwrap_or_default();
    ensure!(door.starts_with("550 5.2.1") && door.contains("This address is switched off"), "{told}");
    ensure!(refused.err.contains("\"error\":\"failed\"") && refused.err.contains("switched off"), "{}", refused.err);

    // Not an address of this host's.
    let foreign = test(&stack, &at, &["bob@example.org"]).await?.ended_with(1)?;
    ensure!(foreign.err.contains("554 5.7.1") && foreign.err.contains("Relay access denied"), "{}", foreign.err);

    host.rig.kill_alias_map()?;
    let later = test(&stack, &at, &["op-untested@ubuntu.com", "--json"]).await?.ended_with(5)?;
    ensure!(later.json()?["outcome"] == "later" && later.err.contains(" now: 451 4.3."), "{} {}", later.out, later.err);

    for (arguments, code) in [
        (&["op-untested"][..], 2),
        (&["op-untested@ubuntu.com", "--sender", "nobody"], 2),
        (&["op-untested@ubuntu.com", "--mail-log", "/nowhere/mail.log"], 1),
        // Nobody listens there.
        (&["op-untested@ubuntu.com", "--mail-host", "127.0.0.9", "--mail-log", "/dev/null"], 1),
    ] {
        let place = ["alias", "test", "--mail-port", &at.port];
        let said = membermail(&stack, &[&place, arguments].concat()).await?;
        let said = said.ended_with(code)?;
        ensure!(said.out.is_empty() && !said.err.is_empty(), "{arguments:?}: {} {}", said.out, said.err);
    }
    Ok(())
}

#[tokio::test]
async fn a_destination_that_is_down_is_waited_for_as_long_as_asked() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.add(json!({ "name": "op-deferred", "teams": [TEAM] })).await?;
    somebody(&stack, "op-deferred").await?;
    let mut host = host(&stack, "op-deferred").await?;
    let at = at(&host);
    host.rig.inbox.close();
    let deferred = test(&stack, &at, &["op-deferred@ubuntu.com", "--patience", "4", "--json"]).await?.ended_with(5)?;
    let told = deferred.json()?;
    ensure!(told["outcome"] == "deferred" && told["tries"][0]["status"] == "deferred", "{told}");
    ensure!(told["tries"][0]["reply"].as_str().is_some_and(|reply| reply.contains("Connection refused")), "{told}");
    ensure!(deferred.err.contains("stays in the queue"), "{}", deferred.err);

    // It is told of every try until the mail is there.
    let waiting = test(&stack, &at, &["op-deferred@ubuntu.com", "--patience", "60", "--json"]);
    let (said, opened) = tokio::join!(waiting, async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        host.rig.inbox.open().await
    });
    opened?;
    let told = said?.done()?.json()?;
    let statuses: Vec<_> = told["tries"].as_array().context("no tries")?.iter().map(|one| &one["status"]).collect();
    ensure!(statuses.len() > 1 && statuses[0] == "deferred" && statuses[statuses.len() - 1] == "sent", "{told}");
    ensure!(told["outcome"] == "delivered", "{told}");
    Ok(())
}
