//! `membermail member pause`

use std::fmt;

use membermail_core::address::Address;
use membermail_core::alias::{Reason, Status};
use membermail_core::audit::SwitchChange;
use membermail_core::member::MemberId;
use membermail_store::{Store, Switched};
use serde::Serialize;

use super::find::find_survivor;
use crate::alias::parse_address;
use crate::context::Context;
use crate::failure::Failure;

/// How senders are refused.
#[derive(Clone, Copy, Debug, clap::Args)]
#[group(multiple = false)]
pub(crate) struct How {
    /// Ask senders to try again later (the default)
    #[arg(long)]
    temporary: bool,
    /// Refuse mail for good
    #[arg(long)]
    permanent: bool,
    /// Forward mail again
    #[arg(long)]
    resume: bool,
}

impl How {
    /// As the store wants it: none to resume.
    fn is_permanent(self) -> Option<bool> {
        (!self.resume).then_some(self.permanent)
    }

    fn change(self) -> SwitchChange {
        match self.is_permanent() {
            None => SwitchChange::Resumed,
            Some(true) => SwitchChange::PausedPermanently,
            Some(false) => SwitchChange::PausedTemporarily,
        }
    }
}

/// `member pause`
#[derive(Debug, Serialize)]
struct PauseView {
    member: MemberId,
    address: Address,
    did: SwitchChange,
    /// Whether it was not like that before.
    is_changed: bool,
}

pub(super) async fn pause(
    context: &Context,
    store: &Store,
    name: &str,
    address: &str,
    how: How,
) -> Result<(), Failure> {
    let cause = context.operator.cause()?;
    let address = parse_address(address)?;
    let member = find_survivor(context, store, name).await?;
    context.output.note(format!("{name} is member {}", member.id));
    let random = context.operator.random();
    let switched = store.pause_alias(&member, &address, how.is_permanent(), cause, random).await?;
    let is_changed = match switched {
        Switched::Done { .. } => true,
        Switched::Unchanged => false,
        Switched::NotPossible => {
            let alias = store.alias(&address).await?.map(|stored| stored.alias);
            let alias = alias.filter(|alias| member.ids().any(|id| id == alias.member));
            return Err(match alias {
                Some(alias) => refusal(&address, alias.status, alias.reason),
                None => Failure::NotFound(format!("address {address} of member {}", member.id)),
            });
        }
    };
    context.output.show(&PauseView { member: member.id, address, did: how.change(), is_changed })
}

fn refusal(address: &Address, status: Status, reason: Reason) -> Failure {
    Failure::Held(format!("{address} is {status} and refuses mail already: {}", reason.in_words()))
}

impl fmt::Display for PauseView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, .. } = self;
        let was = if self.is_changed { "is" } else { "was already" };
        match self.did {
            SwitchChange::PausedPermanently => writeln!(f, "{address} {was} paused: senders get a permanent refusal."),
            SwitchChange::PausedTemporarily => writeln!(f, "{address} {was} paused: senders try again later."),
            SwitchChange::Resumed | SwitchChange::Redirected | SwitchChange::RestoreRequested if self.is_changed => {
                writeln!(f, "{address} forwards mail again.")
            }
            SwitchChange::Resumed | SwitchChange::Redirected | SwitchChange::RestoreRequested => {
                writeln!(f, "{address} was not paused.")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pause_views() {
        let member = MemberId::parse("01KATW4Y00ZZZZZZZZZZZZZZZZ").unwrap();
        let address: Address = "alice@ubuntu.com".to_owned().try_into().unwrap();
        let how = |permanent, resume| How { temporary: false, permanent, resume };
        let views = [how(false, false), how(true, false), how(false, true)].into_iter().flat_map(|how| {
            let view = |is_changed| PauseView { member, address: address.clone(), did: how.change(), is_changed };
            [view(true).to_string(), view(false).to_string()]
        });
        let views: Vec<_> = views.chain([refusal(&address, Status::Suspended, Reason::Deleted).to_string()]).collect();
        insta::assert_snapshot!(views.join(""));
    }
}
