//! Notices through a mail server that requires TLS and a password: aiosmtpd, with a certificate of a test CA.

use anyhow::{Context, Result, ensure};
use membermail_notices::{MailSettings, Relay, SendError, SmtpReply};
use membermail_test_mail_host::sink::{MailSink, SinkOptions, Tls};
use membermail_tests::mail::notice;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;

const LOGIN: &str = "membermail:hunter2";

/// A mail server with a certificate for `localhost`.
struct Server {
    sink: MailSink,
    authority: String,
    _folder: tempfile::TempDir,
}

impl Server {
    async fn start(tls: Tls, login: Option<&str>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(["localhost".to_owned()])?.signed_by(&key, &authority)?;
        let pem = folder.path().join("server.pem");
        std::fs::write(&pem, key.serialize_pem() + &certificate.pem())?;
        let login = login.map(str::to_owned);
        let options = SinkOptions { tls: Some((tls, pem)), login, ..SinkOptions::default() };
        let sink = MailSink::start(folder.path(), options).await?;
        Ok(Self { sink, authority: authority.pem(), _folder: folder })
    }

    /// Sends a message with these settings in addition to the addresses.
    async fn send(
        &self,
        scheme: &str,
        password: Option<&str>,
        certificate: Option<&str>,
    ) -> Result<Result<(), SendError>> {
        let mut settings = json!({
            "relay": format!("{scheme}://localhost:{}", self.sink.port),
            "from": "noreply@notices.example", "reply-to": "help@notices.example", "operators": "ops@notices.example",
        });
        if let Some(password) = password {
            settings["user"] = "membermail".into();
            settings["password"] = password.into();
        }
        if let Some(certificate) = certificate {
            settings["certificate"] = certificate.into();
        }
        let settings = MailSettings::parse(&settings.to_string())?;
        let notice = notice(&settings)?;
        Ok(match Relay::new(&settings) {
            Ok(relay) => relay.send(&notice).await,
            Err(cause) => Err(cause),
        })
    }
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn relay_uses_tls_and_password() -> Result<()> {
    for (scheme, tls) in [("smtps", Tls::Implicit), ("starttls", Tls::Required)] {
        let server = Server::start(tls, Some(LOGIN)).await?;
        server.send(scheme, Some("hunter2"), Some(&server.authority)).await?.with_context(|| scheme.to_owned())?;
        let mail = server.sink.mailbox.to("alice@mail.example")?;
        ensure!(mail.len() == 1 && mail[0].subject() == "alice@ubuntu.com is yours", "{} by {scheme}", mail.len());
        ensure!(mail[0].is_tls && mail[0].login.as_deref() == Some("membermail"), "{scheme}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn wrong_password_is_no_recipient_error() -> Result<()> {
    let server = Server::start(Tls::Implicit, Some(LOGIN)).await?;
    let wrong = server.send("smtps", Some("hunter3"), Some(&server.authority)).await?;
    let reply = SmtpReply { code: 535, enhanced: Some((5, 7, 8)) };
    ensure!(wrong == Err(SendError::NotAuthorized(reply)), "{wrong:?}");
    let none = server.send("smtps", None, Some(&server.authority)).await?;
    ensure!(matches!(none, Err(SendError::NotAuthorized(_))), "{none:?}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn untrusted_certificate_gets_no_mail() -> Result<()> {
    let server = Server::start(Tls::Implicit, None).await?;
    let sent = server.send("smtps", None, None).await?;
    let Err(SendError::Transient(why)) = &sent else { anyhow::bail!("{sent:?}") };
    ensure!(why.contains("certificate") || why.contains("tls"), "{why}");
    ensure!(server.sink.mailbox.to("alice@mail.example")?.is_empty());
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn missing_required_tls_sends_nothing() -> Result<()> {
    let server = Server::start(Tls::Required, None).await?;
    // Plain text to a server that requires STARTTLS.
    let sent = server.send("smtp", None, None).await?;
    ensure!(matches!(sent, Err(SendError::NotAuthorized(SmtpReply { code: 530, .. }))), "{sent:?}");
    Ok(())
}
