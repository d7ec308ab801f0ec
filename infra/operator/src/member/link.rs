//! `membermail member link`, `unlink` and `limit`.

use std::fmt;
use std::str::FromStr;

use membermail_core::address::DomainName;
use membermail_core::audit::LinkChange;
use membermail_core::member::{MemberId, PersonName};
use membermail_store::{Linked, Member, Store};
use serde::Serialize;

use super::find::{MemberToChange, confirm, find_to_change};
use super::send_notices;
use crate::confirm::Confirm;
use crate::context::Context;
use crate::deployment;
use crate::failure::Failure;
use crate::output::id_and_name;

/// `member link`
pub(super) async fn link(context: &Context, store: &Store, names: (&str, &str), yes: Confirm) -> Result<(), Failure> {
    let cause = context.operator.cause()?;
    let (member, other) = find_both(context, store, names, check_link, yes).await?;
    match store.link(&member, &other, cause, context.operator.random()).await? {
        Linked::Done(entry) => send_notices(context, [entry]).await,
        Linked::Changed => return Err(conflict(&member, &other)),
    }
    context.output.show(&LinkView::new(&member, &other, LinkChange::Linked))
}

/// `member unlink`
pub(super) async fn unlink(context: &Context, store: &Store, names: (&str, &str), yes: Confirm) -> Result<(), Failure> {
    let cause = context.operator.cause()?;
    let (member, other) = find_both(context, store, names, check_unlink, yes).await?;
    match store.unlink(&member, other.id, cause, context.operator.random()).await? {
        // There is no notice, because no address changes.
        Linked::Done(_) => {}
        Linked::Changed => return Err(conflict(&member, &other)),
    }
    context.output.show(&LinkView::new(&member, &other, LinkChange::Unlinked))
}

/// Finds both members, checks whether the change is allowed, and asks for confirmation.
async fn find_both(
    context: &Context,
    store: &Store,
    (name, other_name): (&str, &str),
    check: fn(&Member, &Member) -> Result<(), Failure>,
    yes: Confirm,
) -> Result<(Member, Member), Failure> {
    let member = find_to_change(context, store, name).await?;
    let other = find_to_change(context, store, other_name).await?;
    check(&member, &other)?;
    confirm(context, name, &member, yes)?;
    confirm(context, other_name, &other, yes)?;
    Ok((member, other))
}

fn check_link(member: &Member, other: &Member) -> Result<(), Failure> {
    if member.id == other.id {
        return Err(Failure::Usage(format!("both arguments are member {}", member.id)));
    }
    for (one, another) in [(other, member), (member, other)] {
        match one.merged_into {
            Some(survivor) if survivor == another.id => {
                return Err(Failure::Held(format!("{} is already linked to {survivor}", one.id)));
            }
            Some(survivor) => {
                return Err(Failure::Held(format!("{} is linked to {survivor}; use that member instead", one.id)));
            }
            None => {}
        }
    }
    check_not_banned(member)?;
    check_not_banned(other)
}

fn check_unlink(member: &Member, other: &Member) -> Result<(), Failure> {
    if member.id == other.id {
        return Err(Failure::Usage(format!("both arguments are member {}", member.id)));
    }
    if member.merged_into == Some(other.id) {
        return Err(Failure::Usage(format!(
            "{0} is linked to {1}; run `membermail member unlink {1} {0}`",
            member.id, other.id
        )));
    }
    if !member.merged.contains(&other.id) {
        return Err(Failure::NotFound(format!("link from {} to {}", other.id, member.id)));
    }
    // Otherwise the unlinked member would escape the ban.
    check_not_banned(member)
}

/// Linking and unlinking must not circumvent a ban.
fn check_not_banned(member: &Member) -> Result<(), Failure> {
    if member.is_banned() {
        return Err(Failure::Held(format!("{} is banned; unban first", member.id)));
    }
    Ok(())
}

fn conflict(member: &Member, other: &Member) -> Failure {
    Failure::Busy(format!("{} or {} was changed at the same time; check both and try again", member.id, other.id))
}

#[derive(Debug, Serialize)]
struct LinkView {
    member: MemberId,
    source_name: Option<PersonName>,
    other: MemberId,
    other_source_name: Option<PersonName>,
    did: LinkChange,
}

impl LinkView {
    fn new(member: &Member, other: &Member, did: LinkChange) -> Self {
        let [source_name, other_source_name] = [member, other].map(|one| one.name().cloned());
        Self { member: member.id, source_name, other: other.id, other_source_name, did }
    }
}

impl fmt::Display for LinkView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let member = id_and_name(self.member, self.source_name.as_ref());
        let other = id_and_name(self.other, self.other_source_name.as_ref());
        match self.did {
            LinkChange::Linked => {
                writeln!(f, "{other} is linked to {member}.")?;
                writeln!(f, "Both sign-ins lead to that account now, which shows the addresses of both.")
            }
            LinkChange::Unlinked => {
                writeln!(f, "{other} is no longer linked to {member}.")?;
                writeln!(f, "Each sign-in leads to its own account again, and each member keeps their own addresses.")
            }
        }
    }
}

/// The address limit of a member at a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    /// The limit in the community's rules.
    Default,
    /// At most this number.
    AtMost(u16),
}

impl FromStr for Count {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "default" => Ok(Self::Default),
            text => text
                .parse()
                .map(Self::AtMost)
                .map_err(|_| format!("expected a number up to {}, or `default`", u16::MAX)),
        }
    }
}

/// `member limit`
pub(super) async fn limit(
    context: &Context,
    store: &Store,
    member: &MemberToChange,
    domain: &DomainName,
    count: Count,
) -> Result<(), Failure> {
    let cause = context.operator.cause()?;
    let community = context.deployment.community().await?;
    deployment::find_domain(&community, domain)?;
    let member = member.find_survivor(context, store).await?;
    let limit = match count {
        Count::Default => None,
        Count::AtMost(limit) => Some(limit),
    };
    store.set_address_limit(member.id, domain, limit, cause, context.operator.random()).await?;
    let default = community.rules.addresses_per_domain;
    context.output.show(&LimitView { member: member.id, domain: domain.clone(), limit, default })
}

#[derive(Debug, Serialize)]
struct LimitView {
    member: MemberId,
    domain: DomainName,
    limit: Option<u16>,
    #[serde(skip)]
    default: u16,
}

impl fmt::Display for LimitView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { member, domain, limit, default } = self;
        match limit {
            Some(limit) => writeln!(f, "{member} can have up to {limit} addresses at {domain}.")?,
            None => {
                writeln!(f, "{member} can have up to {default} addresses at {domain}, the default of the community.")?
            }
        }
        writeln!(f, "Existing addresses are not affected.")
    }
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
