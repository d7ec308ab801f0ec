//! A real mail host on the deployed stack's table, and a client that sends mail to it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use membermail_alias_map::settings::MasterSecretSource;
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::email::EmailAddress;
use membermail_core::notice::{MemberNews, NoticeId};
use membermail_notices::{
    Addressing, ComposedMail, MailSettings, MemberEvent, MemberNotice, Notice, Site, Texts, compose,
};
use membermail_postfix::config::Limits;
use membermail_postfix::smtp::{SmtpReply, send};
use membermail_test_mail_host::install;
use membermail_test_mail_host::mailbox::ReceivedMail;
use membermail_test_mail_host::options::Options;
use membermail_test_mail_host::rig::Rig;
use url::Url;

use crate::stack::Stack;
use crate::table::address;
use crate::wait::{until, until_true};

/// The sender of the tests' mails, at a domain that is not ours.
pub const SENDER: &str = "sender@elsewhere.example";

/// Limits for a thousand mails of one client.
pub const WIDE: Limits = Limits {
    message_octets: 2_000_000,
    connections_at_once: 200,
    connections_a_minute: 100_000,
    messages_a_minute: 100_000,
    recipients_a_minute: 100_000,
};

/// Where the operators read mail: role mail of a domain without an admin goes there.
pub const OPERATORS: &str = "operators@ops.example";

/// A mail host of a test.
pub struct MailHost {
    /// The running host.
    pub rig: Rig,
    /// Python with dkimpy.
    pub python: PathBuf,
}

impl MailHost {
    /// Starts a host in a folder of that name; its `alias-map` uses the AWS endpoint `aws` and these settings.
    pub async fn start(stack: &Stack, name: &str, aws: &Url, settings: &str, limits: Limits) -> Result<Self> {
        Self::start_as(stack, name, |options| {
            options.endpoint_url = aws.as_str().trim_end_matches('/').to_owned();
            options.settings = settings.to_owned();
            options.limits = limits;
        })
        .await
    }

    /// Starts a host in a folder of that name, on the stack's table and with wide limits, changed by `change`.
    pub async fn start_as(stack: &Stack, name: &str, change: impl FnOnce(&mut Options)) -> Result<Self> {
        let mail = &stack.mail;
        let mut options = Options {
            folder: mail.folder.join(name),
            alias_map: mail.alias_map.clone(),
            bounce: mail.bounce.clone(),
            failure_queue: None,
            queue_times: None,
            endpoint_url: stack.endpoint_url.as_str().trim_end_matches('/').to_owned(),
            table: stack.table.clone(),
            master_secret: MasterSecretSource::Arn(stack.master_secret_arn.clone()),
            community: "ubuntu".to_owned(),
            settings: String::new(),
            operators: OPERATORS.to_owned(),
            signing: false,
            resolver: None,
            limits: WIDE,
            xclient: false,
            checks_loopback: false,
            main_cf: &[],
            ports: None,
        };
        change(&mut options);
        Ok(Self {
            rig: Rig::start(options).await.with_context(|| format!("the mail host {name}"))?,
            python: install::python(),
        })
    }

    /// Sends a mail with this subject from elsewhere.
    pub async fn send(&self, recipient: &str, subject: &str) -> Result<SmtpReply> {
        send(self.rig.smtp, None, Some(SENDER), recipient, &mail(recipient, subject)).await
    }

    /// Sends a mail of this envelope sender, expects it to be accepted, and returns its queue id.
    pub async fn accept(&self, sender: Option<&str>, recipient: &str, mail: &[u8]) -> Result<String> {
        match send(self.rig.smtp, None, sender, recipient, mail).await? {
            SmtpReply::Queued(id) => Ok(id),
            said => bail!("{recipient}: {said:?}"),
        }
    }

    /// Sends a mail, expects it to be accepted, and waits for it.
    pub async fn deliver(&self, recipient: &str, subject: &str) -> Result<ReceivedMail> {
        self.accept(Some(SENDER), recipient, &mail(recipient, subject)).await?;
        self.wait_for_mail(subject, 30).await
    }

    /// The log file of alias-map.
    pub fn alias_map_log(&self) -> PathBuf {
        self.rig.log.with_file_name("alias-map.log")
    }

    /// Waits until Postfix's queue is empty. Delivered mail leaves it a moment later.
    pub async fn wait_for_empty_queue(&self, seconds: u64) -> Result<()> {
        until_true("an empty queue", seconds, async || Ok(self.rig.queued()?.is_empty())).await
    }

    /// Waits for the mail with this subject.
    pub async fn wait_for_mail(&self, subject: &str, seconds: u64) -> Result<ReceivedMail> {
        until(&format!("{subject:?} to arrive"), seconds, || async {
            Ok(self.rig.sink.mailbox.all()?.into_iter().find(|mail| mail.subject() == subject))
        })
        .await
        .with_context(|| tail(&self.rig.log))
    }
}

/// A small mail.
pub fn mail(recipient: &str, subject: &str) -> Vec<u8> {
    format!(
        "From: A Sender <{SENDER}>\r\nTo: <{recipient}>\r\nSubject: {subject}\r\nDate: Tue, 24 Nov 2026 20:00:00 +0000\r\n\
         Message-ID: <{}@elsewhere.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         A mail from elsewhere.\r\n",
        subject.replace(' ', ".")
    )
    .into_bytes()
}

/// The mail of a notice with these settings.
pub fn notice(settings: &MailSettings) -> Result<ComposedMail> {
    notice_with(settings, None)
}

/// The same with this envelope sender.
pub fn notice_with(settings: &MailSettings, bounces_to: Option<&EmailAddress>) -> Result<ComposedMail> {
    let notice = Notice::Member(MemberNotice {
        name: Some("alice".parse()?),
        address: address("alice@ubuntu.com")?,
        event: MemberEvent::AddressChanged(MemberNews::Created),
        comment: None,
    });
    let id = NoticeId::of_failure("1");
    let to = EmailAddress::parse("alice@mail.example")?;
    let addressing = Addressing { id: &id, to: &to, bounces_to, language: None, now: SystemClock.now() };
    let community = membermail_communities::community("ubuntu")?;
    let site = Site::new(&community, "https://mail.ubuntu.example/".parse()?);
    Ok(compose(&notice, addressing, &Texts::load()?, &site, settings)?)
}

/// The end of a log.
pub fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(25)..].join("\n")
}
