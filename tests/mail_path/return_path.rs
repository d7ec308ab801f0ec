//! The envelope sender of forwarded mail, and the addresses to which its bounces return.

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use membermail_alias_map::client::Client;
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::master::MasterKeys;
use membermail_postfix::smtp::{SmtpReply, send};
use membermail_return_path::{ReturnPath, Sender};
use membermail_test_mail_host::options::RETURN_PATH_DOMAIN;
use membermail_tests::mail::{MailHost, OPERATORS, SENDER, WIDE, mail};
use membermail_tests::proxy::{Line, Proxy};
use membermail_tests::stack::Stack;
use serde_json::json;

use super::{connect, host, member, refused};

/// Senders in their external form, as in `MAIL FROM`.
const SENDERS: [&str; 21] = [
    "plain@lists.example",
    "Ann.Lee@lists.example",
    "bounces+ann=ubuntu.com@lists.example",
    "prvs=1234abcd=ann@lists.example",
    "SRS0=HHH=TT=home.example=user@fwd.example",
    "SRS1=HHH=fwd.example==HHH=TT=home.example=user@again.example",
    "SRS1=x@lists.example",
    "0102018f0c8e3a4b-5c6d7e8f-1234-5678-9abc-def012345678-000000@eu-west-1.amazonses.com",
    "bounce-1234567_HTML-123456789-1234567-123456-12345@bounce.a-rather-long-name.lists.example",
    "\"john doe\"@lists.example",
    "\"a@b\"@lists.example",
    "\"a,b;c\"@lists.example",
    "dot.@lists.example",
    "two..dots@lists.example",
    ".dot@lists.example",
    "user@[192.0.2.1]",
    "100%off@lists.example",
    "host!user@lists.example",
    "o'brien@lists.example",
    "a/b@lists.example",
    "under_score#tag$x@lists.example",
];

/// Postfix's form of a sender, in which it looks it up: local parts that are no dot-atom are quoted.
fn quoted(sender: &str) -> String {
    match sender {
        "dot.@lists.example" => "\"dot.\"@lists.example".to_owned(),
        "two..dots@lists.example" => "\"two..dots\"@lists.example".to_owned(),
        ".dot@lists.example" => "\".dot\"@lists.example".to_owned(),
        _ => sender.to_owned(),
    }
}

/// Sends a mail with this `MAIL FROM`, which the mailer need not accept; returns the reply of the refusal.
async fn send_as(host: &MailHost, sender: &str, recipient: &str, subject: &str) -> Result<Option<String>> {
    // A connection each, since Postfix slows a client with many errors down.
    let mut connection = connect(host.rig.smtp, None).await?;
    connection.command(format!("MAIL FROM:<{sender}>\r\n")).await.with_context(|| sender.to_owned())?;
    let said = connection.command(format!("RCPT TO:<{recipient}>\r\n")).await;
    let refusal = match said {
        Ok(_) => {
            connection.command("DATA\r\n").await?;
            connection.message(&mail(recipient, subject)).await.err()
        }
        Err(refusal) => Some(refusal),
    };
    connection.quit().await?;
    Ok(refusal.map(|refusal| {
        let code = refusal.status().map(|code| code.to_string()).unwrap_or_default();
        let text = std::error::Error::source(&refusal).map(ToString::to_string).unwrap_or_default();
        format!("{code} {text}")
    }))
}

/// Return-path addresses of this stack, also those of another time or domain.
struct Tokens(MasterKeys);

impl Tokens {
    async fn of(stack: &Stack) -> Result<Self> {
        let secret = stack.secrets().await.get_secret_value().secret_id(&stack.master_secret_arn).send().await?;
        let secret = secret.secret_string().context("no master secret")?;
        Ok(Self(MasterKeys::new(secret.as_bytes().to_vec().into(), None)))
    }

    fn address(&self, domain: &str, at: Timestamp) -> Result<String> {
        let return_path = ReturnPath::new(&self.0, domain.parse()?);
        Ok(return_path.for_sender(&Sender::parse(SENDER)?, at).expose().to_owned())
    }
}

