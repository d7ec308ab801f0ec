//! Describes addresses and refusals: their state, and the next step.

use jiff::Timestamp;
use membermail_core::address::{DomainName, LOCAL_PART_OCTETS, LocalPartError};
use membermail_core::alias::{Alias, Reason, Refusal, Status};
use membermail_core::destination::{Route, route};
use membermail_core::failing::Failing;
use membermail_core::status_code::FailureKind;
use membermail_store::StoredAlias;
use membermail_texts::FluentValue;

use super::failures::Failure;
use super::manage::Manage;
use super::{AccountState, Mood, Row};
use crate::wording::Wording;

/// The row of an address.
pub(super) fn alias_row(stored: &StoredAlias, state: &AccountState<'_>, wording: Wording<'_>) -> Row {
    let alias = &stored.alias;
    let title = alias.address.to_string();
    let listed = state.mailboxes_of(stored);
    let usable: Vec<_> = listed.iter().filter(|known| known.destination.is_usable()).collect();
    let usable: Vec<_> = usable.iter().map(|known| known.address.expose()).collect();
    let destination = if usable.is_empty() { wording.text("destination-none") } else { usable.join(", ") };
    let manage = Manage::new(stored, state, wording);
    let (text, mood, advice) = match (alias.status, alias.reason) {
        (Status::Active | Status::Leaving, _) => {
            match route(stored.paused, listed.iter().map(|known| &known.destination)) {
                Route::To(_) => forwarding(alias, &destination, wording),
                Route::Paused { is_permanent } => held(alias, pause_part(is_permanent), None, wording),
                Route::Unconfirmed { until } => {
                    let part = if state.now < until { "address-unconfirmed" } else { "address-unconfirmed-late" };
                    held(alias, part, Some(until), wording)
                }
            }
        }
        (Status::Suspended, Reason::Deleted) => deleted(alias, state.now, wording),
        (Status::Suspended, Reason::Returning) => {
            (wording.part("address-returning", "state"), Mood::Wait, advice_for(Reason::Returning, wording))
        }
        // Another check would not help: the member has to choose another mailbox.
        (Status::Suspended, Reason::Loop) => {
            (wording.part("address-loop", "state"), Mood::Bad, wording.part("address-loop", "advice"))
        }
        (Status::Suspended, Reason::Banned) => {
            (wording.part("address-banned", "state"), Mood::Bad, advice_for(Reason::Banned, wording))
        }
        (Status::Suspended | Status::Retired, reason) => (
            wording.part_with("address-off", "state", &[("date", wording.date(alias.since).into())]),
            Mood::Bad,
            wording.part_with("address-off", "advice", &[("reason", advice_for(reason, wording).into())]),
        ),
    };
    let row = Row { title, state: text, mood, failure: String::new(), advice, manage };
    let failing = state.failing.get(&alias.address).filter(|_| alias.status.forwards() && !usable.is_empty());
    match failing {
        Some(failing) => with_failure(row, alias, failing, &destination, wording),
        None => row,
    }
}

/// The state of an address that forwards.
fn forwarding(alias: &Alias, destination: &str, wording: Wording<'_>) -> (String, Mood, String) {
    let args = [("address", FluentValue::from(alias.address.to_string())), ("destination", destination.into())];
    match (alias.status, alias.until) {
        (Status::Leaving, Some(until)) => {
            let [address, destination] = args;
            let args = [address, destination, ("date", wording.date(until).into())];
            (wording.part_with("address-leaving", "state", &args), Mood::Wait, advice_for(alias.reason, wording))
        }
        (Status::Leaving, None) => {
            (wording.part_with("address-leaving", "soon", &args), Mood::Wait, advice_for(alias.reason, wording))
        }
        _ => {
            (wording.part_with("address-active", "state", &args), Mood::Good, wording.part("address-active", "advice"))
        }
    }
}

fn pause_part(is_permanent: bool) -> &'static str {
    if is_permanent { "address-paused-permanently" } else { "address-paused" }
}

/// The state of an address that refuses mail until the member does something. One that ends says so as well.
fn held(alias: &Alias, id: &str, until: Option<Timestamp>, wording: Wording<'_>) -> (String, Mood, String) {
    let address = FluentValue::from(alias.address.to_string());
    let state = wording.part_with(id, "state", &[("address", address)]);
    let until = until.map(|until| wording.moment(until)).unwrap_or_default();
    let advice = wording.part_with(id, "advice", &[("until", until.into())]);
    let advice = match (alias.status, alias.until) {
        (Status::Leaving, Some(end)) => {
            let end = wording.text_with("address-ends", &[("date", wording.date(end).into())]);
            format!("{advice} {end} {}", advice_for(alias.reason, wording))
        }
        (Status::Leaving, None) => format!("{advice} {}", advice_for(alias.reason, wording)),
        _ => advice,
    };
    (state, Mood::Wait, advice)
}

fn deleted(alias: &Alias, now: Timestamp, wording: Wording<'_>) -> (String, Mood, String) {
    let state = wording.part("address-deleted", "state");
    let advice = match alias.until.filter(|until| now < *until) {
        Some(until) => wording.part_with("address-deleted", "advice", &[("date", wording.date(until).into())]),
        None => wording.part("address-deleted", "late"),
    };
    (state, Mood::Bad, advice)
}

fn with_failure(row: Row, alias: &Alias, failing: &Failing, destination: &str, wording: Wording<'_>) -> Row {
    let failure = Failure::at_address(failing).in_words(destination, wording);
    // An address that ends soon keeps its own state and advice.
    let mood = if failing.reply.kind() == FailureKind::Message { Mood::Wait } else { Mood::Bad };
    match alias.status {
        Status::Active => {
            let state = wording.part_with("address-failing", "state", &[("address", row.title.as_str().into())]);
            Row { state, mood, failure, advice: String::new(), ..row }
        }
        _ => Row { mood, failure, ..row },
    }
}

fn advice_for(reason: Reason, wording: Wording<'_>) -> String {
    wording.text(&format!("advice-{reason}"))
}

/// The row of a domain that refused an address.
pub(super) fn refusal_row(domain: &DomainName, refusal: Refusal, wording: Wording<'_>) -> Row {
    let (id, mood) = match refusal {
        Refusal::Taken => ("refusal-taken", Mood::Bad),
        Refusal::DomainNotVerified => ("refusal-domain-not-verified", Mood::Wait),
        Refusal::TeamUnavailable => ("refusal-team-unavailable", Mood::Wait),
        Refusal::DomainRetired => ("refusal-domain-retired", Mood::Wait),
        Refusal::TooMany => ("refusal-too-many", Mood::Bad),
        Refusal::Name(LocalPartError::SubAddress) => ("name-sub-address", Mood::Bad),
        Refusal::Name(LocalPartError::NotChosen) => ("name-not-chosen", Mood::Bad),
        Refusal::Name(LocalPartError::Reserved) => ("name-reserved", Mood::Bad),
        Refusal::Name(LocalPartError::TooLong) => ("name-too-long", Mood::Bad),
        Refusal::Name(LocalPartError::NotADotAtom) => ("name-not-a-dot-atom", Mood::Bad),
    };
    let args = [
        ("tagged", FluentValue::from(format!("a+b@{domain}"))),
        ("plain", format!("a@{domain}").into()),
        ("max", LOCAL_PART_OCTETS.to_string().into()),
    ];
    let [state, advice] = ["state", "advice"].map(|part| wording.part_with(id, part, &args));
    Row { title: domain.to_string(), state, mood, failure: String::new(), advice, manage: None }
}
