//! `membermail restore …`: prepares the table of a point-in-time restore before it is used.

mod list;
mod view;

use std::path::PathBuf;

use membermail_store::{Assigned, Import, ImportReport};

use crate::alias::parse_address;
use crate::context::Context;
use crate::failure::Failure;
use crate::member::MemberToChange;
use crate::progress;
use view::{AssignView, ImportView};

/// Addresses per batch.
const BATCH: usize = 1_000;

/// Commands after a restore.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Reserve the addresses that were granted after the restore point, before the first sync
    Import(Options),
    /// Assign an imported address without an owner to a member
    Assign {
        /// The address
        address: String,
        #[command(flatten)]
        member: MemberToChange,
    },
}

/// The sources of an import.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("sources").args(["from_table", "from_file"]).multiple(true).required(true))]
pub(crate) struct Options {
    /// The old table, which is only read; --table is the restored one
    #[arg(long, value_name = "NAME")]
    from_table: Option<String>,
    /// A file with one address per line; `-` is standard input
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,
    /// Apply the import; without it, the command is a dry run
    #[arg(long)]
    yes: bool,
    /// Confirm that the queues are stopped, if there is no stack to check
    #[arg(long)]
    queues_are_stopped: bool,
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Import(options) => import(context, options).await,
        Command::Assign { address, member } => assign(context, &address, &member).await,
    }
}

async fn import(context: &Context, options: Options) -> Result<(), Failure> {
    let Options { from_table, from_file, yes, queues_are_stopped } = options;
    let store = context.deployment.store().await?;
    let community = context.deployment.community().await?;
    let cause = context.operator.cause()?;
    let by = (cause.by.unwrap_or_default(), cause.request_id);
    let old = from_table.map(|name| context.deployment.other_store(&name));
    if old.as_ref().is_some_and(|old| old.name() == store.name()) {
        let both = format!("--from-table and --table are both {}; set --table to the restored table", store.name());
        return Err(Failure::Usage(both));
    }
    ensure_queues_stopped(context, queues_are_stopped).await?;
    let mut domains: Vec<_> = community.domain_names().cloned().collect();
    domains.extend(store.listed_domains().await?.into_iter().map(|listed| listed.domain));
    // Read first, so that an invalid file changes nothing.
    let listed = from_file.as_deref().map(|file| list::read(file, &domains)).transpose()?;

    let import = Import::new(&store, !yes, by, &context.operator.clock, context.operator.random());
    let mut report = ImportReport::default();
    if let Some(old) = &old {
        let bar = progress::counter("addresses");
        report.add(import.table(old, &|count| bar.inc(count)).await?);
    }
    let (addresses, skipped) = listed.map(|listed| (listed.addresses, listed.skipped)).unwrap_or_default();
    for batch in addresses.chunks(BATCH) {
        report.add(import.addresses(batch).await?);
    }
    context.output.show(&ImportView { table: store.name().to_owned(), is_done: yes, report, skipped })?;
    if !yes {
        context.output.note("This was a dry run. Add --yes to apply it.");
    }
    Ok(())
}

/// A concurrent grant could give an address to a new owner before it is imported.
async fn ensure_queues_stopped(context: &Context, confirmed: bool) -> Result<(), Failure> {
    match context.deployment.parameter("QueuesEnabled").await {
        Ok(Some("false")) => Ok(()),
        Ok(_) => Err(Failure::Held(
            "the queues are running; stop them first with QueuesEnabled=false (docs/operations.md)".to_owned(),
        )),
        Err(Failure::NotFound(_)) if confirmed => Ok(()),
        Err(Failure::NotFound(object)) => Err(Failure::Held(format!(
            "there is no {object}, so the state of the queues is unknown; stop them and add --queues-are-stopped"
        ))),
        Err(failure) => Err(failure),
    }
}

async fn assign(context: &Context, text: &str, member: &MemberToChange) -> Result<(), Failure> {
    let address = parse_address(text)?;
    let store = context.deployment.store().await?;
    let cause = context.operator.cause()?;
    let member = member.find_survivor(context, &store).await?;
    match store.assign_alias(&address, member.id, cause, context.operator.random()).await? {
        Assigned::Done(alias) => context.output.show(&AssignView::new(*alias, &member)),
        Assigned::HasOwner(owner) => {
            Err(Failure::Held(format!("{address} belongs to member {owner}; an address is never reassigned")))
        }
        Assigned::NoAlias => Err(Failure::NotFound(format!("address {address}"))),
        Assigned::NoMember => Err(Failure::NotFound(format!("member {}", member.id))),
    }
}
