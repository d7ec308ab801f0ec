//! The forms of an address: where it forwards to, pause, test message, delete and restore.

use membermail_core::alias::{Reason, Status};
use membermail_core::destination::{Route, route};
use membermail_store::{StoredAlias, TestMessage};
use membermail_texts::FluentValue;

use super::AccountState;
use super::mailboxes::{Mailbox, distinct};
use crate::wording::Wording;

/// The forms of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manage {
    /// The address.
    pub address: String,
    /// The version of the alias that the page shows, so that a stale form changes nothing.
    pub version: u64,
    /// The mailboxes to choose from; empty if there is nothing to choose.
    pub choices: Vec<Choice>,
    /// Pause or resume.
    pub switch: Option<Switch>,
    /// The test message.
    pub test: Option<Test>,
    /// Delete or restore.
    pub end: Option<End>,
}

/// A mailbox that an address can forward to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The id of the destination.
    pub id: String,
    /// Its address.
    pub label: String,
    /// Whether the address forwards there now.
    pub is_chosen: bool,
}

/// The form that pauses or resumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// The address works: it can be paused.
    Pause,
    /// The address is paused.
    Resume,
}

/// The form for a test message, and the result of the last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// The id of the next one; none while the page refreshes itself.
    pub id: Option<String>,
    /// What became of the last one; empty if there was none.
    pub result: String,
}

/// The form that deletes or restores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The address can be deleted.
    Delete,
    /// The address can be restored.
    Restore,
}

impl Manage {
    /// The forms of an address; none if nothing can be done with it.
    pub(super) fn new(stored: &StoredAlias, state: &AccountState<'_>, wording: Wording<'_>) -> Option<Self> {
        let StoredAlias { alias, paused, .. } = stored;
        let forwards = alias.status.forwards();
        let is_loop = alias.status == Status::Suspended && alias.reason == Reason::Loop;
        let listed = state.mailboxes_of(stored);
        let choices = if forwards || is_loop { choices(&listed, state) } else { Vec::new() };
        let switch = forwards.then_some(if paused.is_some() { Switch::Resume } else { Switch::Pause });
        let goes_somewhere = matches!(route(*paused, listed.iter().map(|known| &known.destination)), Route::To(_));
        let test = (forwards && goes_somewhere).then(|| Test {
            id: state.test_id.map(|id| id.to_string()),
            result: state.last_test(stored).map(|test| result(test, &listed, wording)).unwrap_or_default(),
        });
        let is_restorable = alias.status == Status::Suspended
            && alias.reason == Reason::Deleted
            && alias.until.is_some_and(|until| state.now < until);
        let end = match forwards || is_loop {
            true => Some(End::Delete),
            false => is_restorable.then_some(End::Restore),
        };
        let is_idle = choices.is_empty() && switch.is_none() && test.is_none() && end.is_none();
        (!is_idle).then(|| Self {
            address: alias.address.to_string(),
            version: alias.version,
            choices,
            switch,
            test,
            end,
        })
    }
}

/// All mailboxes that mail can go to. One that is in use is chosen, also if a linked member lists it under another id.
fn choices(listed: &[&Mailbox], state: &AccountState<'_>) -> Vec<Choice> {
    let usable = distinct(state.mailboxes).filter(|mailbox| mailbox.destination.is_usable());
    let choices: Vec<_> = usable
        .map(|mailbox| Choice {
            id: mailbox.destination.id.to_string(),
            label: mailbox.address.expose().to_owned(),
            is_chosen: listed.iter().any(|known| known.address == mailbox.address),
        })
        .collect();
    match choices.as_slice() {
        [only] if only.is_chosen => Vec::new(),
        _ => choices,
    }
}

/// What became of a test message: the mail server took it or not, and a mailbox rejected it or not.
fn result(test: &TestMessage, listed: &[&Mailbox], wording: Wording<'_>) -> String {
    let rejecting = listed.iter().find_map(|mailbox| {
        let failures = mailbox.destination.failures.as_ref()?;
        (failures.failed_test && test.covers(failures.last)).then_some((mailbox, failures))
    });
    if let Some((mailbox, failures)) = rejecting {
        let args = [
            ("destination", FluentValue::from(mailbox.address.expose())),
            ("status", failures.reply.to_string().into()),
        ];
        return wording.text_with("test-failed", &args);
    }
    match (&test.rejected, test.accepted) {
        (Some(reply), _) => wording.text_with("test-rejected", &[("status", reply.to_string().into())]),
        (None, Some(accepted)) => wording.text_with("test-sent", &[("moment", wording.moment(accepted).into())]),
        (None, None) => wording.text_with("test-requested", &[("moment", wording.moment(test.requested).into())]),
    }
}
