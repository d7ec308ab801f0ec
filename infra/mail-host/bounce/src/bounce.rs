//! Reads a bounce. Only status codes and addresses are taken from it, each from its field.

use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders};
use membermail_core::address::DomainName;
use membermail_core::email::EmailAddress;

use crate::address::{Mailbox, Recipient};
use crate::returned::ReturnedHeader;
use crate::status::{Class, Status};

/// Octets that are read of a bounce. Reports come first in it, and the original mail last.
pub const READ_LIMIT: usize = 256 * 1024;

/// Recipients that are read of a report.
const RECIPIENT_LIMIT: usize = 100;

/// Stack of the parser: each nested message in it takes a few frames, and 256 kB hold thousands of them.
const PARSER_STACK: usize = 256 * 1024 * 1024;

/// What a mail to the return path is.
#[derive(Debug, PartialEq, Eq)]
pub enum Bounce {
    /// A delivery status notification (RFC 3464) with at least one failure or delay.
    Report(Vec<RecipientStatus>, ReturnedHeader),
    /// A bounce in another form, as qmail and old versions of Exchange and Exim send it.
    Unstructured(ReturnedHeader),
    /// A mail that no sender needs, or that says more than its sender may know.
    Ignored(Ignored),
}

/// Why a mail to the return path is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "kebab-case")]
pub enum Ignored {
    /// A vacation message or another automatic reply (RFC 3834). It would name the member's mailbox.
    AutoReply,
    /// A report of a delivery, which the sender did not ask this host for.
    Success,
    /// Another kind of report, such as a read receipt (RFC 8098).
    OtherReport,
    /// A delay, in a form without status codes.
    Delay,
    /// No mail.
    Unreadable,
}

/// The outcome for a recipient that the sender has to know of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Delivery is still tried.
    Delayed,
    /// Delivery has failed.
    Failed,
}

/// A recipient of a report (RFC 3464, 2.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientStatus {
    /// The outcome.
    pub action: Action,
    /// The status code.
    pub status: Status,
    /// The recipient at the other server.
    pub final_recipient: Option<Mailbox>,
    /// The recipient that the sender specified.
    pub original_recipient: Option<Recipient>,
}

impl Bounce {
    /// Reads at most [`READ_LIMIT`] octets of a bounce. `host` is the name of this host.
    pub fn parse(octets: &[u8], host: &DomainName) -> Self {
        let octets = &octets[..octets.len().min(READ_LIMIT)];
        std::thread::scope(|scope| {
            let parser = std::thread::Builder::new().stack_size(PARSER_STACK);
            let parsing = parser.spawn_scoped(scope, || parse(octets, host));
            parsing.ok().and_then(|thread| thread.join().ok()).unwrap_or(Self::Ignored(Ignored::Unreadable))
        })
    }
}

fn parse(octets: &[u8], host: &DomainName) -> Bounce {
    let Some(message) = MessageParser::default().parse(octets) else { return Bounce::Ignored(Ignored::Unreadable) };
    let returned = returned_header(&message, host);
    let report_type = message.content_type().and_then(|kind| kind.attribute("report-type"));
    let status_part =
        message.parts.iter().find(|part| is_type(part, "message", &["delivery-status", "global-delivery-status"]));
    if let Some(part) = status_part {
        return match recipients(part.contents()) {
            Some(recipients) if recipients.is_empty() => Bounce::Ignored(Ignored::Success),
            Some(recipients) => Bounce::Report(recipients, returned),
            None => Bounce::Unstructured(returned),
        };
    }
    if report_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("delivery-status")) {
        return Bounce::Ignored(Ignored::OtherReport);
    }
    if !is_from_mail_system(&message) && is_auto_reply(&message) {
        return Bounce::Ignored(Ignored::AutoReply);
    }
    if is_about_delay(&message) {
        return Bounce::Ignored(Ignored::Delay);
    }
    Bounce::Unstructured(returned)
}

fn is_type(part: &MessagePart<'_>, main: &str, subtypes: &[&str]) -> bool {
    part.content_type().is_some_and(|kind| {
        let subtype = kind.subtype().unwrap_or_default();
        kind.ctype().eq_ignore_ascii_case(main) && subtypes.iter().any(|one| subtype.eq_ignore_ascii_case(one))
    })
}

