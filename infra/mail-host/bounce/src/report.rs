//! The report to a sender: a delivery status notification (RFC 3464) that is written anew and contains no word of the
//! other server.

use jiff::Timestamp;
use mail_builder::MessageBuilder;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::date::Date;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::MimePart;
use membermail_core::address::DomainName;

use crate::address::Mailbox;
use crate::bounce::Action;
use crate::decision::{Quoted, Told};
use crate::status::Status;

/// A report to the sender of a mail.
#[derive(Debug)]
pub struct Report<'a> {
    /// The name of this host.
    pub host: &'a DomainName,
    /// The sender of the original mail.
    pub sender: &'a Mailbox,
    /// What happened, by address.
    pub told: &'a [Told],
    /// What is quoted of the original mail.
    pub quoted: &'a Quoted,
    /// The time of the report.
    pub at: Timestamp,
    /// Random bytes for the Message-ID and the boundary.
    pub random: [u8; 16],
}

impl Report<'_> {
    /// The mail.
    pub fn to_mail(&self) -> Vec<u8> {
        let Self { host, sender, at, .. } = self;
        let id: String = self.random.iter().map(|byte| format!("{byte:02x}")).collect();
        let kind = ContentType::new("multipart/report").attribute("report-type", "delivery-status");
        let mut parts = vec![
            part("text/plain; charset=us-ascii", self.text()),
            part("message/delivery-status", self.delivery_status()),
        ];
        if !self.quoted.fields.is_empty() {
            let fields = self.quoted.fields.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
            parts.push(part("text/rfc822-headers; charset=us-ascii", fields.collect()));
        }
        let mut builder = MessageBuilder::new()
            .date(Date::new(at.as_second()))
            .from(("Mail Delivery System".to_owned(), format!("mailer-daemon@{host}")))
            .header("To", Raw::new(format!("<{}>", sender.expose())))
            .subject(self.subject())
            .message_id(format!("{id}@{host}"))
            // RFC 3834, 3.1.7: no automatic reply to this.
            .header("Auto-Submitted", Raw::new("auto-replied"));
        if let Some(original) = &self.quoted.message_id {
            builder = builder.in_reply_to(original.as_str()).references(original.as_str());
        }
        let body = MimePart::new(kind.attribute("boundary", format!("={id}=")), parts);
        // Writing to memory cannot fail.
        builder.body(body).write_to_vec().unwrap_or_default()
    }

    fn has_failed(&self) -> bool {
        self.told.iter().any(|told| told.action == Action::Failed)
    }

    fn subject(&self) -> &'static str {
        if self.has_failed() { "Undelivered Mail Returned to Sender" } else { "Delayed Mail (still being retried)" }
    }

    fn text(&self) -> String {
        let host = self.host;
        let mut text = format!("This is the mail system of {host}.\r\n");
        for told in self.told {
            let address = match &told.recipient {
                Some(recipient) => recipient.expose().to_owned(),
                None => "an address at this host".to_owned(),
            };
            let (what, next) = explanation(told);
            text += &format!(
                "\r\nYour message to\r\n\r\n    {address}\r\n\r\n{what}\r\nStatus code: {}\r\n\r\n{next}\r\n",
                told.status
            );
        }
        text + &format!("\r\nIf you need help, write to postmaster@{host} and include this report.\r\n")
    }

    fn delivery_status(&self) -> String {
        let host = self.host;
        let mut text = format!("Reporting-MTA: dns; {host}\r\n");
        for Told { recipient, action, status } in self.told {
            let address = match recipient {
                Some(recipient) => recipient.expose().to_owned(),
                // RFC 3464 requires this field, also if nothing proves an address.
                None => format!("unknown@{host}"),
            };
            let action = match action {
                Action::Failed => "failed",
                Action::Delayed => "delayed",
            };
            text += &format!("\r\nFinal-Recipient: rfc822; {address}\r\nAction: {action}\r\nStatus: {status}\r\n");
        }
        text
    }
}

/// A part in ASCII, with its type and without an encoding, as RFC 3464 requires for the status.
fn part<'a>(kind: &'static str, text: String) -> MimePart<'a> {
    MimePart::raw(text).header("Content-Type", Raw::new(kind)).transfer_encoding("7bit")
}

/// What happened, and what the sender can do about it.
fn explanation(told: &Told) -> (&'static str, &'static str) {
    let status = told.status;
    if told.action == Action::Delayed {
        return (
            "has not been delivered yet.",
            "You need not send it again: delivery is still being tried, and you will be\r\ntold if it fails.",
        );
    }
    if status == Status::EXPIRED {
        return (
            "could not be delivered within the time that a message is kept.",
            "Please send it again later, or contact the recipient in another way.",
        );
    }
    let what = match (status.subject, status.detail) {
        (1, _) | (2, 0 | 1) => "could not be delivered: the mailbox of this address is not available.",
        (2, 2) => "could not be delivered: the mailbox of this address is full.",
        (2, 3) | (3, 4) => "could not be delivered: the message is too large.",
        (4, 6) => "could not be delivered: it was forwarded in circles.",
        (6, _) => "could not be delivered: the format of the message is not supported.",
        (7, _) => "could not be delivered: a filter or a policy rejected the message.",
        _ => "could not be delivered: no further reason is known.",
    };
    let next = match (status.subject, status.detail) {
        (2, 3) | (3, 4) => "Please send a smaller message.",
        (6 | 7, _) => {
            "Please change the message, for example send it without attachments, or\r\ncontact the recipient in another way."
        }
        _ => "Please contact the recipient in another way.",
    };
    (what, next)
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
