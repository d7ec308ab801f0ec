//! TLS at the door, ARC on what is forwarded, DKIM on our own notices; read by dkimpy, which is nobody's here.

use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lettre::address::Envelope;
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::{ClientId, Extension};
use membermail_postfix::follow::{Said, send};
use membermail_postfix::rig::{NOTICES, Options, SRS_DOMAIN, SUBMITTER};
use membermail_tests::mail::{MailHost, SENDER, mail};
use membermail_tests::stack::Stack;
use membermail_tests::wait::until;

use crate::{host, member};

/// Reads a mail as a receiver does whose DNS holds our one record.
const READER: &str = r#"
import sys, dkim
record = sys.argv[2].encode()
mail = sys.stdin.buffer.read()
asked = []
def dns(name, timeout=5):
    asked.append(name.decode() if isinstance(name, bytes) else name)
    return record
if sys.argv[1] == "dkim":
    print(dkim.verify(mail, dnsfunc=dns))
else:
    print(dkim.arc_verify(mail, dnsfunc=dns)[0].decode())
print(" ".join(asked))
"#;

pub(crate) async fn signing(stack: &Stack, name: &str) -> Result<MailHost> {
    MailHost::start_as(stack, name, |options| options.signs = true).await
}

pub(crate) fn read(host: &MailHost, what: &str, mail: &[u8]) -> Result<String> {
    let mut python = Command::new(&host.python);
    python.args(["-c", READER, what, &host.rig.dns_record]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = python.spawn()?;
    std::io::Write::write_all(&mut child.stdin.take().context("no pipe")?, mail)?;
    Ok(String::from_utf8(child.wait_with_output()?.stdout)?)
}

#[tokio::test]
async fn the_door_offers_tls() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "tls", "").await?;
    member(&stack, "pat28").await?;
    let hello = ClientId::Domain("client.example".to_owned());
    let at = (Ipv4Addr::LOCALHOST, host.rig.smtp);
    let mut connection =
        AsyncSmtpConnection::connect_tokio1(at, Some(Duration::from_secs(20)), &hello, None, None).await?;
    ensure!(connection.server_info().supports_feature(Extension::StartTls));
    let tls = TlsParameters::builder("mail.membermail.test".to_owned()).dangerous_accept_invalid_certs(true).build()?;
    connection.starttls(tls, &hello).await?;
    let envelope = Envelope::new(Some(SENDER.parse()?), vec!["pat28@ubuntu.com".parse()?])?;
    connection.send(&envelope, &mail("pat28@ubuntu.com", "encrypted")).await?;
    let arrived = host.arrived("encrypted", 30).await?;
    ensure!(String::from_utf8_lossy(&arrived.raw).contains("using TLSv1.3"), "{arrived:?}");
    Ok(())
}

#[tokio::test]
async fn what_is_forwarded_is_sealed_and_otherwise_untouched() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let sealing = |options: &mut Options| (options.signs, options.xclient) = (true, true);
    let host = MailHost::start_as(&stack, "sealed", sealing).await?;
    member(&stack, "pat27").await?;
    // From elsewhere, as any mail is: rspamd has rules of their own for this machine.
    let said = send_from_elsewhere(&host, "pat27@ubuntu.com", &mail("pat27@ubuntu.com", "sealed")).await?;
    ensure!(said.starts_with("250 "), "{said}");
    let sealed = host.arrived("sealed", 30).await?;
    let read = read(&host, "arc", &sealed.raw)?;
    ensure!(read.starts_with("pass\n") && read.contains("test._domainkey.ubuntu.com"), "{read}: {:?}", sealed.raw);
    let text = String::from_utf8_lossy(&sealed.raw).into_owned();
    ensure!(!text.to_ascii_lowercase().contains("\ndkim-signature:"), "a stranger's mail got our signature: {text}");
    ensure!(text.contains("[192.0.2.1]"), "it came from this machine: {text}");
    // And one whose author claims to be us.
    let forged = String::from_utf8(mail("pat27@ubuntu.com", "sealed, not signed"))?.replace(SENDER, NOTICES);
    send_from_elsewhere(&host, "pat27@ubuntu.com", forged.as_bytes()).await?;
    let forged = String::from_utf8_lossy(&host.arrived("sealed, not signed", 30).await?.raw).to_ascii_lowercase();
    ensure!(forged.contains("\narc-seal:") && !forged.contains("\ndkim-signature:"), "{forged}");
    Ok(())
}

/// Sends a mail as a server at 192.0.2.1 (Postfix's XCLIENT, which a test's host allows).
async fn send_from_elsewhere(host: &MailHost, recipient: &str, mail: &[u8]) -> Result<String> {
    let hello = ClientId::Domain("client.example".to_owned());
    let at = (Ipv4Addr::LOCALHOST, host.rig.smtp);
    let mut connection =
        AsyncSmtpConnection::connect_tokio1(at, Some(Duration::from_secs(20)), &hello, None, None).await?;
    connection.command("XCLIENT ADDR=192.0.2.1 NAME=[UNAVAILABLE]\r\n").await?;
    connection.command("EHLO client.example\r\n").await?;
    let envelope = Envelope::new(Some(SENDER.parse()?), vec![recipient.parse()?])?;
    let said = connection.send(&envelope, mail).await?;
    Ok(format!("{} {}", said.code(), said.message().collect::<Vec<_>>().join(" ")))
}

