//! At the door: whom mail is for, and what others are told.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use membermail_alias_map::endpoint::Endpoint;
use membermail_postfix::config::Limits;
use membermail_postfix::follow::{Said, Step};
use membermail_postfix::rig::Options;
use membermail_tests::mail::{MailHost, OPERATORS, SENDER, WIDE};
use membermail_tests::stack::Stack;
use membermail_tests::wait::until;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::{PATIENCE, host, member, refused, set_status};

#[tokio::test]
async fn mail_arrives_after_the_sign_in() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "arrives", "misses = \"0s\"").await?;
    let before = host.send("alice@ubuntu.com", "before").await?;
    // Another story may have signed her in already; what matters here is that nobody is refused afterwards.
    ensure!(matches!(before, Said::Taken(_)) || refused(&before, "5.1.1", "User unknown"), "{before:?}");
    let (browser, _) = stack.sign_in("alice").await?;
    for domain in ["ubuntu.com", "kubuntu.org"] {
        stack.page_with(&browser, &format!("alice@{domain} now forwards to alice@mail.example"), PATIENCE).await?;
    }
    for (number, address) in ["alice@ubuntu.com", "alice@kubuntu.org", "Alice@Ubuntu.Com"].iter().enumerate() {
        let subject = format!("hello {number}");
        let mail = host.deliver(address, &subject).await?;
        ensure!(mail.recipients == ["alice@mail.example"], "{address} went to {:?}", mail.recipients);
        // SPF at the receiver is asked of this domain, and it is the mail host's own.
        ensure!(mail.sender.ends_with("@srs.membermail.test") && mail.sender.starts_with("SRS0="), "{}", mail.sender);
        let text = String::from_utf8_lossy(&mail.raw);
        ensure!(text.contains(&format!("From: A Sender <{SENDER}>")) && text.contains(&format!("To: <{address}>")));
        ensure!(mail.text.trim() == "A mail from elsewhere.", "{text}");
    }
    Ok(())
}

#[tokio::test]
async fn a_tag_is_taken_off_and_handed_on_where_it_is_understood() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let mut host = host(&stack, "tags", "").await?;
    member(&stack, "pat30").await?;
    let mail = host.deliver("pat30+news@ubuntu.com", "a tag").await?;
    ensure!(mail.recipients == ["pat30@mail.example"], "{:?}", mail.recipients);
    host.rig.change_settings("takes-tags = [\"mail.example\"]")?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mail = host.deliver("Pat30+News@ubuntu.com", "a tag again").await?;
    ensure!(mail.recipients == ["pat30+News@mail.example"], "{:?}", mail.recipients);

    // A name with a plus is a tag of the name before it, and has no address.
    stack.add(json!({ "name": "pat30+bank", "teams": ["ubuntumembers"] })).await?;
    let (browser, _) = stack.sign_in("pat30+bank").await?;
    stack.page_with(&browser, "Your Launchpad name contains a +", PATIENCE).await?;
    let mail = host.deliver("pat30+bank@ubuntu.com", "a tag that is a name too").await?;
    ensure!(mail.recipients == ["pat30+bank@mail.example"], "{:?}", mail.recipients);
    Ok(())
}

