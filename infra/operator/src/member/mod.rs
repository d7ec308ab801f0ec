//! `membermail member …`

mod ban;
mod destinations;
mod erase;
mod export;
mod find;
mod link;
mod pause;
mod view;

use std::path::PathBuf;

use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::audit::Comment;
use membermail_core::member::MemberId;
use membermail_core::message::NotifyMessage;
use membermail_runtime::batch::chain;
use membermail_store::{AdminBinding, BanChange, ExportedAdmin, Member, Store};
use ulid::Ulid;

use crate::confirm::Confirm;
use crate::context::Context;
use crate::deployment::WorkQueue;
use crate::failure::Failure;
use ban::{BanOutcome, BanView};
use find::find_survivor;
use view::{MemberData, MemberView};

pub(crate) use find::{MemberToChange, find};

/// Commands for members.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Show a member: observed name and account, identities, links, eligibility and addresses
    Show {
        /// The member id, or the name at the membership source as of the last look-up
        name: String,
    },
    /// Ban a member: end the sessions and suspend the addresses, immediately
    Ban {
        /// The member id, or the current name at the membership source
        name: String,
        /// Why, in one line of at most 500 characters: the member reads it on their page and in the mails about their
        /// addresses
        #[arg(long, value_name = "TEXT")]
        reason: Option<Comment>,
    },
    /// Lift a ban: the next sync or sign-in restores the addresses if the member is eligible
    Unban {
        /// The member id, or the current name at the membership source
        name: String,
    },
    /// Link two members who are one person: the sign-ins of OTHER lead to MEMBER
    Link {
        /// The member that remains
        member: String,
        /// The member that is linked to it, with its identities and addresses
        other: String,
        #[command(flatten)]
        confirm: Confirm,
    },
    /// Revert a link: the sign-ins of OTHER lead to OTHER again
    Unlink {
        /// The member that remained
        member: String,
        /// The member that was linked to it
        other: String,
        #[command(flatten)]
        confirm: Confirm,
    },
    /// Set a member's address limit at a domain
    Limit {
        #[command(flatten)]
        member: MemberToChange,
        /// The domain
        domain: DomainName,
        /// The maximum number of addresses, or `default` for the limit of the community
        count: link::Count,
    },
    /// Show a member's destinations without their addresses: states, confirmations, failures
    Destinations {
        /// The member id, or the name at the membership source as of the last look-up
        name: String,
    },
    /// Pause an address for its member, or resume it
    Pause {
        /// The member id, or the current name at the membership source
        name: String,
        /// The address
        address: String,
        #[command(flatten)]
        how: pause::How,
    },
    /// Write everything stored about a member into a new file, with their e-mail addresses
    Export {
        /// The member id, or the current name at the membership source
        name: String,
        /// The file, which only you can read; an existing one is not overwritten
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Erase a member's personal data at once; the addresses stay reserved and refuse mail
    Erase {
        /// The member id, or the current name at the membership source
        name: String,
        /// Erase it; without this, only show what would be erased
        #[arg(long)]
        yes: bool,
    },
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let store = context.deployment.store().await?;
    match command {
        Command::Show { name } => show(context, &store, &name).await,
        Command::Ban { name, reason } => ban(context, &store, &name, reason.as_ref()).await,
        Command::Unban { name } => unban(context, &store, &name).await,
        Command::Link { member, other, confirm } => link::link(context, &store, (&member, &other), confirm).await,
        Command::Unlink { member, other, confirm } => link::unlink(context, &store, (&member, &other), confirm).await,
        Command::Limit { member, domain, count } => link::limit(context, &store, &member, &domain, count).await,
        Command::Destinations { name } => destinations::show(context, &store, &name).await,
        Command::Pause { name, address, how } => pause::pause(context, &store, &name, &address, how).await,
        Command::Export { name, output } => export::export(context, &store, &name, &output).await,
        Command::Erase { name, yes } => erase::erase(context, &store, &name, yes).await,
    }
}

async fn show(context: &Context, store: &Store, name: &str) -> Result<(), Failure> {
    let member = find(store, name).await?;
    let community = context.deployment.community().await?;
    let identities = match member.merged_into {
        // The identities belong to the member that this one was linked to.
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
        admin_of.extend(bound.map(|AdminBinding { since, permissions, .. }| ExportedAdmin {
            domain: domain.clone(),
            since,
            permissions,
        }));
    }
    context.output.show(&MemberView::new(member, MemberData { identities, aliases, refusals, admin_of }))
}

async fn ban(context: &Context, store: &Store, name: &str, reason: Option<&Comment>) -> Result<(), Failure> {
    let operator = &context.operator;
    let member = find_to_ban(context, store, name).await?;
    let change = store.ban_and_suspend(&member, reason, operator.cause()?, operator.random()).await?;
    let outcome = if change.is_new { BanOutcome::Banned } else { BanOutcome::AlreadyBanned };
    show_ban(context, &member, outcome, change).await
}

async fn unban(context: &Context, store: &Store, name: &str) -> Result<(), Failure> {
    let operator = &context.operator;
    let member = find_to_ban(context, store, name).await?;
    let change = store.unban_and_lift(&member, operator.cause()?, operator.random()).await?;
    let outcome = if change.is_new { BanOutcome::Unbanned } else { BanOutcome::NotBanned };
    show_ban(context, &member, outcome, change).await
}

async fn find_to_ban(context: &Context, store: &Store, name: &str) -> Result<Member, Failure> {
    let member = find_survivor(context, store, name).await?;
    context.output.note(format!("{name} is member {}", member.id));
    Ok(member)
}

async fn show_ban(
    context: &Context,
    member: &Member,
    outcome: BanOutcome,
    BanChange { changed, .. }: BanChange,
) -> Result<(), Failure> {
    send_notices(context, changed.iter().map(|(_, entry)| *entry)).await;
    context.output.show(&BanView::new(member, outcome, changed))
}

/// Requests the notices of these outbox entries. If that fails, the outbox relay sends them later.
async fn send_notices(context: &Context, entries: impl IntoIterator<Item = Ulid>) {
    let entries: Vec<_> = entries.into_iter().collect();
    if entries.is_empty() {
        return;
    }
    let request_id = context.operator.request_id();
    let sent = async {
        let queue = context.deployment.queue(WorkQueue::Notify).await?;
        for entry in entries {
            queue.send(&NotifyMessage::change(entry, request_id)).await?;
        }
        Ok::<_, Failure>(())
    };
    if let Err(cause) = sent.await {
        context.output.note(format!("The notices could not be queued and will be sent later: {}", chain(&cause)));
    }
}

/// The time when a member was created, from the timestamp in the id. Nothing about the member is older.
pub(crate) fn created_at(member: MemberId) -> Timestamp {
    let millis = Ulid::from_string(&member.to_string()).ok().and_then(|id| i64::try_from(id.timestamp_ms()).ok());
    millis.and_then(|millis| Timestamp::from_millisecond(millis).ok()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A stored member, for tests of views.
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
        "salt": membermail_store::KeyContext::new(&membermail_core::random::CountingRandom::default()),
        "state": "done",
        "requested_at": "2026-11-24T10:00:00Z",
        "checked_at": 1_795_514_400_000_000_u64,
        "outcome": { "outcome": "eligible", "domains": ["ubuntu.com"] },
    }))
    .unwrap()
}
