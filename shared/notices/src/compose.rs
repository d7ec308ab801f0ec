//! Renders a notice as an Internet message (RFC 5322) with a text and an HTML part, in the recipient's language.

use std::fmt;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use membermail_core::email::EmailAddress;
use membermail_core::language::Language;
use membermail_core::notice::NoticeId;
use membermail_texts::Texts;

use crate::{MailSettings, Notice, Site};

/// The recipient and the message's identity.
#[derive(Clone, Copy, Debug)]
pub struct Addressing<'a> {
    /// Becomes the `Message-ID`, so that mail programs recognise a repeated notice.
    pub id: &'a NoticeId,
    /// The recipient.
    pub to: &'a EmailAddress,
    /// The envelope sender, which bounces go to. Without it, that is `From`.
    pub bounces_to: Option<&'a EmailAddress>,
    /// The recipient's language.
    pub language: Option<&'a Language>,
    /// The time of sending.
    pub now: Timestamp,
}

/// A message that is ready to be sent. `Debug` shows nothing of it.
pub struct ComposedMail(pub(crate) lettre::Message);

impl fmt::Debug for ComposedMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ComposedMail([redacted])")
    }
}

impl ComposedMail {
    /// The message as it is sent.
    pub fn formatted(&self) -> Vec<u8> {
        self.0.formatted()
    }
}

/// Composes the message of a notice.
pub fn compose(
    notice: &Notice,
    addressing: Addressing<'_>,
    texts: &Texts,
    site: &Site,
    settings: &MailSettings,
) -> Result<ComposedMail, ComposeError> {
    let translator = texts.translator(addressing.language);
    let (content, list) = match notice {
        Notice::Member(notice) => (notice.content(translator, site), "members"),
        Notice::Linked(notice) => (notice.content(translator, site), "members"),
        Notice::Role(notice) => (notice.content(translator, site), "members"),
        Notice::Code(notice) => (notice.content(translator, site), "members"),
        Notice::Mailbox(notice) => (notice.content(translator, site), "members"),
        Notice::Test(notice) => (notice.content(translator, site), "members"),
        Notice::Admins(notice) => (notice.content(translator, site), "admins"),
        Notice::Failure(notice) => (notice.content(translator, site), "operators"),
    };
    let text = content.text()?;
    let html = content.html(translator, site)?;
    let to = Mailbox::new(None, addressing.to.expose().parse().map_err(|_| ComposeError::Address)?);
    let sender = match addressing.bounces_to {
        Some(address) => address.expose().parse().map_err(|_| ComposeError::Address)?,
        None => settings.from.email.clone(),
    };
    let envelope = Envelope::new(Some(sender), vec![to.email.clone()]).map_err(|_| ComposeError::Address)?;
    let domain = settings.from.email.domain();
    let alternative = MultiPart::alternative().boundary(boundary(addressing.id));
    let alternative = alternative.singlepart(SinglePart::plain(text)).singlepart(SinglePart::html(html));
    let message = lettre::Message::builder()
        .envelope(envelope)
        .message_id(Some(format!("<{}@{domain}>", addressing.id)))
        .date(system_time(addressing.now))
        .from(settings.from.clone())
        .reply_to(settings.reply_to.clone())
        .to(to)
        .subject(content.subject)
        // RFC 3834, 5: keeps vacation responders from answering.
        .raw_header(header("Auto-Submitted", "auto-generated".to_owned()))
        // Lets mail programs filter by kind of notice (RFC 2919, 3).
        .raw_header(header("List-Id", format!("{} mail <{list}-notices.{domain}>", site.community)))
        .raw_header(header("Content-Language", translator.tag()))
        .multipart(alternative)
        .map_err(|error| ComposeError::Message(error.to_string()))?;
    Ok(ComposedMail(message))
}

/// Maximum length of a MIME boundary (RFC 2046, 5.1.1).
const MAX_BOUNDARY: usize = 70;

/// The boundary of a notice. It is derived from the id, so that a repeated notice is the identical message. It need not be
/// unique among notices, so a long id is cut.
fn boundary(id: &NoticeId) -> String {
    // A subset of the allowed characters, all of which are ASCII.
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    let letters = id.as_str().chars().map(|letter| if allowed(letter) { letter } else { '_' });
    format!("={}=", letters.take(MAX_BOUNDARY - 2).collect::<String>())
}

fn system_time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(at.as_second()).unwrap_or_default())
}

fn header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

/// A notice could not be composed. This is a bug, so a retry fails as well.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// The template failed.
    #[error("cannot render the template: {0}")]
    Template(#[from] askama::Error),
    /// An address is not accepted by the mail library.
    #[error("an address is not a mailbox")]
    Address,
    /// The message could not be built.
    #[error("cannot build the message: {0}")]
    Message(String),
}

#[cfg(test)]
#[path = "compose_tests.rs"]
mod tests;