#[tokio::test]
async fn mail_to_anybody_else_is_refused_at_the_door() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "refused", "hits = \"0s\"\nmisses = \"0s\"").await?;
    for (recipient, code, words) in [
        ("nobody-of-that-name@ubuntu.com", "5.1.1", "User unknown in virtual alias table"),
        ("nobody-of-that-name+tag@ubuntu.com", "5.1.1", "User unknown"),
        ("nobody-of-that-name@kubuntu.org", "5.1.1", "User unknown"),
    ] {
        let said = host.send(recipient, "refused").await?;
        ensure!(refused(&said, code, words), "{recipient}: {said:?}");
    }
    // Neither a stranger's domain nor one below ours nor this host itself: no open relay, also not for loopback.
    for recipient in ["bob@example.org", "alice@mail.ubuntu.com", "alice%example.org@mail.membermail.test"] {
        let said = host.send(recipient, "refused").await?;
        let relay =
            matches!(&said, Said::Refused(Step::Recipient, text) if text.starts_with("554") && text.contains("5.7.1"));
        ensure!(relay, "{recipient}: {said:?}");
    }
    member(&stack, "pat31").await?;
    let pat = "pat31@ubuntu.com";
    host.deliver(pat, "as long as it is active").await?;
    for (status, reason, code, words) in [
        ("suspended", "not-in-team", "5.2.1", "no longer a member of the community"),
        ("suspended", "banned", "5.2.1", "This address is switched off"),
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

    let (browser, _) = stack.sign_in("loop").await?;
    stack.page_with(&browser, "Switched off: mail would go round in a circle", PATIENCE).await?;
    let said = host.send("loop@ubuntu.com", "refused").await?;
    ensure!(refused(&said, "5.4.6", "forwards to itself"), "{said:?}");
    ensure!(host.rig.inbox.all()?.iter().all(|mail| mail.subject != "refused"));
    Ok(())
}

#[tokio::test]
async fn what_is_too_large_or_too_often_is_refused() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let limits = Limits { messages_a_minute: 3, ..WIDE };
    let host = MailHost::start(&stack, "limits", &stack.endpoint_url, "", limits).await?;
    member(&stack, "pat32").await?;
    let mut mail = membermail_tests::mail::mail("pat32@ubuntu.com", "large");
    mail.extend("x".repeat(70).as_bytes().repeat(40_000).chunks(70).flat_map(|line| [line, b"\r\n"].concat()));
    let port = host.rig.smtp;
    let said = membermail_postfix::follow::send(port, None, Some(SENDER), "pat32@ubuntu.com", &mail).await?;
    ensure!(matches!(&said, Said::Refused(Step::Message, text) if text.contains("5.3.4")), "{said:?}");
    let mut later = 0;
    for number in 0..4 {
        if let Said::Later(words) = host.send("pat32@ubuntu.com", &format!("often {number}")).await? {
            ensure!(words.starts_with("450") || words.starts_with("451"), "{words}");
            later += 1;
        }
    }
    ensure!(later >= 1, "four mails in a minute, where three are allowed, were all taken");
    Ok(())
}

#[tokio::test]
async fn who_comes_too_often_waits() -> Result<()> {
    let stack = Stack::of_this_run()?;
    member(&stack, "pat32").await?;
    for (name, limits, words) in [
        ("rate-recipients", Limits { recipients_a_minute: 3, ..WIDE }, "450 4.7.1 Error: too many recipients"),
        ("rate-connections", Limits { connections_a_minute: 3, ..WIDE }, "too many connections"),
    ] {
        let host = MailHost::start_as(&stack, name, |options| options.limits = limits).await?;
        let mut told = Vec::new();
        for number in 0..5 {
            // Too many connections are told so before anything else is said.
            told.push(match host.send("pat32@ubuntu.com", &format!("often {number}")).await {
                Ok(Said::Taken(_)) => "taken".to_owned(),
                Ok(Said::Later(words)) => words,
                Ok(Said::Refused(_, words)) => bail!("refused for good: {words}"),
                Err(error) => format!("{error:#}"),
            });
        }
        let taken = told.iter().filter(|said| *said == "taken").count();
        // anvil has counted the one that looked whether Postfix is up.
        ensure!((2..=3).contains(&taken), "{name}: {told:?}");
        ensure!(told[4].contains(words) && !told[4].contains("permanent"), "{name}: {told:?}");
    }

    let at_once = Limits { connections_at_once: 2, ..WIDE };
    let host = MailHost::start_as(&stack, "rate-at-once", |options| options.limits = at_once).await?;
    let greeting = async || -> Result<(TcpStream, String)> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, host.rig.smtp)).await?;
        let mut greeting = [0; 200];
        let length = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut greeting)).await??;
        Ok((stream, String::from_utf8_lossy(&greeting[..length]).into_owned()))
    };
    let held = [greeting().await?, greeting().await?];
    ensure!(held.iter().all(|(_, said)| said.starts_with("220 ")), "{held:?}");
    let (_, said) = greeting().await?;
    ensure!(said.starts_with("421 4.7.0 ") && said.contains("too many connections"), "{said}");
    drop(held);
    until("a place", Duration::from_secs(10), || async { Ok(greeting().await?.1.starts_with("220 ").then_some(())) })
        .await
}

