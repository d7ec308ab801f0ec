//! TLS on incoming mail, ARC on forwarded mail, and DKIM on our own notices, verified with dkimpy.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use lettre::address::Envelope;
use lettre::transport::smtp::extension::Extension;
use membermail_test_mail_host::options::{RETURN_PATH_DOMAIN, SUBMISSION_CLIENT, SUBMISSION_SENDER};
use membermail_tests::mail::{MailHost, SENDER, mail};
use membermail_tests::stack::Stack;

use super::{connect, connect_with_tls, host_with_member, member};

/// Verifies a mail as a receiver does, with our DKIM record in its DNS.
const READER: &str = r#"
import sys, dkim
record = sys.argv[2].encode()
mail = sys.stdin.buffer.read()
queried = []
def dns(name, timeout=5):
    queried.append(name.decode() if isinstance(name, bytes) else name)
    return record
if sys.argv[1] == "dkim":
    print(dkim.verify(mail, dnsfunc=dns))
else:
    print(dkim.arc_verify(mail, dnsfunc=dns)[0].decode())
print(" ".join(queried))
"#;

pub(crate) async fn start_signing_host(stack: &Stack, name: &str) -> Result<MailHost> {
    MailHost::start_as(stack, name, |options| options.signing = true).await
}

pub(crate) fn verify(host: &MailHost, what: &str, mail: &[u8]) -> Result<String> {
    let mut python = Command::new(&host.python);
    python.args(["-c", READER, what, &host.rig.dns_record]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = python.spawn()?;
    std::io::Write::write_all(&mut child.stdin.take().context("no pipe")?, mail)?;
    Ok(String::from_utf8(child.wait_with_output()?.stdout)?)
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn smtp_offers_tls() -> Result<()> {
    let host = host_with_member("tls", "pat28").await?;
    ensure!(connect(host.rig.smtp, None).await?.server_info().supports_feature(Extension::StartTls));
    let mut connection = connect_with_tls(host.rig.smtp, None).await?;
    let envelope = Envelope::new(Some(SENDER.parse()?), vec!["pat28@ubuntu.com".parse()?])?;
    connection.send(&envelope, &mail("pat28@ubuntu.com", "encrypted")).await?;
    let arrived = host.wait_for_mail("encrypted", 30).await?;
    ensure!(String::from_utf8_lossy(&arrived.raw).contains("using TLSv1.3"), "{arrived:?}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn forwarded_mail_gets_an_arc_seal() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let mut host = MailHost::start_as(&stack, "sealed", |options| {
        options.signing = true;
        options.xclient = true;
    })
    .await?;
    member(&stack, "pat27").await?;
    // From a foreign address: rspamd has separate rules for loopback.
    let said = send_from_elsewhere(&host, "pat27@ubuntu.com", &mail("pat27@ubuntu.com", "sealed")).await?;
    ensure!(said.starts_with("250 "), "{said}");
    let sealed = host.wait_for_mail("sealed", 30).await?;
    let verdict = verify(&host, "arc", &sealed.raw)?;
    ensure!(
        verdict.starts_with("pass\n") && verdict.contains("test._domainkey.ubuntu.com"),
        "{verdict}: {:?}",
        sealed.raw
    );
    let text = String::from_utf8_lossy(&sealed.raw).into_owned();
    ensure!(!text.to_ascii_lowercase().contains("\ndkim-signature:"), "a stranger's mail got our signature: {text}");
    ensure!(text.contains("[192.0.2.1]"), "it came from this machine: {text}");
    // A mail that claims to be from us.
    let forged = String::from_utf8(mail("pat27@ubuntu.com", "sealed, not signed"))?.replace(SENDER, SUBMISSION_SENDER);
    send_from_elsewhere(&host, "pat27@ubuntu.com", forged.as_bytes()).await?;
    let forged = String::from_utf8_lossy(&host.wait_for_mail("sealed, not signed", 30).await?.raw).to_ascii_lowercase();
    ensure!(forged.contains("\narc-seal:") && !forged.contains("\ndkim-signature:"), "{forged}");
    // rspamd keeps the key in memory, but only as long as the file is the same.
    host.rig.replace_signing_key()?;
    send_from_elsewhere(&host, "pat27@ubuntu.com", &mail("pat27@ubuntu.com", "another key")).await?;
    let verdict = verify(&host, "arc", &host.wait_for_mail("another key", 30).await?.raw)?;
    ensure!(verdict.starts_with("pass\n"), "{verdict}");
    Ok(())
}

/// Sends a mail as a server at 192.0.2.1 (Postfix's XCLIENT, which a test's host allows).
pub(crate) async fn send_from_elsewhere(host: &MailHost, recipient: &str, mail: &[u8]) -> Result<String> {
    let mut connection = connect(host.rig.smtp, None).await?;
    connection.command("XCLIENT ADDR=192.0.2.1 NAME=[UNAVAILABLE]\r\n").await?;
    connection.command("EHLO client.example\r\n").await?;
    let envelope = Envelope::new(Some(SENDER.parse()?), vec![recipient.parse()?])?;
    let said = connection.send(&envelope, mail).await?;
    Ok(format!("{} {}", said.code(), said.message().collect::<Vec<_>>().join(" ")))
}

/// After delivery, neither the queue nor a log contains any part of the mail.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn mail_content_is_not_stored() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = start_signing_host(&stack, "kept").await?;
    member(&stack, "pat26").await?;
    let to = "pat26@ubuntu.com";
    let marker = "words-that-are-in-no-other-mail";
    let mail = String::from_utf8(mail(to, "not kept"))?.replace("A mail from elsewhere.", marker);
    host.accept(Some(SENDER), to, mail.as_bytes()).await?;
    ensure!(host.wait_for_mail("not kept", 30).await?.text().contains(marker));
    host.wait_for_empty_queue(10).await?;
    let root = host.rig.log.parent().context("no folder")?;
    let mut folders = vec![root.to_owned()];
    let mut files = 0;
    let mut seen = false;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let path = entry.path();
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                let holds = std::fs::read(&path)?.windows(marker.len()).any(|part| part == marker.as_bytes());
                let is_received = path.starts_with(host.rig.sink.mailbox.folder());
                ensure!(is_received || !holds, "{} holds it", path.display());
                files += 1;
                seen |= is_received && holds;
            }
        }
    }
    ensure!(seen && files > 10, "it was looked for in {files} files, and not even found in the received mail: {seen}");
    Ok(())
}