/// The header of the original mail: a part of its own, or below the text.
fn returned_header(message: &Message<'_>, host: &DomainName) -> ReturnedHeader {
    let part = message.parts.iter().skip(1).find(|part| {
        is_type(part, "text", &["rfc822-headers"]) || is_type(part, "message", &["rfc822", "global", "global-headers"])
    });
    if let Some(part) = part {
        return ReturnedHeader::parse(part.contents(), host);
    }
    let text = message.body_text(0).unwrap_or_default();
    let begin = ["\nReturn-Path:", "\nReceived:"].iter().filter_map(|start| text.find(start)).min();
    begin.map(|begin| ReturnedHeader::parse(&text.as_bytes()[begin + 1..], host)).unwrap_or_default()
}

/// The failures and delays of a delivery status; `None` if it has no readable recipient.
fn recipients(status: &[u8]) -> Option<Vec<RecipientStatus>> {
    let text = String::from_utf8_lossy(status).replace("\r\n", "\n");
    let mut found = Vec::new();
    let mut is_readable = false;
    for block in text.split("\n\n").take(RECIPIENT_LIMIT + 1) {
        let fields = Fields::parse(block);
        let status = fields.get("Status");
        let code = status.and_then(Status::parse);
        let action = fields.get("Action").and_then(|value| value.split([' ', '(']).next()).map(str::to_ascii_lowercase);
        let action = match (action.as_deref(), code) {
            (Some("failed"), _) => Action::Failed,
            (Some("delayed"), _) => Action::Delayed,
            (None, Some(Status { class: Class::Permanent, .. })) => Action::Failed,
            (None, Some(Status { class: Class::Transient, .. })) => Action::Delayed,
            (Some("delivered" | "relayed" | "expanded"), _) => {
                is_readable = true;
                continue;
            }
            _ => continue,
        };
        is_readable = true;
        found.push(RecipientStatus {
            action,
            status: code.unwrap_or(Status::UNKNOWN),
            final_recipient: fields.get("Final-Recipient").and_then(typed_address).and_then(final_recipient),
            original_recipient: fields.get("Original-Recipient").and_then(typed_address).and_then(Recipient::parse),
        });
    }
    is_readable.then_some(found)
}

/// The fields of a block of a delivery status.
struct Fields<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Fields<'a> {
    fn parse(block: &'a str) -> Self {
        let lines = block.lines().filter(|line| !line.starts_with([' ', '\t']));
        Self(lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name.trim(), value.trim())).collect())
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(one, _)| one.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

/// A recipient at another server. A destination at an internationalized domain has A-labels here, and U-labels in the reports
/// of some servers (RFC 6533).
fn final_recipient(address: &str) -> Option<Mailbox> {
    match EmailAddress::parse(address) {
        Ok(parsed) if !address.is_ascii() => Mailbox::parse(parsed.expose()),
        _ => Mailbox::parse(address),
    }
}

/// The address behind its type, such as `rfc822;`.
fn typed_address(value: &str) -> Option<&str> {
    let (kind, address) = value.split_once(';')?;
    let is_mail = ["rfc822", "utf-8"].iter().any(|one| kind.trim().eq_ignore_ascii_case(one));
    is_mail.then(|| address.trim().trim_start_matches('<').trim_end_matches('>'))
}

/// Whether the author is a mail system, by convention (RFC 5321, 4.5.1, and RFC 2142, 5).
fn is_from_mail_system(message: &Message<'_>) -> bool {
    let author = message.from().and_then(|from| from.first()).and_then(|author| author.address()).unwrap_or_default();
    let local = author.split('@').next().unwrap_or_default().to_ascii_lowercase();
    local == "postmaster" || local.starts_with("mailer-daemon") || has(message, "X-Failed-Recipients")
}

fn is_auto_reply(message: &Message<'_>) -> bool {
    let value = |name: &'static str| message.header_raw(name).unwrap_or_default().trim().to_ascii_lowercase();
    let submitted = value("Auto-Submitted");
    let is_automatic = !submitted.is_empty() && submitted.split([';', ' ']).next() != Some("no");
    let is_bulk = ["auto_reply", "bulk", "junk", "list"].contains(&value("Precedence").as_str());
    is_automatic
        || is_bulk
        || ["X-Autoreply", "X-Autorespond", "X-Auto-Reply", "X-Vacation"].iter().any(|name| has(message, name))
}

fn has(message: &Message<'_>, name: &'static str) -> bool {
    message.header(name).is_some()
}

fn is_about_delay(message: &Message<'_>) -> bool {
    let subject = message.subject().unwrap_or_default().to_ascii_lowercase();
    (subject.contains("delay") || subject.starts_with("warning")) && !subject.contains("fail")
}

#[cfg(test)]
#[path = "bounce_tests.rs"]
mod tests;