fn days_ago(days: i64) -> Timestamp {
    SystemClock.now() - SignedDuration::from_hours(24 * days)
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn any_sender_is_rewritten_and_returns() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "senders", "").await?;
    member(&stack, "pat33").await?;
    let mut client = Client::connect(&host.rig.endpoint).await?;
    for (number, sender) in SENDERS.into_iter().enumerate() {
        let subject = format!("sender {number}");
        let refusal = send_as(&host, sender, "pat33@ubuntu.com", &subject).await?;
        ensure!(refusal.is_none(), "{sender}: {refusal:?}");
        let arrived = host.wait_for_mail(&subject, 30).await?;
        let (token, domain) = arrived.sender.rsplit_once('@').context("no address")?;
        ensure!(token.len() <= 64 && domain == RETURN_PATH_DOMAIN, "{sender} left as {}", arrived.sender);
        for spelled in [arrived.sender.clone(), arrived.sender.to_ascii_uppercase()] {
            let returned = client.request("return", &spelled).await?;
            ensure!(returned == format!("OK {}", quoted(sender)), "{sender} returns as {returned}");
        }
    }
    Ok(())
}

/// What Postfix accepts as a sender and could not send a bounce to.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn sender_without_return_path_is_refused() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "unusable", "").await?;
    member(&stack, "pat33").await?;
    for sender in [format!("{}@lists.example", "x".repeat(320)), "\"a>b\"@lists.example".to_owned()] {
        let said = send_as(&host, &sender, "pat33@ubuntu.com", "refused").await?.unwrap_or_default();
        ensure!(said.starts_with("553 5.1.7"), "{sender}: {said}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn forged_return_path_is_refused() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "forged-return", "").await?;
    member(&stack, "pat33").await?;
    let tokens = Tokens::of(&stack).await?;
    let valid = tokens.address(RETURN_PATH_DOMAIN, days_ago(14))?;
    let expired = tokens.address(RETURN_PATH_DOMAIN, days_ago(15))?;
    let tomorrow = tokens.address(RETURN_PATH_DOMAIN, days_ago(-2))?;
    let elsewhere = tokens.address("back.elsewhere.example", days_ago(0))?;
    let moved = elsewhere.replace("back.elsewhere.example", RETURN_PATH_DOMAIN);
    let (local, domain) = valid.rsplit_once('@').context("no address")?;
    // Another character in the MAC, which begins after the kind and the day.
    let other = if local.as_bytes()[5] == b'a' { "b" } else { "a" };
    let guessed = format!("{}{other}{}@{domain}", &local[..5], &local[6..]);
    let of_another = valid.replace("=sender@", "=victim@");
    let made_up = format!("SRS0=AAAA=BB=elsewhere.example=sender@{domain}");
    let anybody = format!("anybody@{domain}");
    let shouted = anybody.to_ascii_uppercase();
    let role = format!("postmaster@{domain}");

    for forged in [&expired, &tomorrow, &moved, &guessed, &of_another, &made_up, &anybody, &shouted] {
        let said = send(host.rig.smtp, None, None, forged, &mail(forged, "forged")).await?;
        ensure!(refused(&said, "5.1.1", "User unknown in relay recipient table"), "{forged}: {said:?}");
    }
    for forged in [&expired, &tomorrow, &moved, &guessed, &of_another, &made_up, &anybody, &shouted, &role] {
        let said = send_as(&host, forged, "pat33@ubuntu.com", "forged").await?.unwrap_or_default();
        ensure!(said.starts_with("550 5.7.1") && said.contains("This return path is not valid"), "{forged}: {said}");
    }
    // A token is an address of no other domain.
    for domain in ["ubuntu.com", "mail.membermail.test"] {
        let said = host.send(&format!("{local}@{domain}"), "elsewhere").await?;
        ensure!(refused(&said, "5.1.1", "User unknown"), "{domain}: {said:?}");
    }

    // Bounces are accepted in any case; anything else is not (RFC 5321, 4.5.5).
    for recipient in [valid.clone(), valid.to_ascii_uppercase()] {
        let said = send(host.rig.smtp, None, None, &recipient, &mail(&recipient, "a bounce")).await?;
        ensure!(matches!(said, SmtpReply::Queued(_)), "{recipient}: {said:?}");
        let said = host.send(&recipient, "no bounce").await?;
        ensure!(refused(&said, "5.7.1", "this address accepts bounces only"), "{recipient}: {said:?}");
    }
    // A destination that forwards can keep it.
    ensure!(send_as(&host, &valid, "pat33@ubuntu.com", "forwarded twice").await?.is_none());
    let arrived = host.wait_for_mail("forwarded twice", 30).await?;
    ensure!(arrived.sender == valid, "{}", arrived.sender);
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn role_addresses_of_host_reach_operators() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "host-roles", "").await?;
    for (number, recipient) in [
        "postmaster",
        "PostMaster",
        "postmaster@mail.membermail.test",
        "Abuse+spam@MAIL.membermail.test",
        "mailer-daemon@mail.membermail.test",
        "postmaster@back.membermail.test",
        "ABUSE@back.membermail.test",
    ]
    .into_iter()
    .enumerate()
    {
        let subject = format!("role {number}");
        let refusal = send_as(&host, SENDER, recipient, &subject).await?;
        ensure!(refusal.is_none(), "{recipient}: {refusal:?}");
        let arrived = host.wait_for_mail(&subject, 30).await?;
        ensure!(arrived.recipients == [OPERATORS], "{recipient} went to {:?}", arrived.recipients);
    }
    for (recipient, code) in [
        ("root@mail.membermail.test", "550 5.1.1"),
        ("hostmaster@mail.membermail.test", "550 5.1.1"),
        ("pat33@mail.membermail.test", "550 5.1.1"),
        ("hostmaster@back.membermail.test", "550 5.1.1"),
        ("postmaster@x.mail.membermail.test", "554 5.7.1"),
        ("postmaster%example.org@mail.membermail.test", "554 5.7.1"),
        ("postmaster%example.org@back.membermail.test", "554 5.7.1"),
    ] {
        let said = send_as(&host, SENDER, recipient, "refused").await?.unwrap_or_default();
        ensure!(said.starts_with(code), "{recipient}: {said}");
    }
    ensure!(host.rig.queued()?.is_empty());
    Ok(())
}

