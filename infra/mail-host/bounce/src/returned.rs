//! The header of the original mail, as a bounce returns it.

use std::fmt;

use mail_parser::{Host, MessageParser};
use membermail_core::address::DomainName;

use crate::address::Recipient;

/// Fields that are copied into a report of a bounce of this host.
const COPIED: [&str; 5] = ["Date", "Subject", "From", "To", "Message-ID"];

/// Octets of a copied field at most.
const FIELD_LIMIT: usize = 2_000;

/// Octets of one of its lines at most; with the name, it must have less than 998 (RFC 5322, 2.1.1).
const LINE_LIMIT: usize = 900;

/// The header of the original mail. It was in somebody's hands, so none of it is proven.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ReturnedHeader {
    /// The recipient in each `Received` field of this host, from the latest to the first.
    passages: Vec<Option<Recipient>>,
    /// Copied fields, with their names.
    fields: Vec<(&'static str, String)>,
    message_id: Option<String>,
}

impl fmt::Debug for ReturnedHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReturnedHeader([redacted])")
    }
}

impl ReturnedHeader {
    /// Parses a header; a body may follow.
    pub(crate) fn parse(octets: &[u8], host: &DomainName) -> Self {
        let Some(message) = MessageParser::default().parse_headers(octets) else { return Self::default() };
        let passages = message.received_all().filter_map(|received| match received.by() {
            Some(Host::Name(name)) if name.eq_ignore_ascii_case(host.as_str()) => {
                Some(received.for_().and_then(|text| Recipient::parse(text.trim_matches(['<', '>']))))
            }
            _ => None,
        });
        let mut fields = Vec::new();
        for name in COPIED {
            if let Some(value) = message.header_raw(name).and_then(field_value) {
                fields.push((name, value));
            }
        }
        let message_id = message.message_id().filter(|id| is_message_id(id)).map(str::to_owned);
        Self { passages: passages.collect(), fields, message_id }
    }

    /// The address that the mail was first sent to. If a destination forwards a mail to another address of ours, its sender
    /// knows only the first one. Senders can forge that, for themselves alone.
    pub fn first_recipient(&self) -> Option<&Recipient> {
        self.passages.last()?.as_ref()
    }

    /// The address that the mail was last sent to.
    pub fn latest_recipient(&self) -> Option<&Recipient> {
        self.passages.first()?.as_ref()
    }

    /// Whether the mail came to this host more than once.
    pub fn came_back(&self) -> bool {
        self.passages.len() > 1
    }

    /// The fields to copy, with their names.
    pub fn fields(&self) -> &[(&'static str, String)] {
        &self.fields
    }

    /// The Message-ID without angle brackets.
    pub fn message_id(&self) -> Option<&str> {
        self.message_id.as_deref()
    }
}

/// The value of a field in ASCII, folded as it came (RFC 5322, 2.2.3).
fn field_value(raw: &str) -> Option<String> {
    let lines = raw.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<String> = lines.map(|line| line.chars().map(printable).collect()).collect();
    let fits = lines.iter().all(|line| line.len() <= LINE_LIMIT);
    let value = lines.join("\r\n ");
    (fits && !value.is_empty() && value.len() <= FIELD_LIMIT).then_some(value)
}

fn printable(c: char) -> char {
    match c {
        '\t' => ' ',
        ' '..='~' => c,
        _ => '?',
    }
}

/// A Message-ID that is safe in a field (RFC 5322, 3.6.4).
fn is_message_id(id: &str) -> bool {
    let is_plain = id.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>()\\\",;".contains(&byte));
    is_plain && id.len() <= 250 && id.split('@').count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(header: &str) -> ReturnedHeader {
        ReturnedHeader::parse(header.as_bytes(), &"mail.membermail.test".parse().unwrap())
    }

    fn received(by: &str, recipient: &str) -> String {
        let recipient = if recipient.is_empty() { String::new() } else { format!("\r\n\tfor <{recipient}>") };
        format!(
            "Received: from client.example (client.example [192.0.2.1])\r\n\tby {by} (Postfix) with ESMTPS id 4ABC{recipient};\r\n\tSat, 28 Nov 2026 22:11:20 +0000 (UTC)\r\n"
        )
    }

    #[rstest::rstest]
    #[case::ours(&[("mail.membermail.test", "alice@ubuntu.com")], Some("alice@ubuntu.com"))]
    #[case::any_case(&[("MAIL.membermail.test", "Alice@Ubuntu.com")], Some("Alice@ubuntu.com"))]
    #[case::behind_another(
        &[("mx.hidden-home.example", "alice.home@hidden-home.example"), ("mail.membermail.test", "alice@ubuntu.com")],
        Some("alice@ubuntu.com")
    )]
    #[case::first_of_two(
        &[("mail.membermail.test", "bob@ubuntu.com"), ("mail.membermail.test", "alice@ubuntu.com")],
        Some("alice@ubuntu.com")
    )]
    #[case::several_recipients(&[("mail.membermail.test", "")], None)]
    #[case::other_host(&[("mx.elsewhere.example", "alice@ubuntu.com")], None)]
    fn first_recipient_is_of_this_host(#[case] fields: &[(&str, &str)], #[case] expected: Option<&str>) {
        let header: String = fields.iter().map(|(by, recipient)| received(by, recipient)).collect();
        assert_eq!(parse(&header).first_recipient().map(Recipient::expose), expected, "{header}");
    }

    #[rstest::rstest]
    #[case("<1@elsewhere.example>", Some("1@elsewhere.example"))]
    #[case::injection("<1@elsewhere.example\r\nBcc: x@y.example>", None)]
    #[case::two("<a@b@c>", None)]
    #[case::no_at("<abc>", None)]
    fn message_id_is_safe(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(parse(&format!("Message-ID: {text}\r\n\r\n")).message_id(), expected);
    }

    #[rstest::rstest]
    #[case::folded("Subject: one\r\n\ttwo\r\n", "one\r\n two")]
    #[case::encoded("Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n", "=?utf-8?q?gr=C3=BC=C3=9Fe?=")]
    #[case::utf8("Subject: gr\u{fc}\u{df}e\r\n", "gr??e")]
    #[case::control("Subject: a\u{1b}[31mb\0c\r\n", "a?[31mb?c")]
    fn field_is_copied_in_ascii(#[case] header: &str, #[case] expected: &str) {
        assert_eq!(parse(header).fields(), [("Subject", expected.to_owned())]);
    }

    #[test]
    fn huge_field_is_dropped() {
        assert!(parse(&format!("Subject: {}\r\n", "x".repeat(1_000))).fields().is_empty());
        assert!(parse(&format!("Subject: {}\r\n", "\r\n y".repeat(1_000))).fields().is_empty());
    }

    #[test]
    fn other_fields_are_not_copied() {
        let header =
            "X-Original-To: a@b.example\r\nDelivered-To: a@b.example\r\nDate: Tue, 24 Nov 2026 20:00:00 +0000\r\n";
        assert_eq!(parse(header).fields(), [("Date", "Tue, 24 Nov 2026 20:00:00 +0000".to_owned())]);
    }
}
