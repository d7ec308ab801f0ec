//! SMTP replies at RCPT: accepted and refused recipients, limits, and reserved names.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use membermail_postfix::config::Limits;
use membermail_postfix::smtp::{SmtpPhase, SmtpReply};
use membermail_tests::mail::{MailHost, OPERATORS, SENDER, WIDE};
use membermail_tests::stack::Stack;
use membermail_tests::table::text;
use membermail_tests::wait::until_true;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::{connect, host, host_with_member, member, refused, set_status};

/// Settings of `alias-map` without a cache.
const UNCACHED: &str = "hits = \"0s\"\nmisses = \"0s\"";

/// The reply for every suspended address, whatever the reason.
const SWITCHED_OFF: &str = "Recipient address rejected: This address is switched off";

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn mail_arrives_after_the_sign_in() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "arrives", "misses = \"0s\"").await?;
    let before = host.send("alice@ubuntu.com", "before").await?;
    // Another test may have signed her in already; here it only matters that her mail is accepted afterwards.
    ensure!(matches!(before, SmtpReply::Queued(_)) || refused(&before, "5.1.1", "User unknown"), "{before:?}");
    let browser = stack.sign_in_until("alice", "alice@ubuntu.com now forwards to alice@mail.example").await?;
    stack.page_with(&browser, "alice@kubuntu.org now forwards to alice@mail.example").await?;
    for (number, address) in ["alice@ubuntu.com", "alice@kubuntu.org", "Alice@Ubuntu.Com"].iter().enumerate() {
        let subject = format!("hello {number}");
        let mail = host.deliver(address, &subject).await?;
        ensure!(mail.recipients == ["alice@mail.example"], "{address} went to {:?}", mail.recipients);
        // The receiver checks SPF for this domain, which is the mail host's own.
        ensure!(mail.sender.ends_with("=elsewhere.example=sender@back.membermail.test"), "{}", mail.sender);
        let text = String::from_utf8_lossy(&mail.raw);
        ensure!(text.contains(&format!("From: A Sender <{SENDER}>")) && text.contains(&format!("To: <{address}>")));
        ensure!(mail.text().trim() == "A mail from elsewhere.", "{text}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn tag_is_kept_for_capable_destinations() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let mut host = host(&stack, "tags", "").await?;
    member(&stack, "pat30").await?;
    let mail = host.deliver("pat30+news@ubuntu.com", "a tag").await?;
    ensure!(mail.recipients == ["pat30@mail.example"], "{:?}", mail.recipients);
    host.rig.change_settings("takes-tags = [\"mail.example\"]")?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mail = host.deliver("Pat30+News@ubuntu.com", "a tag again").await?;
    ensure!(mail.recipients == ["pat30+News@mail.example"], "{:?}", mail.recipients);

    // A name with a plus is a tag of the name before it, so it gets no address.
    stack.add_person(json!({ "name": "pat30+bank", "teams": ["ubuntumembers"] })).await?;
    stack.sign_in_until("pat30+bank", "Your Launchpad name contains a +").await?;
    let mail = host.deliver("pat30+bank@ubuntu.com", "a tag that is a name too").await?;
    ensure!(mail.recipients == ["pat30+bank@mail.example"], "{:?}", mail.recipients);
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn unknown_recipients_are_refused_at_rcpt() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "refused", UNCACHED).await?;
    for (recipient, code, words) in [
        ("nobody-of-that-name@ubuntu.com", "5.1.1", "User unknown in virtual alias table"),
        ("nobody-of-that-name+tag@ubuntu.com", "5.1.1", "User unknown"),
        ("nobody-of-that-name@kubuntu.org", "5.1.1", "User unknown"),
    ] {
        let said = host.send(recipient, "refused").await?;
        ensure!(refused(&said, code, words), "{recipient}: {said:?}");
    }
    // Foreign domains, subdomains of ours and the host's own name are refused: no open relay, even from loopback.
    for recipient in ["bob@example.org", "alice@mail.ubuntu.com", "alice%example.org@mail.membermail.test"] {
        let said = host.send(recipient, "refused").await?;
        let relay = matches!(&said, SmtpReply::Rejected(SmtpPhase::Recipient, text) if text.starts_with("554") && text.contains("5.7.1"));
        ensure!(relay, "{recipient}: {said:?}");
    }
    member(&stack, "pat31").await?;
    let pat = "pat31@ubuntu.com";
    host.deliver(pat, "as long as it is active").await?;
    for (status, reason, code, words) in [
        ("suspended", "not-in-team", "5.2.1", SWITCHED_OFF),
        ("suspended", "banned", "5.2.1", SWITCHED_OFF),
        ("retired", "not-in-team", "5.1.6", "no longer in use"),
    ] {
        set_status(&stack, pat, status, reason).await?;
        for recipient in [pat, "PAT31+tag@Ubuntu.com"] {
            let said = host.send(recipient, "refused").await?;
            ensure!(refused(&said, code, words), "{status} {reason}: {said:?}");
        }
    }
    set_status(&stack, pat, "leaving", "not-in-team").await?;
    host.deliver(pat, "in the time of grace").await?;
    set_status(&stack, pat, "active", "eligible").await?;

    stack.sign_in_until("loop", "Switched off because mail would loop").await?;
    let said = host.send("loop@ubuntu.com", "refused").await?;
    ensure!(refused(&said, "5.2.1", SWITCHED_OFF), "{said:?}");
    ensure!(host.rig.sink.mailbox.all()?.iter().all(|mail| mail.subject() != "refused"));
    Ok(())
}

