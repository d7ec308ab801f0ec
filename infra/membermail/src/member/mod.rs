//! `membermail member …`

mod view;

use membermail_core::member::{LaunchpadName, MemberId};
use membermail_core::message::Notify;
use membermail_runtime::batch::chain;
use membermail_store::{Changed, Member, Store};

use crate::Context;
use crate::failure::Failure;
use crate::place::Inbox;
use view::{BanView, Did, MemberView};

/// What to do about members.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Show a member: eligibility, addresses, the last check
    Show {
        /// The Launchpad name, or our own id of the member
        name: String,
    },
    /// Ban a member: sessions end and addresses are suspended, at once
    Ban {
        /// The Launchpad name, or our own id of the member
        name: String,
    },
    /// Take a ban back: the next sync or sign-in restores the addresses of whoever is eligible
    Unban {
        /// The Launchpad name, or our own id of the member
        name: String,
    },
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let store = context.place.store().await?;
    match command {
        Command::Show { name } => show(context, &store, &name).await,
        Command::Ban { name } => ban(context, &store, &name).await,
        Command::Unban { name } => unban(context, &store, &name).await,
    }
}

/// The member of a Launchpad name, which has no upper case, or of an id, which has nothing else.
pub(crate) async fn find(store: &Store, name: &str) -> Result<Member, Failure> {
    let found = match (MemberId::parse(name), LaunchpadName::parse(name)) {
        (Ok(id), Err(_)) => store.member(id).await?,
        (_, Ok(name)) => store.member_by_name(&name).await?,
        (Err(_), Err(why)) => return Err(Failure::Usage(format!("{name:?} is {why}"))),
    };
    found.ok_or_else(|| Failure::NotFound(format!("member {name}: nobody of that name has signed in")))
}

async fn show(context: &Context, store: &Store, name: &str) -> Result<(), Failure> {
    let member = find(store, name).await?;
    let aliases = store.aliases_of(member.id).await?;
    let refusals = store.refusals_of(member.id).await?;
    context.output.show(&MemberView::new(member, aliases, refusals))
}

async fn ban(context: &Context, store: &Store, name: &str) -> Result<(), Failure> {
    let operator = &context.operator;
    let (cause, random) = (operator.cause()?, operator.random());
    let community = context.place.community().await?;
    let member = find(store, name).await?;
    // The ban first: from here on nothing is given, and what the rest does not come to, the next sync does.
    let now = store.ban(member.id, cause, random).await?;
    let domains: Vec<_> = community.domain_names().cloned().collect();
    // What follows has a later time, so that the audit log tells it in this order.
    let changed = store.suspend_banned(&member, &domains, operator.cause()?, random).await?;
    tell(context, &changed).await;
    let did = if now { Did::Banned } else { Did::WasBanned };
    context.output.show(&BanView::new(&member, did, changed))
}

async fn unban(context: &Context, store: &Store, name: &str) -> Result<(), Failure> {
    let operator = &context.operator;
    let (cause, random) = (operator.cause()?, operator.random());
    let community = context.place.community().await?;
    let member = find(store, name).await?;
    let now = store.unban(member.id, cause, random).await?;
    let domains: Vec<_> = community.domain_names().cloned().collect();
    let changed = store.lift_ban(&member, &domains, operator.cause()?, random).await?;
    tell(context, &changed).await;
    let did = if now { Did::Unbanned } else { Did::WasWelcome };
    context.output.show(&BanView::new(&member, did, changed))
}

/// Asks for the changes to be told. They lie in the outbox, from where they are told later if this fails.
async fn tell(context: &Context, changed: &[Changed]) {
    if changed.is_empty() {
        return;
    }
    let request_id = context.operator.request_id();
    let sent = async {
        let queue = context.place.queue(Inbox::Notify).await?;
        for (_, entry) in changed {
            queue.send(&Notify { entry: *entry, request_id: request_id.to_owned() }).await?;
        }
        Ok::<_, Failure>(())
    };
    if let Err(cause) = sent.await {
        context.output.note(format!("the notices wait in the outbox: {}", chain(&cause)));
    }
}