/// Of a mail nothing is left, once it has gone on: neither in the queue nor in a log.
#[tokio::test]
async fn nothing_of_a_mail_is_kept() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = signing(&stack, "kept").await?;
    member(&stack, "pat26").await?;
    let (to, marker) = ("pat26@ubuntu.com", "words-that-are-in-no-other-mail");
    let mail = String::from_utf8(mail(to, "not kept"))?.replace("A mail from elsewhere.", marker);
    let said = send(host.rig.smtp, None, Some(SENDER), to, mail.as_bytes()).await?;
    ensure!(matches!(said, Said::Taken(_)), "{said:?}");
    ensure!(host.arrived("not kept", 30).await?.text.contains(marker));
    until("an empty queue", Duration::from_secs(10), || async { Ok(host.rig.queued()?.is_empty().then_some(())) })
        .await?;
    let root = host.rig.log.parent().context("no folder")?;
    let (mut folders, mut files, mut seen) = (vec![root.to_owned()], 0, false);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let (path, kind) = (entry.as_ref().map(|entry| entry.path()).ok(), entry?.file_type()?);
            let path = path.context("no path")?;
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                let holds = std::fs::read(&path)?.windows(marker.len()).any(|part| part == marker.as_bytes());
                let is_inbox = path.starts_with(host.rig.inbox.maildir());
                ensure!(is_inbox || !holds, "{} holds it", path.display());
                (files, seen) = (files + 1, seen || (is_inbox && holds));
            }
        }
    }
    ensure!(seen && files > 10, "it was looked for in {files} files, and not even found in the inbox: {seen}");
    Ok(())
}

/// Were it forwarded as it came, SPF of the domain that it claims would hold: our own DNS names this host.
#[tokio::test]
async fn a_stranger_who_sends_as_us_is_a_stranger() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = signing(&stack, "forged").await?;
    member(&stack, "pat25").await?;
    let to = "pat25@ubuntu.com";
    for (number, forged) in [NOTICES, "alice@kubuntu.org", "x@mail.membermail.test"].into_iter().enumerate() {
        let subject = format!("forged {number}");
        let mail = String::from_utf8(mail(to, &subject))?.replace(SENDER, forged);
        let said = send(host.rig.smtp, None, Some(forged), to, mail.as_bytes()).await?;
        ensure!(matches!(said, Said::Taken(_)), "{forged}: {said:?}");
        let arrived = host.arrived(&subject, 30).await?;
        let (local, domain) = forged.split_once('@').context("no address")?;
        let rewritten = format!("={domain}={local}@{SRS_DOMAIN}");
        ensure!(arrived.sender.starts_with("SRS0=") && arrived.sender.ends_with(&rewritten), "{arrived:?}");
        let text = String::from_utf8_lossy(&arrived.raw).into_owned();
        ensure!(text.contains(&format!("From: A Sender <{forged}>")), "{text}");
        ensure!(!text.to_ascii_lowercase().contains("\ndkim-signature:"), "{forged} got our signature: {text}");
    }
    Ok(())
}

#[tokio::test]
async fn notices_are_signed_and_taken_from_our_functions_only() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = signing(&stack, "notices").await?;
    let refused = submit(&host, Some(SUBMITTER), NOTICES, "a notice").await?;
    ensure!(refused.is_none(), "{refused:?}");
    let arrived = host.arrived("a notice", 30).await?;
    ensure!(arrived.sender == NOTICES, "the sender of a notice became {}", arrived.sender);
    let read = read(&host, "dkim", &arrived.raw)?;
    ensure!(read.starts_with("True\n") && read.contains("test._domainkey.ubuntu.com"), "{read}: {arrived:?}");

    let refused = submit(&host, None, "noreply@kubuntu.org", "not ours").await?;
    ensure!(refused.as_ref().is_some_and(|words| words.contains("554")), "{refused:?}");
    Ok(())
}

/// Hands a mail in over TLS without a password, from this address of ours; what was said if it was not taken.
pub(crate) async fn submit(host: &MailHost, from: Option<&str>, sender: &str, subject: &str) -> Result<Option<String>> {
    let (hello, recipient) = (ClientId::Domain("client.example".to_owned()), "bob@mail.example");
    let notice = String::from_utf8(mail(recipient, subject))?.replace(SENDER, sender);
    let (at, from) = ((Ipv4Addr::LOCALHOST, host.rig.submission), from.map(str::parse).transpose()?);
    let mut connection =
        AsyncSmtpConnection::connect_tokio1(at, Some(Duration::from_secs(20)), &hello, None, from).await?;
    let tls = TlsParameters::builder("localhost".to_owned()).dangerous_accept_invalid_certs(true).build()?;
    connection.starttls(tls, &hello).await?;
    let envelope = Envelope::new(Some(sender.parse()?), vec![recipient.parse()?])?;
    Ok(connection.send(&envelope, notice.as_bytes()).await.err().map(|error| error.to_string()))
}

/// What is forwarded goes out encrypted where the other side can, whoever signed its certificate.
#[tokio::test]
async fn the_way_out_is_encrypted_too() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "tls-out", "").await?;
    member(&stack, "pat26").await?;
    host.deliver("pat26@ubuntu.com", "encrypted on its way").await?;
    let log = std::fs::read_to_string(&host.rig.log)?;
    let out = format!("TLS connection established to 127.0.0.1[127.0.0.1]:{}: TLSv1.3", host.rig.inbox.port);
    ensure!(log.contains(&out), "{log}");
    Ok(())
}