/// If it were forwarded unchanged, SPF would pass for the forged domain, since our own DNS names this host.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn forged_own_sender_gets_no_signature() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = start_signing_host(&stack, "forged").await?;
    member(&stack, "pat25").await?;
    let to = "pat25@ubuntu.com";
    for (number, forged) in [SUBMISSION_SENDER, "alice@kubuntu.org", "x@mail.membermail.test"].into_iter().enumerate() {
        let subject = format!("forged {number}");
        let mail = String::from_utf8(mail(to, &subject))?.replace(SENDER, forged);
        host.accept(Some(forged), to, mail.as_bytes()).await?;
        let arrived = host.wait_for_mail(&subject, 30).await?;
        let (local, domain) = forged.split_once('@').context("no address")?;
        let rewritten = format!("={domain}={local}@{RETURN_PATH_DOMAIN}");
        ensure!(arrived.sender.ends_with(&rewritten), "{arrived:?}");
        let text = String::from_utf8_lossy(&arrived.raw).into_owned();
        ensure!(text.contains(&format!("From: A Sender <{forged}>")), "{text}");
        ensure!(!text.to_ascii_lowercase().contains("\ndkim-signature:"), "{forged} got our signature: {text}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn only_authorised_notices_are_signed() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = start_signing_host(&stack, "notices").await?;
    let refused = submit(&host, Some(SUBMISSION_CLIENT), SUBMISSION_SENDER, "a notice").await?;
    ensure!(refused.is_none(), "{refused:?}");
    let arrived = host.wait_for_mail("a notice", 30).await?;
    ensure!(arrived.sender == SUBMISSION_SENDER, "the sender of a notice became {}", arrived.sender);
    let verdict = verify(&host, "dkim", &arrived.raw)?;
    ensure!(verdict.starts_with("True\n") && verdict.contains("test._domainkey.ubuntu.com"), "{verdict}: {arrived:?}");

    let refused = submit(&host, None, "noreply@kubuntu.org", "not ours").await?;
    ensure!(refused.as_ref().is_some_and(|words| words.contains("554")), "{refused:?}");
    Ok(())
}

/// Submits a mail over TLS without a password from this local address; returns the reply if it was refused.
pub(crate) async fn submit(host: &MailHost, from: Option<&str>, sender: &str, subject: &str) -> Result<Option<String>> {
    let recipient = "bob@mail.example";
    let notice = String::from_utf8(mail(recipient, subject))?.replace(SENDER, sender);
    let mut connection = connect_with_tls(host.rig.submission, from.map(str::parse).transpose()?).await?;
    let envelope = Envelope::new(Some(sender.parse()?), vec![recipient.parse()?])?;
    Ok(connection.send(&envelope, notice.as_bytes()).await.err().map(|error| error.to_string()))
}

/// Outgoing mail uses opportunistic TLS, with any certificate.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn outgoing_mail_uses_tls() -> Result<()> {
    let host = host_with_member("tls-out", "pat26").await?;
    host.deliver("pat26@ubuntu.com", "encrypted on its way").await?;
    let log = std::fs::read_to_string(&host.rig.log)?;
    let out = format!("TLS connection established to 127.0.0.1[127.0.0.1]:{}: TLSv1.3", host.rig.sink.port);
    ensure!(log.contains(&out), "{log}");
    Ok(())
}
