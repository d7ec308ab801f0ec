//! TLS at the door, ARC on what is forwarded, DKIM on our own notices; read by dkimpy, which is nobody's here.

use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::{ClientId, Extension};
use membermail_postfix::follow::{Said, send};
use membermail_postfix::rig::{NOTICES, SRS_DOMAIN, SUBMITTER};
use membermail_tests::mail::{MailHost, SENDER, WIDE, mail};
use membermail_tests::stack::Stack;

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
    MailHost::start_signing(stack, name, &stack.endpoint_url, "", WIDE, true).await
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
    let envelope = lettre::address::Envelope::new(Some(SENDER.parse()?), vec!["pat28@ubuntu.com".parse()?])?;
    connection.send(&envelope, &mail("pat28@ubuntu.com", "encrypted")).await?;
    let arrived = host.arrived("encrypted", 30).await?;
    ensure!(String::from_utf8_lossy(&arrived.raw).contains("using TLSv1.3"), "{arrived:?}");
    Ok(())
}

#[tokio::test]
async fn what_is_forwarded_is_sealed_and_otherwise_untouched() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = signing(&stack, "sealed").await?;
    member(&stack, "pat27").await?;
    let sealed = host.deliver("pat27@ubuntu.com", "sealed").await?;
    let read = read(&host, "arc", &sealed.raw)?;
    ensure!(read.starts_with("pass\n") && read.contains("test._domainkey.ubuntu.com"), "{read}: {:?}", sealed.raw);
    let text = String::from_utf8_lossy(&sealed.raw).into_owned();
    ensure!(!text.to_ascii_lowercase().contains("\ndkim-signature:"), "a stranger's mail got our signature: {text}");
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
    let envelope = lettre::address::Envelope::new(Some(sender.parse()?), vec![recipient.parse()?])?;
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
