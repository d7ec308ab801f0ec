//! `membermail restore …`: after a point-in-time restore, before the restored table is used.

mod list;
mod view;

use std::path::PathBuf;

use membermail_core::clock::Clock;
use membermail_store::{Assigned, Import, ImportReport, Store};

use crate::Context;
use crate::alias;
use crate::confirm::Confirm;
use crate::failure::Failure;
use crate::member::{confirm, find_survivor};
use crate::progress;
use view::{AssignedView, Imported};

/// Addresses of a list that are imported at a time.
const BATCH: usize = 1_000;

/// What to do after a restore.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Mark every address as taken that was granted after the restore point, before the first sync
    Import(Options),
    /// Give an imported address without an owner to a member
    Assign {
        /// The address
        address: String,
        /// Our own id of the member, or the Launchpad name of the last look-up
        member: String,
        #[command(flatten)]
        confirm: Confirm,
    },
}

/// Where from.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("sources").args(["from_table", "from_file"]).multiple(true).required(true))]
pub(crate) struct Options {
    /// The table from before the restore, which is only read; --table names the restored one
    #[arg(long, value_name = "NAME")]
    from_table: Option<String>,
    /// A file of addresses that were in use, one a line; `-` for standard input
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,
    /// Do it; without this, only show what would happen
    #[arg(long)]
    yes: bool,
    /// Where there is no stack to ask: the queues of the functions are stopped
    #[arg(long)]
    queues_are_stopped: bool,
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Import(options) => import(context, options).await,
        Command::Assign { address, member, confirm } => assign(context, &address, &member, confirm).await,
    }
}

async fn import(context: &Context, options: Options) -> Result<(), Failure> {
    let Options { from_table, from_file, yes, queues_are_stopped } = options;
    let (store, community) = (context.place.store().await?, context.place.community().await?);
    let cause = context.operator.cause()?;
    let by = (cause.by.unwrap_or_default(), cause.request_id);
    let old = from_table.map(|name| context.place.table(name));
    if old.as_ref().is_some_and(|old| old.name() == store.name()) {
        let name = store.name();
        return Err(Failure::Usage(format!("{name} is the table to import into: name the restored one with --table")));
    }
    are_queues_stopped(context, queues_are_stopped).await?;
    let configured: Vec<_> = community.domain_names().cloned().collect();
    let mut domains: Vec<_> = store.listed_domains().await?.into_iter().map(|listed| listed.domain).collect();
    domains.extend(configured.iter().filter(|domain| !domains.contains(domain)).cloned().collect::<Vec<_>>());
    // Read before anything is written: a file with mistakes is found first.
    let listed = from_file.as_deref().map(|file| list::read(file, &domains)).transpose()?;

    let (clock, random) = (&context.operator.clock as &dyn Clock, context.operator.random());
    let import = Import::new(&store, !yes, by, clock, random);
    let mut report = ImportReport::default();
    if let Some(old) = &old {
        let bar = progress::counting("addresses");
        let outcome = import.table(old, &|count| bar.inc(count)).await;
        bar.finish_and_clear();
        report.add(outcome?);
    }
    let (addresses, skipped) = listed.map(|listed| (listed.addresses, listed.skipped)).unwrap_or_default();
    for batch in addresses.chunks(BATCH) {
        report.add(import.addresses(batch).await?);
    }
    context.output.show(&Imported { table: store.name().to_owned(), is_done: yes, report, skipped })?;
    if !yes {
        context.output.note("nothing was changed; --yes does it");
    }
    Ok(())
}

/// A grant at the same time could be of an address that is about to be imported, so that nothing may grant meanwhile.
async fn are_queues_stopped(context: &Context, said: bool) -> Result<(), Failure> {
    match context.place.parameter("QueuesEnabled").await {
        Ok(Some("false")) => Ok(()),
        Ok(_) => Err(Failure::Held(
            "syncs and grants are on: stop them first, by QueuesEnabled=false (docs/operations.md)".to_owned(),
        )),
        Err(Failure::NotFound(_)) if said => Ok(()),
        Err(Failure::NotFound(what)) => Err(Failure::Held(format!(
            "there is no {what}, so whether syncs and grants are off cannot be seen: stop them and say --queues-are-stopped"
        ))),
        Err(failure) => Err(failure),
    }
}

async fn assign(context: &Context, text: &str, to: &str, yes: Confirm) -> Result<(), Failure> {
    let address = alias::parse(text)?;
    let store: Store = context.place.store().await?;
    let (cause, random) = (context.operator.cause()?, context.operator.random());
    let member = find_survivor(context, &store, to).await?;
    confirm(context, to, &member, yes)?;
    match store.assign_alias(&address, member.id, cause, random).await? {
        Assigned::Done(alias) => context.output.show(&AssignedView::new(*alias, &member)),
        Assigned::HasOwner(owner) => Err(Failure::Held(format!(
            "{address} belongs to member {owner}, and an address never passes to another member"
        ))),
        Assigned::NoAlias => Err(Failure::NotFound(format!("address {address}"))),
        Assigned::NoMember => Err(Failure::NotFound(format!("member {to}"))),
    }
}
