//! `membermail alias …`

mod delivery_test;

use std::fmt;

use jiff::SignedDuration;
use membermail_core::address::Address;
use membermail_core::alias::Alias;
use membermail_core::audit::{Change, Entry};
use membermail_core::clock::Clock;
use membermail_store::Store;
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::member::created_at;
use crate::views::alias::AliasDetails;
use crate::views::audit::entry_table;

/// Commands for addresses.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Show an address: its status, the reason, and its owner, but not its destination
    Show {
        /// The address
        address: String,
    },
    /// Show all changes of an address
    History {
        /// The address
        address: String,
    },
    /// Send a test mail to an address and follow its delivery in the log of the mail host
    Test(delivery_test::Options),
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Show { address } => show(context, &address).await,
        Command::History { address } => history(context, &address).await,
        Command::Test(options) => delivery_test::run(context, options).await,
    }
}

async fn show(context: &Context, address: &str) -> Result<(), Failure> {
    let store = context.deployment.store().await?;
    let alias = find(&store, address).await?;
    let member = store.member(alias.member).await?;
    let linked_to = member.as_ref().and_then(|member| member.merged_into);
    let member = match linked_to {
        Some(survivor) => store.member(survivor).await?,
        None => member,
    };
    let source_name = member.as_ref().and_then(|member| member.name()).cloned();
    context.output.show(&AliasDetails { alias: alias.into(), linked_to, source_name })
}

async fn history(context: &Context, address: &str) -> Result<(), Failure> {
    let store = context.deployment.store().await?;
    let alias = find(&store, address).await?;
    let parts = [Some(alias.address.domain.clone())];
    // No alias is older than its member. The margin at the end includes entries that are written right now.
    let from = created_at(alias.member);
    let now = context.operator.clock.now();
    let to = now.saturating_add(SignedDuration::from_mins(1)).unwrap_or(now);
    let mut entries = Vec::new();
    let is_of_alias = |entry: &Entry| match &entry.change {
        Change::Alias { address, .. } | Change::Switch { address, .. } => *address == alias.address,
        _ => false,
    };
    store.each_entry(&parts, from, to, is_of_alias, |entry| entries.push(entry)).await?;
    context.output.show(&History { address: alias.address.clone(), entries })
}

async fn find(store: &Store, text: &str) -> Result<Alias, Failure> {
    let address = parse_address(text)?;
    let found = store.alias(&address).await?;
    found.map(|stored| stored.alias).ok_or_else(|| Failure::NotFound(format!("address {address}")))
}

/// Parses one of our addresses, in any case.
pub(crate) fn parse_address(text: &str) -> Result<Address, Failure> {
    Address::try_from(text.to_ascii_lowercase()).map_err(|why| Failure::Usage(format!("{text:?} is {why}")))
}

#[derive(Debug, Serialize)]
struct History {
    address: Address,
    entries: Vec<Entry>,
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", entry_table(&self.entries))
    }
}
