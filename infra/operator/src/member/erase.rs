//! `membermail member erase`

use std::collections::BTreeSet;
use std::fmt;

use membermail_core::address::{Address, DomainName};
use membermail_core::alias::Status;
use membermail_core::member::{MemberId, PersonName};
use membermail_store::{EraseReceipt, Member, Store};
use serde::Serialize;

use super::find::find_survivor;
use super::send_notices;
use crate::context::Context;
use crate::failure::Failure;

/// The outcome of an erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum EraseOutcome {
    /// A dry run.
    Planned,
    Erased,
    WasErased,
}

/// `member erase`
#[derive(Debug, Serialize)]
struct EraseView {
    did: EraseOutcome,
    member: MemberId,
    /// The name before the erasure.
    source_name: Option<PersonName>,
    /// Members that were linked to it, whose data is erased too.
    merged: Vec<MemberId>,
    /// The addresses, which stay reserved.
    reserved: BTreeSet<Address>,
    destinations: usize,
    /// The domains that the member no longer administers; a dry run has none.
    admin_of: Vec<DomainName>,
}

pub(super) async fn erase(context: &Context, store: &Store, name: &str, is_confirmed: bool) -> Result<(), Failure> {
    let cause = context.operator.cause()?;
    let member = find_survivor(context, store, name).await?;
    context.output.note(format!("{name} is member {}", member.id));
    if !is_confirmed {
        return context.output.show(&plan(store, &member).await?);
    }
    let receipt = store.erase_on_request(&member, cause, context.operator.random()).await?;
    send_notices(context, receipt.entries.iter().copied()).await;
    context.output.show(&EraseView::new(&member, receipt))
}

/// What an erasure would do.
async fn plan(store: &Store, member: &Member) -> Result<EraseView, Failure> {
    let mut reserved = BTreeSet::new();
    let mut destinations = 0;
    for id in member.ids() {
        let aliases = store.aliases_of(id).await?.into_iter().map(|stored| stored.alias);
        reserved.extend(aliases.filter(|alias| alias.status != Status::Retired).map(|alias| alias.address));
        destinations += store.destinations_of(id).await?.len();
    }
    Ok(EraseView {
        did: EraseOutcome::Planned,
        member: member.id,
        source_name: member.name().cloned(),
        merged: member.merged.clone(),
        reserved,
        destinations,
        admin_of: Vec::new(),
    })
}

impl EraseView {
    fn new(member: &Member, receipt: EraseReceipt) -> Self {
        let EraseReceipt { erased, reserved, destinations, admin_of, .. } = receipt;
        Self {
            did: if erased.is_empty() { EraseOutcome::WasErased } else { EraseOutcome::Erased },
            member: member.id,
            source_name: member.name().cloned(),
            merged: member.merged.clone(),
            reserved,
            destinations,
            admin_of,
        }
    }
}

impl fmt::Display for EraseView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { member, reserved, destinations, .. } = self;
        match self.did {
            EraseOutcome::Planned => {
                writeln!(f, "This would erase the data of {member}, with {destinations} destinations, for good.")?;
                writeln!(f, "Run it with --yes to erase it.")?;
            }
            EraseOutcome::Erased => {
                writeln!(
                    f,
                    "The data of {member} is erased, with {destinations} destinations. All sessions have ended."
                )?;
            }
            EraseOutcome::WasErased => writeln!(f, "The data of {member} was already erased.")?,
        }
        for other in &self.merged {
            writeln!(f, "The same for {other}, who was linked to this member.")?;
        }
        for domain in &self.admin_of {
            writeln!(f, "They are no longer an admin of {domain}.")?;
        }
        if !reserved.is_empty() {
            let verb = if self.did == EraseOutcome::Planned { "would refuse" } else { "refuse" };
            writeln!(f, "These addresses {verb} mail, and stay reserved for the same person:\n")?;
        }
        for address in reserved {
            writeln!(f, "{address}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::member::test_member;

    #[test]
    fn erase_views() {
        let mut member = test_member("01KATW4Y00ZZZZZZZZZZZZZZZZ", "alice");
        member.merged.extend(MemberId::parse("01KATW4Y00YYYYYYYYYYYYYYYY"));
        let receipt = EraseReceipt {
            at: jiff::Timestamp::UNIX_EPOCH,
            erased: vec![member.id],
            reserved: BTreeSet::from(["alice@ubuntu.com".to_owned().try_into().unwrap()]),
            destinations: 2,
            sessions: 1,
            admin_of: vec!["ubuntu.com".parse().unwrap()],
            entries: Vec::new(),
        };
        let again = EraseReceipt { erased: Vec::new(), admin_of: Vec::new(), destinations: 0, ..receipt.clone() };
        let erased = EraseView::new(&member, receipt);
        let planned =
            EraseView { did: EraseOutcome::Planned, admin_of: Vec::new(), ..EraseView::new(&member, again.clone()) };
        let views = [planned.to_string(), erased.to_string(), EraseView::new(&member, again).to_string()];
        insta::assert_snapshot!(views.join("---\n"));
        insta::assert_json_snapshot!(erased);
    }
}
