//! `membermail member …`

mod ban;
mod find;
mod link;
mod view;

use membermail_core::address::DomainName;
use membermail_core::message::Notify;
use membermail_runtime::batch::chain;
use membermail_store::Store;
use ulid::Ulid;

use crate::Context;
use crate::confirm::Confirm;
use crate::failure::Failure;
use crate::place::Inbox;
use ban::{BanView, Did};
use view::{AdminOf, Found, MemberView};

pub(crate) use find::{confirm, find, find_survivor, find_to_change};

/// What to do about members.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Show a member: name and account as last seen, identities, links, eligibility and addresses
    Show {
        /// The Launchpad name of the last look-up, or our own id of the member
        name: String,
    },
    /// Ban a member: sessions end and addresses are suspended, at once
    Ban {
        /// The Launchpad name, which is looked up now, or our own id of the member
        name: String,
    },
    /// Take a ban back: the next sync or sign-in restores the addresses, if the member is eligible
    Unban {
        /// The Launchpad name, which is looked up now, or our own id of the member
        name: String,
    },
    /// Link two members who are one person: the sign-ins of OTHER lead to MEMBER from now on
    Link {
        /// The member that stays
        member: String,
        /// The member whose identities and addresses go with it
        other: String,
        #[command(flatten)]
        confirm: Confirm,
    },
    /// Take a link back: the sign-ins that came from OTHER lead to it again
    Unlink {
        /// The member that stayed
        member: String,
        /// The member that was linked to it
        other: String,
        #[command(flatten)]
        confirm: Confirm,
    },
    /// Let a member have more or fewer addresses in a domain than the rules say
    Limit {
        /// The Launchpad name, which is looked up now, or our own id of the member
        member: String,
        /// The domain
        domain: DomainName,
        /// How many addresses, or `default` for the number in the community's rules
        count: link::Count,
        #[command(flatten)]
        confirm: Confirm,
    },
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let store = context.place.store().await?;
    match command {
        Command::Show { name } => show(context, &store, &name).await,
        Command::Ban { name } => ban(context, &store, &name).await,
        Command::Unban { name } => unban(context, &store, &name).await,
        Command::Link { member, other, confirm } => link::link(context, &store, (&member, &other), confirm).await,
        Command::Unlink { member, other, confirm } => link::unlink(context, &store, (&member, &other), confirm).await,
        Command::Limit { member, domain, count, confirm } => {
            link::limit(context, &store, &member, &domain, count, confirm).await
        }
    }
}

async fn show(context: &Context, store: &Store, name: &str) -> Result<(), Failure> {
    let member = find(store, name).await?;
    let community = context.place.community().await?;
    let identities = match member.merged_into {
        // They lead to the member that this one was linked to.
        Some(_) => Vec::new(),
        None => store.member_to_look_up(member.id).await?.map(|(_, identities)| identities).unwrap_or_default(),
    };
    let mut aliases = Vec::new();
    for id in member.ids() {
        aliases.extend(store.aliases_of(id).await?);
    }
    let refusals = store.refusals_of(member.id).await?;
    let mut admin_of = Vec::new();
    for domain in community.domain_names() {
        let bindings = store.admin_bindings(domain).await?;
        let bound = bindings.into_iter().find(|binding| member.ids().any(|id| id == binding.member));
        admin_of.extend(bound.map(|binding| AdminOf { domain: domain.clone(), since: binding.since }));
    }
    context.output.show(&MemberView::new(member, Found { identities, aliases, refusals, admin_of }))
}

async fn ban(context: &Context, store: &Store, name: &str) -> Result<(), Failure> {
    let operator = &context.operator;
    let (cause, random) = (operator.cause()?, operator.random());
    let member = find_survivor(context, store, name).await?;
    context.output.note(format!("{name} is member {}", member.id));
    // The ban first: from here on nothing is given, and what the rest does not come to, the next sync does.
    let now = store.ban(member.id, cause, random).await?;
    // What follows has a later time, so that the audit log tells it in this order.
    let changed = store.suspend_banned(&member, operator.cause()?, random).await?;
    tell(context, changed.iter().map(|(_, entry)| *entry)).await;
    let did = if now { Did::Banned } else { Did::WasBanned };
    context.output.show(&BanView::new(&member, did, changed))
}

async fn unban(context: &Context, store: &Store, name: &str) -> Result<(), Failure> {
    let operator = &context.operator;
    let (cause, random) = (operator.cause()?, operator.random());
    let member = find_survivor(context, store, name).await?;
    context.output.note(format!("{name} is member {}", member.id));
    let now = store.unban(member.id, cause, random).await?;
    let changed = store.lift_ban(&member, operator.cause()?, random).await?;
    tell(context, changed.iter().map(|(_, entry)| *entry)).await;
    let did = if now { Did::Unbanned } else { Did::WasWelcome };
    context.output.show(&BanView::new(&member, did, changed))
}

/// Asks for the changes to be told. They lie in the outbox, from where they are told later if this fails.
async fn tell(context: &Context, entries: impl IntoIterator<Item = Ulid>) {
    let entries: Vec<_> = entries.into_iter().collect();
    if entries.is_empty() {
        return;
    }
    let request_id = context.operator.request_id();
    let sent = async {
        let queue = context.place.queue(Inbox::Notify).await?;
        for entry in entries {
            queue.send(&Notify { entry, request_id: request_id.to_owned() }).await?;
        }
        Ok::<_, Failure>(())
    };
    if let Err(cause) = sent.await {
        context.output.note(format!("the notices wait in the outbox: {}", chain(&cause)));
    }
}

/// A member as the table has them, for tests of views.
#[cfg(test)]
pub(crate) fn test_member(id: &str, name: &str) -> membermail_store::Member {
    serde_json::from_value(serde_json::json!({
        "id": id,
        "session_epoch": 0,
        "observation": {
            "name": name,
            "fingerprint": 1_139_000_000_000_000_u64,
            "account": "active",
            "signed_code_of_conduct": true,
            "observed_at": 1_795_514_400_000_000_u64,
        },
        "salt": membermail_store::Salt::new(&membermail_core::random::CountingRandom::default()),
        "state": "done",
        "requested_at": "2026-11-24T10:00:00Z",
        "checked_at": 1_795_514_400_000_000_u64,
        "outcome": { "outcome": "eligible", "domains": ["ubuntu.com"] },
    }))
    .unwrap()
}