/// Local parts that need quotes, or dots in other places, each with a member or a reserved name in it.
const NO_DOT_ATOMS: [&str; 17] = [
    "pat32+a..b@ubuntu.com",
    "pat32+x.@ubuntu.com",
    r#""pat32+a b"@ubuntu.com"#,
    r#""pat32+x,y"@ubuntu.com"#,
    r#""pat32+<x>"@ubuntu.com"#,
    r#""pat32+\"x"@ubuntu.com"#,
    r#""pat32+\\"@ubuntu.com"#,
    r#""\"pat32\""@ubuntu.com"#,
    "bounce..x@ubuntu.com",
    r#""bounce x"@ubuntu.com"#,
    "ssl.@kubuntu.org",
    "srs0..@ubuntu.com",
    "srs0=..@ubuntu.com",
    r#""a b-request"@ubuntu.com"#,
    ".x-request@ubuntu.com",
    r#""postmaster+a b"@ubuntu.com"#,
    "postmaster+.@ubuntu.com",
];

/// smtpd looks these up without quotes and cleanup with them: what only smtpd finds would bounce to a forged sender.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn quoted_recipients_are_refused_at_rcpt() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "quoted", UNCACHED).await?;
    member(&stack, "pat32").await?;
    for recipient in NO_DOT_ATOMS {
        // A connection each, since Postfix slows a client with many errors down. The mailer would not send these addresses.
        let mut connection = connect(host.rig.smtp, None).await?;
        connection.command(format!("MAIL FROM:<{SENDER}>\r\n")).await?;
        let said = connection.command(format!("RCPT TO:<{recipient}>\r\n")).await;
        let said = said.err().with_context(|| format!("{recipient} was accepted"))?;
        let text = std::error::Error::source(&said).map(ToString::to_string).unwrap_or_default();
        ensure!(said.status().is_some_and(|code| u16::from(code) == 550), "{recipient}: {said:?}");
        ensure!(text.contains("5.1.1") && text.contains("User unknown"), "{recipient}: {text}");
        connection.quit().await?;
    }
    ensure!(host.rig.queued()?.is_empty() && host.rig.sink.mailbox.count()? == 0, "a refused mail left something");

    // Quotes that a dot-atom does not need name the same mailbox (RFC 5321, 4.1.2), and Postfix removes them.
    let mail = host.deliver("\"pat32\"@ubuntu.com", "needless quotes").await?;
    ensure!(mail.recipients == ["pat32@mail.example"], "{:?}", mail.recipients);
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn oversized_mail_is_refused() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let limits = Limits { messages_a_minute: 3, ..WIDE };
    let host = MailHost::start(&stack, "limits", &stack.endpoint_url, "", limits).await?;
    member(&stack, "pat32").await?;
    let mut mail = membermail_tests::mail::mail("pat32@ubuntu.com", "large");
    mail.extend("x".repeat(70).as_bytes().repeat(40_000).chunks(70).flat_map(|line| [line, b"\r\n"].concat()));
    let port = host.rig.smtp;
    let said = membermail_postfix::smtp::send(port, None, Some(SENDER), "pat32@ubuntu.com", &mail).await?;
    ensure!(matches!(&said, SmtpReply::Rejected(SmtpPhase::Message, text) if text.contains("5.3.4")), "{said:?}");
    let mut later = 0;
    for number in 0..4 {
        if let SmtpReply::Deferred(words) = host.send("pat32@ubuntu.com", &format!("often {number}")).await? {
            ensure!(words.starts_with("450") || words.starts_with("451"), "{words}");
            later += 1;
        }
    }
    ensure!(later >= 1, "four mails in a minute, where three are allowed, were all taken");
    Ok(())
}

