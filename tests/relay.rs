//! The way to a mail server that wants TLS and a password: aiosmtpd, with a certificate of an authority of our own.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::email::EmailAddress;
use membermail_core::member::LaunchpadName;
use membermail_core::notice::{MemberNews, NoticeId};
use membermail_notices::{
    Addressed, MailSettings, Member, Notice, Relay, Reply, Said, SendError, Site, Texts, compose,
};
use membermail_tests::mailbox::Mailbox;
use membermail_tests::stack::Stack;
use membermail_tests::wait::until;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;

/// A mail server with a certificate for `localhost`; it ends with this value.
struct Server {
    folder: tempfile::TempDir,
    authority: String,
    port: u16,
    child: Child,
}

impl Server {
    async fn start(options: &[&str]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(["localhost".to_owned()])?.signed_by(&key, &authority)?;
        let file = |name: &str| folder.path().join(name);
        std::fs::write(file("certificate.pem"), certificate.pem())?;
        std::fs::write(file("key.pem"), key.serialize_pem())?;
        let sink = Path::new(env!("CARGO_MANIFEST_DIR")).join("smtp/sink.py");
        let mut command = Command::new(Stack::of_this_run()?.smtp_python);
        command.arg(sink).arg(folder.path()).args(options);
        command.arg("--certificate").arg(file("certificate.pem")).arg("--key").arg(file("key.pem"));
        let child = command.stdin(Stdio::null()).spawn().context("cannot start the mail server")?;
        let mut server = Self { authority: authority.pem(), folder, port: 0, child };
        let port = server.folder.path().join("port");
        server.port = until("the mail server to listen", Duration::from_secs(20), || async {
            Ok(std::fs::read_to_string(&port).ok().and_then(|text| text.parse().ok()))
        })
        .await?;
        Ok(server)
    }

    /// Sends a letter with these settings beside the addresses.
    async fn send(
        &self,
        scheme: &str,
        password: Option<&str>,
        certificate: Option<&str>,
    ) -> Result<Result<(), SendError>> {
        let mut settings = json!({
            "relay": format!("{scheme}://localhost:{}", self.port),
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
        let letter = letter(&settings)?;
        Ok(match Relay::new(&settings) {
            Ok(relay) => relay.send(&letter).await,
            Err(cause) => Err(cause),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn letter(settings: &MailSettings) -> Result<membermail_notices::Letter> {
    let notice = Notice::Member(Member {
        name: Some(LaunchpadName::parse("alice")?),
        address: "alice@ubuntu.com".to_owned().try_into()?,
        said: Said::News(MemberNews::Created),
    });
    let to = EmailAddress::parse("alice@mail.example")?;
    let (id, now) = (NoticeId::of_failure("1"), SystemClock.now());
    let addressed = Addressed { id: &id, to: &to, language: None, now };
    let community = membermail_communities::community("ubuntu")?;
    let site = Site::new(&community, "https://mail.ubuntu.example/".parse()?);
    Ok(compose(&notice, addressed, &Texts::load()?, &site, settings)?)
}

#[tokio::test]
async fn mail_goes_encrypted_and_with_a_password() -> Result<()> {
    for (scheme, options) in [
        ("smtps", vec!["--login", "membermail:hunter2"]),
        ("starttls", vec!["--starttls", "--login", "membermail:hunter2"]),
    ] {
        let server = Server::start(&options).await?;
        server.send(scheme, Some("hunter2"), Some(&server.authority)).await?.with_context(|| scheme.to_owned())?;
        let mail = Mailbox::in_folder(server.folder.path()).to("alice@mail.example")?;
        ensure!(mail.len() == 1 && mail[0].subject() == "alice@ubuntu.com is yours", "{} by {scheme}", mail.len());
        ensure!(mail[0].header("X-Tls") == "yes" && mail[0].header("X-Login") == "membermail", "{scheme}");
    }
    Ok(())
}

#[tokio::test]
async fn a_wrong_password_is_nobodys_mailbox() -> Result<()> {
    let server = Server::start(&["--login", "membermail:hunter2"]).await?;
    let wrong = server.send("smtps", Some("hunter3"), Some(&server.authority)).await?;
    let reply = Reply { code: 535, enhanced: Some((5, 7, 8)) };
    ensure!(wrong == Err(SendError::NotAllowed(reply)), "{wrong:?}");
    let none = server.send("smtps", None, Some(&server.authority)).await?;
    ensure!(matches!(none, Err(SendError::NotAllowed(_))), "{none:?}");
    Ok(())
}

#[tokio::test]
async fn a_certificate_of_somebody_else_gets_no_mail() -> Result<()> {
    let server = Server::start(&[]).await?;
    let sent = server.send("smtps", None, None).await?;
    let Err(SendError::Later(why)) = &sent else { anyhow::bail!("{sent:?}") };
    ensure!(why.contains("certificate") || why.contains("tls"), "{why}");
    ensure!(Mailbox::in_folder(server.folder.path()).to("alice@mail.example")?.is_empty());
    Ok(())
}

#[tokio::test]
async fn without_encryption_where_it_is_asked_for_nothing_goes() -> Result<()> {
    let server = Server::start(&["--starttls"]).await?;
    // Plain, to a server that wants STARTTLS first.
    let sent = server.send("smtp", None, None).await?;
    ensure!(matches!(sent, Err(SendError::NotAllowed(Reply { code: 530, .. }))), "{sent:?}");
    Ok(())
}
