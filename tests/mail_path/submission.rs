//! Our own notices come to the submission port: by a password from wherever the functions are, or from networks of ours.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lettre::address::Envelope;
use lettre::transport::smtp::authentication::Mechanism;
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::{ClientId, Extension};
use membermail_core::address::Address;
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::email::EmailAddress;
use membermail_core::member::LaunchpadName;
use membermail_core::notice::{MemberNews, NoticeId};
use membermail_notices::{
    Addressed, MailSettings, Member, Notice, Relay, Reply, Said, SendError, Site, Texts, compose,
};
use membermail_postfix::rig::{NOTICES, SUBMITTER, USER};
use membermail_tests::mail::{MailHost, mail};
use membermail_tests::stack::Stack;
use serde_json::json;

use crate::{host, signed};

/// The client of `notify`, with a mail secret like the one that an operator writes.
async fn notify(host: &MailHost, from: &str, password: Option<&str>) -> Result<Result<(), SendError>> {
    let mut secret = json!({
        "relay": format!("starttls://localhost:{}", host.rig.submission),
        "certificate": host.rig.certificate,
        "from": from, "reply-to": "help@ubuntu.com", "operators": "ops@ubuntu.com",
    });
    if let Some(password) = password {
        secret["user"] = USER.into();
        secret["password"] = password.into();
    }
    let settings = MailSettings::parse(&secret.to_string())?;
    let notice = Notice::Member(Member {
        name: Some(LaunchpadName::parse("alice")?),
        address: Address::try_from("alice@ubuntu.com".to_owned())?,
        said: Said::News(MemberNews::Created),
    });
    let (id, to) = (NoticeId::of_failure("1"), EmailAddress::parse("alice@mail.example")?);
    let addressed = Addressed { id: &id, to: &to, language: None, now: SystemClock.now() };
    let community = membermail_communities::community("ubuntu")?;
    let site = Site::new(&community, "https://mail.ubuntu.example/".parse()?);
    let letter = compose(&notice, addressed, &Texts::load()?, &site, &settings)?;
    Ok(Relay::new(&settings)?.send(&letter).await)
}

fn reply(code: u16, enhanced: (u16, u16, u16)) -> Reply {
    Reply { code, enhanced: Some(enhanced) }
}

#[tokio::test]
async fn a_notice_is_handed_in_by_password_signed_and_delivered() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = signed::signing(&stack, "by-password").await?;
    notify(&host, NOTICES, Some(&host.rig.password)).await??;
    let arrived = host.arrived("alice@ubuntu.com is yours", 30).await?;
    ensure!(arrived.recipients == ["alice@mail.example"] && arrived.sender == NOTICES, "{arrived:?}");
    let text = String::from_utf8_lossy(&arrived.raw);
    let read = signed::read(&host, "dkim", &arrived.raw)?;
    ensure!(read.starts_with("True\n") && read.contains("test._domainkey.ubuntu.com"), "{read}: {text}");
    ensure!(!text.contains(&format!("{USER}@")) && !text.contains("uthenticated"), "it tells the account: {text}");
    Ok(())
}

#[tokio::test]
async fn a_wrong_password_or_none_hands_nothing_in() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "wrong-password", "").await?;
    let wrong = notify(&host, NOTICES, Some("wrong")).await?;
    ensure!(wrong == Err(SendError::NotAllowed(reply(535, (5, 7, 8)))), "{wrong:?}");
    // From an address that is in no network of ours, neither as ourselves nor as anybody else.
    for from in [NOTICES, "somebody@elsewhere.example"] {
        let none = notify(&host, from, None).await?;
        let refused = matches!(
            &none,
            Err(SendError::Refused(Reply { code: 554, .. }) | SendError::NotAllowed(Reply { code: 553, .. }))
        );
        ensure!(refused, "{from}: {none:?}");
    }
    ensure!(host.rig.inbox.all()?.is_empty());
    Ok(())
}

#[tokio::test]
async fn who_has_the_password_sends_as_our_own_sender_only() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "own-sender", "").await?;
    for from in ["alice@ubuntu.com", "noreply@kubuntu.org", "somebody@elsewhere.example"] {
        let said = notify(&host, from, Some(&host.rig.password)).await?;
        ensure!(said == Err(SendError::NotAllowed(reply(553, (5, 7, 1)))), "{from}: {said:?}");
    }
    // Nor as nobody, which no map of senders holds.
    let mut connection = connect(&host).await?;
    encrypt(&host, &mut connection).await?;
    let credentials = (USER.to_owned(), host.rig.password.clone()).into();
    connection.auth(&[Mechanism::Plain], &credentials).await?;
    let envelope = Envelope::new(None, vec!["bob@mail.example".parse()?])?;
    let said = connection.send(&envelope, &mail("bob@mail.example", "from nobody")).await;
    let refused = said.err().context("it was taken")?.to_string();
    ensure!(refused.contains("554"), "{refused}");
    ensure!(host.rig.inbox.all()?.is_empty());
    Ok(())
}

#[tokio::test]
async fn nothing_is_said_in_clear() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "in-clear", "").await?;
    let mut connection = connect(&host).await?;
    let offers = |connection: &AsyncSmtpConnection| {
        connection.server_info().supports_feature(Extension::Authentication(Mechanism::Plain))
    };
    ensure!(!offers(&connection) && connection.can_starttls(), "{:?}", connection.server_info());
    // Whoever says it all the same is not heard.
    for words in [format!("AUTH PLAIN {}\r\n", "AG5vdGljZXMAeA=="), format!("MAIL FROM:<{NOTICES}>\r\n")] {
        let said = connection.command(words).await.err().context("it was heard")?;
        ensure!(said.status().is_some_and(|code| [503, 530, 538].contains(&u16::from(code))), "{said:?}");
    }
    let mut connection = connect(&host).await?;
    encrypt(&host, &mut connection).await?;
    ensure!(offers(&connection), "{:?}", connection.server_info());
    // Where mail comes from anywhere, there is no password to guess.
    let at = (Ipv4Addr::LOCALHOST, host.rig.smtp);
    let mut door = AsyncSmtpConnection::connect_tokio1(at, PATIENCE, &hello(), None, None).await?;
    encrypt(&host, &mut door).await?;
    ensure!(!offers(&door), "{:?}", door.server_info());
    Ok(())
}

#[tokio::test]
async fn a_network_of_ours_needs_no_password_but_tls() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "own-network", "").await?;
    let said = signed::submit(&host, Some(SUBMITTER), NOTICES, "from our network").await?;
    ensure!(said.is_none(), "{said:?}");
    host.arrived("from our network", 30).await.map(drop)
}

const PATIENCE: Option<Duration> = Some(Duration::from_secs(20));

fn hello() -> ClientId {
    ClientId::Domain("client.example".to_owned())
}

async fn connect(host: &MailHost) -> Result<AsyncSmtpConnection> {
    let at = (Ipv4Addr::LOCALHOST, host.rig.submission);
    Ok(AsyncSmtpConnection::connect_tokio1(at, PATIENCE, &hello(), None, None).await?)
}

async fn encrypt(host: &MailHost, connection: &mut AsyncSmtpConnection) -> Result<()> {
    let certificate = Certificate::from_pem(host.rig.certificate.as_bytes())?;
    let tls = TlsParameters::builder("localhost".to_owned()).add_root_certificate(certificate).build()?;
    Ok(connection.starttls(tls, &hello()).await?)
}