/// The destination would refuse it later, and its bounce could not be delivered either (RFC 6531, 3.1).
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn non_ascii_sender_is_refused() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "non-ascii", "").await?;
    member(&stack, "pat32").await?;
    for sender in ["jörg@elsewhere.example", "ö@elsewhere.example"] {
        let mut connection = connect(host.rig.smtp, None).await?;
        connection.command(format!("MAIL FROM:<{sender}> BODY=8BITMIME\r\n")).await?;
        let said = connection.command("RCPT TO:<pat32@ubuntu.com>\r\n").await.err().context("it was accepted")?;
        let words = format!("{said:?}");
        ensure!(said.status().map(u16::from) == Some(553) && words.contains("5.6.7"), "{sender}: {words}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn rate_limited_client_is_deferred() -> Result<()> {
    let stack = Stack::of_this_run()?;
    member(&stack, "pat32").await?;
    for (name, limits, words) in [
        ("rate-recipients", Limits { recipients_a_minute: 3, ..WIDE }, "450 4.7.1 Error: too many recipients"),
        ("rate-connections", Limits { connections_a_minute: 3, ..WIDE }, "too many connections"),
    ] {
        let host = MailHost::start_as(&stack, name, |options| options.limits = limits).await?;
        let mut replies = Vec::new();
        for number in 0..5 {
            // A client with too many connections is refused in the greeting.
            replies.push(match host.send("pat32@ubuntu.com", &format!("often {number}")).await {
                Ok(SmtpReply::Queued(_)) => "accepted".to_owned(),
                Ok(SmtpReply::Deferred(words)) => words,
                Ok(SmtpReply::Rejected(_, words)) => bail!("refused for good: {words}"),
                Err(error) => format!("{error:#}"),
            });
        }
        let accepted = replies.iter().filter(|said| *said == "accepted").count();
        // anvil has counted the health check's connection.
        ensure!((2..=3).contains(&accepted), "{name}: {replies:?}");
        ensure!(replies[4].contains(words) && !replies[4].contains("permanent"), "{name}: {replies:?}");
    }

    let at_once = Limits { connections_at_once: 2, ..WIDE };
    let host = MailHost::start_as(&stack, "rate-at-once", |options| options.limits = at_once).await?;
    let port = host.rig.smtp;
    let held = [greeting(port).await?, greeting(port).await?];
    ensure!(held.iter().all(|(_, said)| said.starts_with("220 ")), "{held:?}");
    let (_, said) = greeting(port).await?;
    ensure!(said.starts_with("421 4.7.0 ") && said.contains("too many connections"), "{said}");
    drop(held);
    until_true("a free connection", 10, async || Ok(greeting(port).await?.1.starts_with("220 "))).await
}

/// Connects to the port; returns the connection and the server's greeting.
async fn greeting(port: u16) -> Result<(TcpStream, String)> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let mut greeting = [0; 200];
    let length = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut greeting)).await??;
    Ok((stream, String::from_utf8_lossy(&greeting[..length]).into_owned()))
}

/// A crash leaves the socket file behind.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn socket_works_again_after_crash() -> Result<()> {
    let mut host = host_with_member("unix", "pat32").await?;
    for round in ["first", "after a crash"] {
        host.deliver("pat32@ubuntu.com", &format!("{round}, by a socket")).await?;
        let said = host.send("nobody-of-that-name@ubuntu.com", "refused").await?;
        ensure!(refused(&said, "5.1.1", "User unknown"), "{said:?}");
        host.rig.kill_alias_map()?;
        host.rig.start_alias_map().await?;
    }
    Ok(())
}

/// A host on a table of the test, without a cache.
async fn host_of_table(stack: &Stack, name: &str, table: String) -> Result<MailHost> {
    MailHost::start_as(stack, name, |options| {
        options.table = table;
        UNCACHED.clone_into(&mut options.settings);
    })
    .await
}

pub(super) async fn put_verified_domain(stack: &Stack, table: &str, domain: &str) -> Result<()> {
    let put = stack.dynamodb().await.put_item().table_name(table).item("pk", text(format!("DOMAIN#{domain}")));
    put.item("sk", text("DOMAIN")).item("first_verified", text("2026-11-24T10:00:00Z")).send().await?;
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn reserved_names_reach_operators_without_admin() -> Result<()> {
    let stack = Stack::of_this_run()?;
    // A table of its own without admins, since other tests bind some in that of the stack.
    let table = stack.create_empty_table("mail-reserved").await?;
    put_verified_domain(&stack, &table, "kubuntu.org").await?;
    let host = host_of_table(&stack, "reserved", table).await?;
    for (number, local) in ["postmaster", "Abuse", "abuse+spam", "devel-request", "ssladmin"].iter().enumerate() {
        let mail = host.deliver(&format!("{local}@kubuntu.org"), &format!("reserved {number}")).await?;
        ensure!(mail.recipients == [OPERATORS], "{local} went to {:?}", mail.recipients);
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn new_domain_needs_no_postfix_reload() -> Result<()> {
    let stack = Stack::of_this_run()?;
    // A table of its own without domains, since other tests need verified ones in that of the stack.
    let table = stack.create_empty_table("mail-domains").await?;
    let host = host_of_table(&stack, "domains", table.clone()).await?;
    let said = host.send("nobody-here@lubuntu.me", "refused").await?;
    ensure!(matches!(&said, SmtpReply::Rejected(SmtpPhase::Recipient, text) if text.starts_with("554")), "{said:?}");
    put_verified_domain(&stack, &table, "lubuntu.me").await?;
    // Another address, since smtpd caches the last lookup.
    let said = host.send("nobody-there@lubuntu.me", "refused").await?;
    ensure!(refused(&said, "5.1.1", "User unknown"), "{said:?}");
    Ok(())
}