/// The functions do not know the names of the host, so the alias is active.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn destination_at_host_is_loop() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "loop-host", "").await?;
    for (name, destination) in [("rp-host", "x@mail.membermail.test"), ("rp-back", "x@back.membermail.test")] {
        stack.add_person(json!({ "name": name, "teams": ["ubuntumembers"] })).await?;
        stack.change_person(name, json!({ "email": destination })).await?;
        stack.sign_in_until(name, &format!("{name}@ubuntu.com now forwards to {destination}")).await?;
        let said = host.send(&format!("{name}@ubuntu.com"), "in circles").await?;
        ensure!(refused(&said, "5.4.6", "Mail to this address would come back to this host"), "{said:?}");
    }
    Ok(())
}

/// The sender is stored before the mail is accepted, so that its bounces are never lost.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn stored_sender_waits_for_table() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let proxy = Proxy::before(&stack.endpoint_url).await?;
    let host = MailHost::start(&stack, "stored-sender", &proxy.url, "hits = \"60s\"", WIDE).await?;
    member(&stack, "pat33").await?;
    host.deliver("pat33@ubuntu.com", "known").await?;
    proxy.set(Line::Cut);
    let said = send_as(&host, "dot.@lists.example", "pat33@ubuntu.com", "stored").await?.unwrap_or_default();
    ensure!(said.starts_with("451 4.3.0"), "{said}");
    host.deliver("pat33@ubuntu.com", "plain").await?;
    proxy.set(Line::Whole);
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    ensure!(send_as(&host, "dot.@lists.example", "pat33@ubuntu.com", "stored").await?.is_none());
    host.wait_for_mail("stored", 30).await?;
    Ok(())
}