/// By a UNIX socket, as systemd's unit has it made.
#[tokio::test]
async fn postfix_asks_by_a_unix_socket_too() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let socket = |options: &mut Options| options.socket = Some(options.folder.join("maps"));
    let mut host = MailHost::start_as(&stack, "unix", socket).await?;
    ensure!(matches!(host.rig.endpoint, Endpoint::Unix(_)));
    member(&stack, "pat32").await?;
    for round in ["first", "after a crash"] {
        host.deliver("pat32@ubuntu.com", &format!("{round}, by a socket")).await?;
        let said = host.send("nobody-of-that-name@ubuntu.com", "refused").await?;
        ensure!(refused(&said, "5.1.1", "User unknown"), "{said:?}");
        host.rig.kill_alias_map()?;
        host.rig.start_alias_map().await?;
    }
    Ok(())
}

#[tokio::test]
async fn reserved_names_reach_the_operators_without_admin() -> Result<()> {
    let stack = Stack::of_this_run()?;
    // A table without an admin; in that of the stack, other tests bind some.
    let table = stack.table_apart("mail-reserved").await?;
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let put = stack.dynamodb().await.put_item().table_name(&table).item("pk", text("DOMAIN#kubuntu.org"));
    put.item("sk", text("DOMAIN")).item("verified", text("2026-11-24T10:00:00Z")).send().await?;
    let host = MailHost::start_as(&stack, "reserved", |options| {
        options.table = table.clone();
        options.settings = "hits = \"0s\"\nmisses = \"0s\"".to_owned();
    })
    .await?;
    for (number, local) in ["postmaster", "Abuse", "abuse+spam", "devel-request", "ssladmin"].iter().enumerate() {
        let mail = host.deliver(&format!("{local}@kubuntu.org"), &format!("reserved {number}")).await?;
        ensure!(mail.recipients == [OPERATORS], "{local} went to {:?}", mail.recipients);
    }
    Ok(())
}

#[tokio::test]
async fn a_new_domain_needs_no_reload_of_postfix() -> Result<()> {
    let stack = Stack::of_this_run()?;
    // A table where no domain is known yet; in that of the stack, others need theirs verified.
    let table = stack.table_apart("mail-domains").await?;
    let host = MailHost::start_as(&stack, "domains", |options| {
        options.table = table.clone();
        options.settings = "hits = \"0s\"\nmisses = \"0s\"".to_owned();
    })
    .await?;
    let said = host.send("nobody-here@lubuntu.me", "refused").await?;
    ensure!(matches!(&said, Said::Refused(Step::Recipient, text) if text.starts_with("554")), "{said:?}");
    for (number, (domain, mark)) in [
        // Given addresses before that time was kept; and proven once, and not any more.
        ("lubuntu.me", "verified"),
        ("ubuntu.net", "first_verified"),
    ]
    .into_iter()
    .enumerate()
    {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let put = stack.dynamodb().await.put_item().table_name(&table);
        let put = put.item("pk", text(&format!("DOMAIN#{domain}"))).item("sk", text("DOMAIN"));
        put.item(mark, text("2026-11-24T10:00:00Z")).send().await?;
        // Another address each: smtpd remembers the last one that it resolved.
        let said = host.send(&format!("nobody-{number}@{domain}"), "refused").await?;
        ensure!(refused(&said, "5.1.1", "User unknown"), "{domain}: {said:?}");
    }
    Ok(())
}
