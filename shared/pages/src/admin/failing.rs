//! The addresses of a domain whose mail was not delivered.

use askama::Template;
use membermail_core::status_code::FailureKind;
use membermail_store::FailingAddress;

use super::Console;
use crate::layout::Site;
use crate::wording::Wording;

/// The page.
#[derive(Template)]
#[template(path = "admin/failing.html")]
pub struct FailingPage<'a> {
    /// The layout.
    pub site: Site<'a>,
    /// The frame.
    pub console: Console<'a>,
    /// The addresses, by name.
    pub rows: Vec<FailingRow>,
    /// The query of the next page.
    pub next: Option<String>,
}

/// An address whose mail was not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailingRow {
    /// The address.
    pub address: String,
    /// Why.
    pub reason: String,
    /// The number of failures, with the first and the last.
    pub since: String,
}

impl FailingRow {
    /// Describes the failures of an address. The mailbox that refuses the mail is not shown.
    pub fn new(FailingAddress { address, failing }: &FailingAddress, wording: Wording<'_>) -> Self {
        let part = match failing.reply.kind() {
            FailureKind::Mailbox => "mailbox",
            FailureKind::Message => "message",
            FailureKind::Unreachable => "unreachable",
        };
        let reason = wording.part_with("domains-failures", part, &[("code", failing.reply.to_string().into())]);
        let args = [
            ("count", failing.count.into()),
            ("since", wording.moment(failing.since).into()),
            ("last", wording.moment(failing.last).into()),
        ];
        Self { address: address.to_string(), reason, since: wording.text_with("domains-failed", &args) }
    }
}
