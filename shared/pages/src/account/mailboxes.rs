//! The member's mailboxes: their state, and what the member can do with each.

use jiff::Timestamp;
use membermail_core::clock::later;
use membermail_core::destination::{
    CODE_LIFETIME, ConfirmedBy, Destination, DestinationId, DestinationState, MAX_ATTEMPTS, MAX_PER_MEMBER, Pending,
};
use membermail_core::email::EmailAddress;
use membermail_texts::FluentValue;

use super::failures::Failure;
use super::{AccountState, Mood};
use crate::wording::Wording;

/// A destination with its address.
#[derive(Clone, Debug)]
pub struct Mailbox {
    /// The destination.
    pub destination: Destination,
    /// Its address.
    pub address: EmailAddress,
    /// Whether it belongs to the member of the page; otherwise to a member who is linked to them.
    pub is_own: bool,
}

/// The section about mailboxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailboxes {
    /// One row per mailbox.
    pub rows: Vec<MailboxRow>,
    /// Whether the member can add another one.
    pub can_add: bool,
}

/// A mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxRow {
    /// The id of the destination.
    pub id: String,
    /// Its address.
    pub title: String,
    /// Its state.
    pub state: String,
    /// Its colour.
    pub mood: Mood,
    /// What to do next; empty if nothing.
    pub advice: String,
    /// Whether the member can enter a code.
    pub takes_code: bool,
    /// Whether the member can request a new code.
    pub can_resend: bool,
    /// Whether the member can remove it.
    pub can_remove: bool,
}

impl Mailboxes {
    pub(super) fn new(state: &AccountState<'_>, wording: Wording<'_>) -> Self {
        let kept = state.mailboxes.iter().filter(|known| known.is_own && known.destination.removed.is_none()).count();
        let rows = distinct(state.mailboxes).map(|mailbox| row(mailbox, state, wording)).collect();
        Self { rows, can_add: kept < MAX_PER_MEMBER }
    }
}

/// One mailbox for each address, without removed ones. A linked member can have the same mailbox: then the one that mail
/// goes to counts, and of two such ones the member's own.
pub(super) fn distinct(mailboxes: &[Mailbox]) -> impl Iterator<Item = &Mailbox> {
    let rank = |mailbox: &Mailbox| (mailbox.destination.is_usable(), mailbox.is_own);
    let kept = mailboxes.iter().enumerate().filter(|(_, mailbox)| mailbox.destination.removed.is_none());
    kept.filter(move |(place, mailbox)| {
        !mailboxes.iter().enumerate().any(|(other_place, other)| {
            let is_same = other_place != *place && other.address == mailbox.address;
            let is_before = rank(other) > rank(mailbox) || (rank(other) == rank(mailbox) && other_place < *place);
            is_same && other.destination.removed.is_none() && is_before
        })
    })
    .map(|(_, mailbox)| mailbox)
}

fn row(mailbox: &Mailbox, state: &AccountState<'_>, wording: Wording<'_>) -> MailboxRow {
    let Mailbox { destination, address, is_own } = mailbox;
    let pending = open_pending(destination, state);
    let title = address.expose().to_owned();
    let (text, mood, advice) = describe(destination, pending, &title, state.now, wording);
    let is_confirmed = destination.confirmed.is_some();
    MailboxRow {
        id: destination.id.to_string(),
        title,
        state: text,
        mood,
        advice,
        takes_code: pending.is_some() && *is_own,
        can_resend: !is_confirmed,
        can_remove: *is_own && !is_needed(destination.id, state),
    }
}

fn describe(
    destination: &Destination,
    pending: Option<Pending>,
    title: &str,
    now: Timestamp,
    wording: Wording<'_>,
) -> (String, Mood, String) {
    match (destination.state(now), &destination.failures, destination.confirmed, pending) {
        (DestinationState::Failing, Some(failures), ..) => {
            let state = wording.part("mailbox-failing", "state");
            (state, Mood::Bad, Failure::of(failures).in_words(title, wording))
        }
        (DestinationState::Unconfirmed, _, _, Some(pending)) => {
            let until = wording.moment(later(pending.requested_at, CODE_LIFETIME));
            let state = wording.part_with("mailbox-pending", "state", &[("until", until.into())]);
            let left = MAX_ATTEMPTS.saturating_sub(pending.attempts);
            let left = [("left", FluentValue::from(left))];
            let id = if pending.replaces { "replaces" } else { "advice" };
            (state, Mood::Wait, wording.part_with("mailbox-pending", id, &left))
        }
        (DestinationState::Unconfirmed, ..) => {
            let [state, advice] = ["state", "advice"].map(|part| wording.part("mailbox-unconfirmed", part));
            (state, Mood::Wait, advice)
        }
        (_, _, Some(confirmation), _) => {
            let part = match confirmation.by {
                ConfirmedBy::Provider => "provider",
                ConfirmedBy::Code => "state",
            };
            let date = [("date", wording.date(confirmation.at).into())];
            (wording.part_with("mailbox-confirmed", part, &date), Mood::Good, String::new())
        }
        (_, _, None, _) => (wording.part("mailbox-unconfirmed", "state"), Mood::Wait, String::new()),
    }
}

fn open_pending(destination: &Destination, state: &AccountState<'_>) -> Option<Pending> {
    destination.pending.filter(|pending| pending.is_open(state.session_epoch, state.now))
}

/// Whether an address would forward nowhere without it.
fn is_needed(id: DestinationId, state: &AccountState<'_>) -> bool {
    state.aliases.iter().any(|stored| stored.destinations == [id])
}
