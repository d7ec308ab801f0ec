//! A notice as a message of Internet mail (RFC 5322), in both forms, in the reader's language.

use std::fmt;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use membermail_core::email::EmailAddress;
use membermail_core::language::Language;
use membermail_core::notice::NoticeId;

use crate::{MailSettings, Notice, Site, Texts};

/// Who gets it, when, as what.
#[derive(Clone, Copy, Debug)]
pub struct Addressed<'a> {
    /// What keeps it from coming twice, also in the reader's own mail program.
    pub id: &'a NoticeId,
    /// Where to.
    pub to: &'a EmailAddress,
    /// In which language.
    pub language: Option<&'a Language>,
    /// When it is sent.
    pub now: Timestamp,
}

/// A message that is ready to be sent. Its `Debug` shows nothing.
pub struct Letter(pub(crate) lettre::Message);

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Letter([redacted])")
    }
}

impl Letter {
    /// The message as it goes over the wire.
    pub fn formatted(&self) -> Vec<u8> {
        self.0.formatted()
    }
}

/// Makes the message.
pub fn compose(
    notice: &Notice,
    addressed: Addressed<'_>,
    texts: &Texts,
    site: &Site,
    settings: &MailSettings,
) -> Result<Letter, LetterError> {
    let speaker = texts.speaker(addressed.language);
    let (content, list) = match notice {
        Notice::Member(notice) => (notice.content(speaker, site), "members"),
        Notice::Linked(notice) => (notice.content(speaker, site), "members"),
        Notice::Digest(notice) => (notice.content(speaker, site), "admins"),
        Notice::Held(notice) => (notice.content(speaker, site), "admins"),
        Notice::Domain(notice) => (notice.content(speaker, site), "admins"),
        Notice::Failed(notice) => (notice.content(speaker, site), "operators"),
    };
    let (text, html) = (content.text()?, content.html(speaker, site)?);
    let to = Mailbox::new(None, addressed.to.expose().parse().map_err(|_| LetterError::Address)?);
    let domain = settings.from.email.domain();
    let alternative = MultiPart::alternative().boundary(format!("={}=", addressed.id));
    let alternative = alternative.singlepart(SinglePart::plain(text)).singlepart(SinglePart::html(html));
    let message = lettre::Message::builder()
        .message_id(Some(format!("<{}@{domain}>", addressed.id)))
        .date(system_time(addressed.now))
        .from(settings.from.clone())
        .reply_to(settings.reply_to.clone())
        .to(to)
        .subject(content.subject)
        // RFC 3834, 5: no vacation responder answers this.
        .raw_header(header("Auto-Submitted", "auto-generated".to_owned()))
        // RFC 2919, 3.
        .raw_header(header("List-Id", format!("{} mail <{list}-notices.{domain}>", site.community)))
        .raw_header(header("Content-Language", speaker.tag()))
        .multipart(alternative)
        .map_err(|error| LetterError::Message(error.to_string()))?;
    Ok(Letter(message))
}

fn system_time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(at.as_second()).unwrap_or_default())
}

fn header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

/// A notice that makes no message: a mistake of ours, which a later try repeats.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// The template.
    #[error("the template: {0}")]
    Template(#[from] askama::Error),
    /// The address.
    #[error("an address that makes no mailbox")]
    Address,
    /// The whole.
    #[error("the message: {0}")]
    Message(String),
}

#[cfg(test)]
#[path = "letter_tests.rs"]
mod tests;
