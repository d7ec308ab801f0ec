//! The submission port for our own notices: with a password from any address, or from a trusted network.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use lettre::address::Envelope;
use lettre::transport::smtp::authentication::Mechanism;
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::Extension;
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::email::EmailAddress;
use membermail_core::member::MemberId;
use membermail_core::random::OsRandom;
use membermail_notices::{MailSettings, Relay, SendError, SmtpReply};
use membermail_return_path::ReturnPath;
use membermail_test_mail_host::options::{RETURN_PATH_DOMAIN, SUBMISSION_CLIENT, SUBMISSION_SENDER, SUBMISSION_USER};
use membermail_tests::mail::{MailHost, mail, notice_with};
use membermail_tests::stack::Stack;
use serde_json::json;

use super::{connect, hello, host, signed};

/// The client of `notify`, with a mail secret like the one that an operator writes.
async fn notify(host: &MailHost, from: &str, password: Option<&str>) -> Result<Result<(), SendError>> {
    notify_from(host, from, None, password).await
}

/// The same with another envelope sender than `from`.
async fn notify_from(
    host: &MailHost,
    from: &str,
    sender: Option<&str>,
    password: Option<&str>,
) -> Result<Result<(), SendError>> {
    let mut secret = json!({
        "relay": format!("starttls://localhost:{}", host.rig.submission),
        "certificate": host.rig.certificate,
        "from": from, "reply-to": "help@ubuntu.com", "operators": "ops@ubuntu.com",
    });
    if let Some(password) = password {
        secret["user"] = SUBMISSION_USER.into();
        secret["password"] = password.into();
    }
    let settings = MailSettings::parse(&secret.to_string())?;
    let sender = sender.map(EmailAddress::parse).transpose()?;
    Ok(Relay::new(&settings)?.send(&notice_with(&settings, sender.as_ref())?).await)
}

fn reply(code: u16, enhanced: (u16, u16, u16)) -> SmtpReply {
    SmtpReply { code, enhanced: Some(enhanced) }
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn notice_is_signed_and_delivered() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = signed::start_signing_host(&stack, "by-password").await?;
    notify(&host, SUBMISSION_SENDER, Some(&host.rig.password)).await??;
    let arrived = host.wait_for_mail("alice@ubuntu.com is yours", 30).await?;
    ensure!(arrived.recipients == ["alice@mail.example"] && arrived.sender == SUBMISSION_SENDER, "{arrived:?}");
    let text = String::from_utf8_lossy(&arrived.raw);
    let verdict = signed::verify(&host, "dkim", &arrived.raw)?;
    ensure!(verdict.starts_with("True\n") && verdict.contains("test._domainkey.ubuntu.com"), "{verdict}: {text}");
    ensure!(
        !text.contains(&format!("{SUBMISSION_USER}@")) && !text.contains("uthenticated"),
        "it tells the account: {text}"
    );
    Ok(())
}

