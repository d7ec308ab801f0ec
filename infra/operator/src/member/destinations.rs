//! `membermail member destinations`: everything about them but the address.

use std::fmt;

use jiff::Timestamp;
use membermail_core::address::Address;
use membermail_core::clock::Clock;
use membermail_core::destination::{Confirmation, ConfirmedBy, DestinationId, DestinationState};
use membermail_core::member::{MemberId, PersonName};
use membermail_core::status_code::StatusCode;
use membermail_store::{Member, Store, StoredAlias, StoredDestination};
use serde::Serialize;

use super::find::find;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{or_dash, table, time};

/// `member destinations`
#[derive(Debug, Serialize)]
struct DestinationsView {
    member: MemberId,
    source_name: Option<PersonName>,
    destinations: Vec<DestinationView>,
}

#[derive(Debug, Serialize)]
struct DestinationView {
    id: DestinationId,
    /// The member that it belongs to: this one, or a linked one.
    member: MemberId,
    state: DestinationState,
    /// Whether new addresses forward to it.
    is_default: bool,
    created: Timestamp,
    confirmed_by: Option<ConfirmedBy>,
    confirmed_at: Option<Timestamp>,
    /// When a confirmation code was requested that was not used yet.
    requested_at: Option<Timestamp>,
    /// Since when it rejects mail.
    failing_since: Option<Timestamp>,
    failed_at: Option<Timestamp>,
    reply: Option<StatusCode>,
    /// When the member removed it; the change can still be reverted.
    removed_at: Option<Timestamp>,
    /// The addresses that list it.
    used_by: Vec<Address>,
}

pub(super) async fn show(context: &Context, store: &Store, name: &str) -> Result<(), Failure> {
    let member = find(store, name).await?;
    let now = context.operator.clock.now();
    let mut destinations = Vec::new();
    for id in member.ids() {
        let default = match id == member.id {
            true => member.destination,
            false => store.member(id).await?.and_then(|linked| linked.destination),
        };
        let aliases = store.aliases_of(id).await?;
        let stored = store.destinations_of(id).await?;
        destinations.extend(stored.into_iter().map(|stored| DestinationView::new(stored, default, &aliases, now)));
    }
    context.output.show(&DestinationsView::new(&member, destinations))
}

impl DestinationView {
    fn new(
        StoredDestination { member, destination, .. }: StoredDestination,
        default: Option<DestinationId>,
        aliases: &[StoredAlias],
        now: Timestamp,
    ) -> Self {
        let id = destination.id;
        let using = aliases.iter().filter(|stored| stored.destinations.contains(&id));
        let failures = destination.failures.as_ref();
        Self {
            id,
            member,
            state: destination.state(now),
            is_default: default == Some(id),
            created: destination.created,
            confirmed_by: destination.confirmed.map(|Confirmation { by, .. }| by),
            confirmed_at: destination.confirmed.map(|Confirmation { at, .. }| at),
            requested_at: destination.pending.map(|pending| pending.requested_at),
            failing_since: failures.map(|failures| failures.since),
            failed_at: failures.map(|failures| failures.last),
            reply: failures.map(|failures| failures.reply.clone()),
            removed_at: destination.removed,
            used_by: using.map(|stored| stored.alias.address.clone()).collect(),
        }
    }

    fn state(&self) -> String {
        let state = match self.removed_at {
            Some(at) => format!("removed {}", time(at)),
            None => self.state.to_string(),
        };
        if self.is_default { format!("{state}, default") } else { state }
    }

    fn confirmed(&self) -> String {
        match (self.confirmed_at, self.confirmed_by, self.requested_at) {
            (Some(at), Some(by), _) => format!("{} by {by}", time(at)),
            (.., Some(at)) => format!("code requested {}", time(at)),
            _ => "-".to_owned(),
        }
    }

    fn failing(&self) -> String {
        match (self.failing_since, &self.reply) {
            (Some(since), Some(reply)) => format!("since {}, {reply}", time(since)),
            _ => "-".to_owned(),
        }
    }
}

impl DestinationsView {
    fn new(member: &Member, destinations: Vec<DestinationView>) -> Self {
        Self { member: member.id, source_name: member.name().cloned(), destinations }
    }
}

impl fmt::Display for DestinationsView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.destinations.is_empty() {
            return writeln!(f, "no destinations");
        }
        let rows = self.destinations.iter().map(|one| {
            let used_by: Vec<_> = one.used_by.iter().map(ToString::to_string).collect();
            let used_by = or_dash((!used_by.is_empty()).then(|| used_by.join(", ")));
            [one.id.to_string(), one.state(), time(one.created), one.confirmed(), one.failing(), used_by]
        });
        writeln!(f, "{}", table(["destination", "state", "added", "confirmed", "rejects mail", "used by"], rows))
    }
}

#[cfg(test)]
mod tests {
    use membermail_core::destination::{Destination, Failures};
    use membermail_core::random::CountingRandom;

    use super::*;
    use crate::member::test_member;

    fn view(destination: Destination, default: Option<DestinationId>, used_by: &[&str]) -> DestinationView {
        let sealed = serde_json::json!({ "member": "01KATW4Y00ZZZZZZZZZZZZZZZZ", "sealed": "AAAA" });
        let mut item = serde_json::to_value(destination).unwrap();
        item.as_object_mut().unwrap().extend(sealed.as_object().unwrap().clone());
        let stored: StoredDestination = serde_json::from_value(item).unwrap();
        let mut view = DestinationView::new(stored, default, &[], "2026-11-28T10:00:00Z".parse().unwrap());
        view.used_by = used_by.iter().map(|text| (*text).to_owned().try_into().unwrap()).collect();
        view
    }

    #[test]
    fn destinations_view() {
        let now: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
        let later: Timestamp = "2026-11-26T10:00:00Z".parse().unwrap();
        let random = CountingRandom::default();
        let [first, second, third] = [(); 3].map(|()| DestinationId::new(now, &random));
        let failures = Failures::register(None, "5.1.1".parse().unwrap(), now, false);
        let failures = Failures::register(failures.as_ref(), "5.2.2".parse().unwrap(), later, false);
        let failing = Destination { failures, ..Destination::new(first, true, now) };
        let removed = Destination { removed: Some(later), ..Destination::new(third, true, now) };
        let destinations = vec![
            view(failing, Some(first), &["alice@ubuntu.com", "alice@kubuntu.org"]),
            view(Destination::new(second, false, now), Some(first), &[]),
            view(removed, Some(first), &[]),
        ];
        let member = test_member("01KATW4Y00ZZZZZZZZZZZZZZZZ", "alice");
        let view = DestinationsView::new(&member, destinations);
        insta::assert_snapshot!(view);
        insta::assert_json_snapshot!(view);
        insta::assert_snapshot!(DestinationsView::new(&member, Vec::new()), @"no destinations");
    }
}
