//! `membermail member link`, `unlink` and `limit`.

use std::fmt;
use std::str::FromStr;

use membermail_core::address::DomainName;
use membermail_core::audit::LinkChange;
use membermail_core::member::{LaunchpadName, MemberId};
use membermail_store::{Linked, Member, Store};
use serde::Serialize;

use super::{confirm, find_survivor, find_to_change, tell};
use crate::Context;
use crate::confirm::Confirm;
use crate::failure::Failure;
use crate::place;

/// `member link`
pub(super) async fn link(
    context: &Context,
    store: &Store,
    (name, other_name): (&str, &str),
    yes: Confirm,
) -> Result<(), Failure> {
    let (cause, random) = (context.operator.cause()?, context.operator.random());
    let member = find_to_change(context, store, name).await?;
    let other = find_to_change(context, store, other_name).await?;
    refuse_link(&member, &other)?;
    confirm(context, name, &member, yes)?;
    confirm(context, other_name, &other, yes)?;
    match store.link(&member, &other, cause, random).await? {
        Linked::Done(entry) => tell(context, [entry]).await,
        Linked::Changed => return Err(changed(&member, &other)),
    }
    context.output.show(&LinkView::new(&member, &other, LinkChange::Linked))
}

/// `member unlink`
pub(super) async fn unlink(
    context: &Context,
    store: &Store,
    (name, other_name): (&str, &str),
    yes: Confirm,
) -> Result<(), Failure> {
    let (cause, random) = (context.operator.cause()?, context.operator.random());
    let member = find_to_change(context, store, name).await?;
    let other = find_to_change(context, store, other_name).await?;
    refuse_unlink(&member, &other)?;
    confirm(context, name, &member, yes)?;
    confirm(context, other_name, &other, yes)?;
    match store.unlink(&member, other.id, cause, random).await? {
        // The outbox has no entry: no identity and no address is anybody else's than before the link.
        Linked::Done(_) => {}
        Linked::Changed => return Err(changed(&member, &other)),
    }
    context.output.show(&LinkView::new(&member, &other, LinkChange::Unlinked))
}

fn refuse_link(member: &Member, other: &Member) -> Result<(), Failure> {
    if member.id == other.id {
        return Err(Failure::Usage(format!("both are member {}", member.id)));
    }
    for (one, another) in [(other, member), (member, other)] {
        match one.merged_into {
            Some(survivor) if survivor == another.id => {
                return Err(Failure::Held(format!("{} is linked to {survivor} already", one.id)));
            }
            Some(survivor) => {
                return Err(Failure::Held(format!("{} is linked to {survivor}: name that member instead", one.id)));
            }
            None => {}
        }
    }
    refuse_banned(member)?;
    refuse_banned(other)
}

fn refuse_unlink(member: &Member, other: &Member) -> Result<(), Failure> {
    if member.id == other.id {
        return Err(Failure::Usage(format!("both are member {}", member.id)));
    }
    if member.merged_into == Some(other.id) {
        return Err(Failure::Usage(format!("{0} is linked to {1}: unlink {1} {0}", member.id, other.id)));
    }
    if !member.merged.contains(&other.id) {
        return Err(Failure::NotFound(format!("link of {} to {}", other.id, member.id)));
    }
    // The other would be out of the ban.
    refuse_banned(member)
}

/// A ban stays with the person: a link is no way around it, and neither is its end.
fn refuse_banned(member: &Member) -> Result<(), Failure> {
    if member.is_banned() {
        return Err(Failure::Held(format!("{} is banned: unban first", member.id)));
    }
    Ok(())
}

fn changed(member: &Member, other: &Member) -> Failure {
    Failure::Busy(format!("{} or {} was changed just now: look at both and try again", member.id, other.id))
}

#[derive(Debug, Serialize)]
struct LinkView {
    member: MemberId,
    launchpad_name: Option<LaunchpadName>,
    other: MemberId,
    other_launchpad_name: Option<LaunchpadName>,
    did: LinkChange,
}

impl LinkView {
    fn new(member: &Member, other: &Member, did: LinkChange) -> Self {
        let [launchpad_name, other_launchpad_name] = [member, other].map(|one| one.name().cloned());
        Self { member: member.id, launchpad_name, other: other.id, other_launchpad_name, did }
    }
}

impl fmt::Display for LinkView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |id: MemberId, name: &Option<LaunchpadName>| match name {
            Some(name) => format!("{id} ({name})"),
            None => id.to_string(),
        };
        let member = named(self.member, &self.launchpad_name);
        let other = named(self.other, &self.other_launchpad_name);
        match self.did {
            LinkChange::Linked => {
                writeln!(f, "{other} is linked to {member}.")?;
                writeln!(f, "Both sign-ins lead there now, and the addresses of both are shown there.")
            }
            LinkChange::Unlinked => {
                writeln!(f, "{other} is no longer linked to {member}.")?;
                writeln!(f, "Its sign-ins lead to it again; each has the addresses that it got itself.")
            }
        }
    }
}

/// Addresses that a member can have in a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    /// As the rules of the community say.
    Default,
    /// This number.
    AtMost(u16),
}

impl FromStr for Count {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "default" => Ok(Self::Default),
            text => text.parse().map(Self::AtMost).map_err(|_| format!("a number up to {}, or default", u16::MAX)),
        }
    }
}

/// `member limit`
pub(super) async fn limit(
    context: &Context,
    store: &Store,
    name: &str,
    domain: &DomainName,
    count: Count,
    yes: Confirm,
) -> Result<(), Failure> {
    let (cause, random) = (context.operator.cause()?, context.operator.random());
    let community = context.place.community().await?;
    place::domain(&community, domain)?;
    let member = find_survivor(context, store, name).await?;
    confirm(context, name, &member, yes)?;
    let limit = match count {
        Count::Default => None,
        Count::AtMost(limit) => Some(limit),
    };
    store.limit_addresses(member.id, domain, limit, cause, random).await?;
    let rules = community.rules.addresses_per_domain;
    context.output.show(&LimitView { member: member.id, domain: domain.clone(), limit, rules })
}

#[derive(Debug, Serialize)]
struct LimitView {
    member: MemberId,
    domain: DomainName,
    limit: Option<u16>,
    #[serde(skip)]
    rules: u16,
}

impl fmt::Display for LimitView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { member, domain, limit, rules } = self;
        match limit {
            Some(limit) => writeln!(f, "{member} can have {limit} addresses at {domain}.")?,
            None => writeln!(f, "{member} can have {rules} addresses at {domain}, as the rules of the community say.")?,
        }
        writeln!(f, "Addresses that are there stay.")
    }
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