/// A notice whose bounce comes back to us: its sender is in the return-path domain, and the signature is by that of `From`.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn notice_has_its_return_path() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = signed::start_signing_host(&stack, "notice-return-path").await?;
    let now = SystemClock.now();
    let return_path = ReturnPath::new(&stack.master_keys().await?, RETURN_PATH_DOMAIN.parse()?);
    let sender = return_path.for_notice(MemberId::new(now, &OsRandom), now);
    let sender = sender.expose();
    let said = notify_from(&host, SUBMISSION_SENDER, Some(sender), None).await?;
    ensure!(said == Err(SendError::NotAuthorized(reply(553, (5, 7, 1)))), "without the password: {said:?}");
    notify_from(&host, SUBMISSION_SENDER, Some(sender), Some(&host.rig.password)).await??;
    let arrived = host.wait_for_mail("alice@ubuntu.com is yours", 30).await?;
    ensure!(arrived.recipients == ["alice@mail.example"] && arrived.sender == sender, "{arrived:?}");
    let verdict = signed::verify(&host, "dkim", &arrived.raw)?;
    ensure!(verdict.starts_with("True\n") && verdict.contains("test._domainkey.ubuntu.com"), "{verdict}");

    // The sender is in no domain of the community, so it says nothing about `From`.
    notify_from(&host, "noreply@kubuntu.org", Some(sender), Some(&host.rig.password)).await??;
    let all = host.rig.sink.mailbox.wait_for("alice@mail.example", 2, 30).await?;
    let text = String::from_utf8_lossy(&all[1].raw).to_ascii_lowercase();
    ensure!(text.contains("noreply@kubuntu.org") && !text.contains("\ndkim-signature:"), "{text}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn submission_requires_the_password() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "wrong-password", "").await?;
    let wrong = notify(&host, SUBMISSION_SENDER, Some("wrong")).await?;
    ensure!(wrong == Err(SendError::NotAuthorized(reply(535, (5, 7, 8)))), "{wrong:?}");
    // From an address outside the trusted networks, no sender is accepted.
    let own = notify(&host, SUBMISSION_SENDER, None).await?;
    ensure!(own == Err(SendError::NotAuthorized(reply(553, (5, 7, 1)))), "{own:?}");
    let foreign = notify(&host, "somebody@elsewhere.example", None).await?;
    ensure!(foreign == Err(SendError::Rejected(reply(554, (5, 7, 1)))), "{foreign:?}");
    ensure!(host.rig.sink.mailbox.all()?.is_empty());
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn login_sends_as_own_sender_only() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "own-sender", "").await?;
    for from in ["alice@ubuntu.com", "noreply@kubuntu.org", "somebody@elsewhere.example"] {
        let said = notify(&host, from, Some(&host.rig.password)).await?;
        ensure!(said == Err(SendError::NotAuthorized(reply(553, (5, 7, 1)))), "{from}: {said:?}");
    }
    // Nor the null sender, which is in no map of senders.
    let mut connection = connect(host.rig.submission, None).await?;
    encrypt(&host, &mut connection).await?;
    let credentials = (SUBMISSION_USER.to_owned(), host.rig.password.clone()).into();
    connection.auth(&[Mechanism::Plain], &credentials).await?;
    let envelope = Envelope::new(None, vec!["bob@mail.example".parse()?])?;
    let said = connection.send(&envelope, &mail("bob@mail.example", "from nobody")).await;
    let refused = said.err().context("it was taken")?.to_string();
    ensure!(refused.contains("554"), "{refused}");
    ensure!(host.rig.sink.mailbox.all()?.is_empty());
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn submission_requires_tls() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "in-clear", "").await?;
    let mut connection = connect(host.rig.submission, None).await?;
    ensure!(!offers_login(&connection) && connection.can_starttls(), "{:?}", connection.server_info());
    // A client that sends AUTH in clear text is refused.
    for words in [format!("AUTH PLAIN {}\r\n", "AG5vdGljZXMAeA=="), format!("MAIL FROM:<{SUBMISSION_SENDER}>\r\n")] {
        let said = connection.command(words).await.err().context("it was heard")?;
        ensure!(said.status().is_some_and(|code| [503, 530, 538].contains(&u16::from(code))), "{said:?}");
    }
    let mut connection = connect(host.rig.submission, None).await?;
    encrypt(&host, &mut connection).await?;
    ensure!(offers_login(&connection), "{:?}", connection.server_info());
    // Port 25 offers no AUTH, so that there is no password to guess.
    let mut incoming = connect(host.rig.smtp, None).await?;
    encrypt(&host, &mut incoming).await?;
    ensure!(!offers_login(&incoming), "{:?}", incoming.server_info());
    Ok(())
}

/// Says which TLS version the server agrees to, or why it refuses.
const HANDSHAKE: &str = r#"
import smtplib, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
context.set_ciphers(sys.argv[3] + ":@SECLEVEL=0")
context.minimum_version = context.maximum_version = ssl.TLSVersion[sys.argv[2]]
smtp = smtplib.SMTP("127.0.0.1", int(sys.argv[1]), local_hostname="client.example", timeout=20)
try:
    smtp.starttls(context=context)
    print(smtp.sock.version())
except ssl.SSLError as error:
    print(error.reason)
"#;

/// The alerts are the server's: a client without old versions would fail with another reason.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn submission_refuses_weak_tls() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "weak-tls", "").await?;
    for (version, ciphers, expected) in [
        ("TLSv1", "ALL", "TLSV1_ALERT_PROTOCOL_VERSION"),
        ("TLSv1_1", "ALL", "TLSV1_ALERT_PROTOCOL_VERSION"),
        ("TLSv1_2", "ADH", "SSLV3_ALERT_HANDSHAKE_FAILURE"),
        ("TLSv1_2", "AECDH", "SSLV3_ALERT_HANDSHAKE_FAILURE"),
        ("TLSv1_2", "ECDHE+SHA1", "SSLV3_ALERT_HANDSHAKE_FAILURE"),
        ("TLSv1_2", "ECDHE+AESGCM", "TLSv1.2"),
        ("TLSv1_2", "ALL", "TLSv1.2"),
        ("TLSv1_3", "ALL", "TLSv1.3"),
    ] {
        let mut python = Command::new(&host.python);
        python.args(["-c", HANDSHAKE, &host.rig.submission.to_string(), version, ciphers]);
        // The machine's defaults may exclude what this client offers.
        let output = python.env("OPENSSL_CONF", "/dev/null").output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(said.trim() == expected, "{version} {ciphers}: {said}{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn own_network_needs_tls_without_password() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "own-network", "").await?;
    let said = signed::submit(&host, Some(SUBMISSION_CLIENT), SUBMISSION_SENDER, "from our network").await?;
    ensure!(said.is_none(), "{said:?}");
    host.wait_for_mail("from our network", 30).await.map(drop)
}

fn offers_login(connection: &AsyncSmtpConnection) -> bool {
    connection.server_info().supports_feature(Extension::Authentication(Mechanism::Plain))
}

async fn encrypt(host: &MailHost, connection: &mut AsyncSmtpConnection) -> Result<()> {
    let certificate = Certificate::from_pem(host.rig.certificate.as_bytes())?;
    let tls = TlsParameters::builder("localhost".to_owned()).add_root_certificate(certificate).build()?;
    Ok(connection.starttls(tls, &hello()).await?)
}
