//! Mail that was not delivered, in words.

use jiff::Timestamp;
use membermail_core::destination::Failures;
use membermail_core::failing::Failing;
use membermail_core::status_code::{FailureKind, StatusCode};
use membermail_texts::FluentValue;

use crate::wording::Wording;

/// Failed deliveries to an address or a mailbox.
pub(super) struct Failure<'a> {
    since: Timestamp,
    last: Timestamp,
    reply: &'a StatusCode,
}

impl<'a> Failure<'a> {
    /// The failures of a destination.
    pub(super) fn of(failures: &'a Failures) -> Self {
        Self { since: failures.since, last: failures.last, reply: &failures.reply }
    }

    /// The failures at an address.
    pub(super) fn at_address(failing: &'a Failing) -> Self {
        Self { since: failing.since, last: failing.last, reply: &failing.reply }
    }

    pub(super) fn in_words(&self, destination: &str, wording: Wording<'_>) -> String {
        let first = wording.date(self.since);
        let last = wording.date(self.last);
        let when = if first == last {
            wording.text_with("undelivered-once", &[("date", first.into())])
        } else {
            wording.text_with("undelivered-often", &[("first", first.into()), ("last", last.into())])
        };
        let id = match self.reply.kind() {
            FailureKind::Mailbox => "undelivered-mailbox",
            FailureKind::Message => "undelivered-message",
            FailureKind::Unreachable => "undelivered-unreachable",
        };
        let args = [
            ("destination", destination.into()),
            ("when", when.into()),
            ("status", FluentValue::from(self.reply.to_string())),
        ];
        wording.text_with(id, &args)
    }
}
