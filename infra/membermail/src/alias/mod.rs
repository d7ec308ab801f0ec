//! `membermail alias …`

mod trial;

use std::fmt;

use jiff::Timestamp;
use membermail_core::address::Address;
use membermail_core::alias::{Alias, Reason, Status};
use membermail_core::audit::{Change, Entry};
use membermail_core::member::{LaunchpadName, MemberId};
use membermail_store::Store;
use serde::Serialize;

use crate::Context;
use crate::audit::{begin_of, entry_table};
use crate::failure::Failure;
use crate::output::{facts, table, time};

/// What to see of addresses.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Show an address: its state, why, and whose it is; never where it forwards to
    Show {
        /// The address
        address: String,
    },
    /// Show all that ever happened to an address
    History {
        /// The address
        address: String,
    },
    /// Send a test mail to an address and follow it to its delivery, at a mail host whose log can be read
    Test(trial::Options),
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Show { address } => {
            let store = context.place.store().await?;
            let alias = find(&store, &address).await?;
            let member = store.member(alias.member).await?;
            let linked_to = member.as_ref().and_then(|member| member.merged_into);
            let member = match linked_to {
                Some(survivor) => store.member(survivor).await?,
                None => member,
            };
            let launchpad_name = member.as_ref().and_then(|member| member.name()).cloned();
            context.output.show(&OneAlias { alias: alias.into(), linked_to, launchpad_name })
        }
        Command::History { address } => {
            let store = context.place.store().await?;
            let alias = find(&store, &address).await?;
            context.output.show(&history(context, &store, &alias).await?)
        }
        // The mail host is asked, and not the table.
        Command::Test(options) => trial::run(context, options).await,
    }
}

async fn history(context: &Context, store: &Store, alias: &Alias) -> Result<History, Failure> {
    let (parts, now) =
        ([Some(alias.address.domain.clone())], membermail_core::clock::Clock::now(&context.operator.clock));
    let theirs = |entry: &Entry| matches!(&entry.change, Change::Alias { address, .. } if *address == alias.address);
    let mut entries = Vec::new();
    // No alias is older than its member; and this moment's changes belong to it.
    let to = now.saturating_add(jiff::SignedDuration::from_mins(1)).unwrap_or(now);
    store.each_entry(&parts, begin_of(alias.member), to, theirs, |entry| entries.push(entry)).await?;
    Ok(History { address: alias.address.clone(), entries })
}

async fn find(store: &Store, text: &str) -> Result<Alias, Failure> {
    let address = parse(text)?;
    let found = store.alias(&address).await?;
    found.map(|stored| stored.alias).ok_or_else(|| Failure::NotFound(format!("address {address}")))
}

/// An address of ours, in whatever case it was typed.
pub(crate) fn parse(text: &str) -> Result<Address, Failure> {
    Address::try_from(text.to_ascii_lowercase()).map_err(|why| Failure::Usage(format!("{text:?} is {why}")))
}

/// An alias without its destination.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AliasView {
    address: Address,
    status: Status,
    reason: Reason,
    since: Timestamp,
    until: Option<Timestamp>,
    member: MemberId,
    /// The name that the roster of the team is compared with.
    known_as: LaunchpadName,
    /// When Launchpad gave that name.
    known_at: Timestamp,
    version: u64,
}

impl AliasView {
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }
}

impl From<Alias> for AliasView {
    fn from(alias: Alias) -> Self {
        let Alias { address, member, known_as, status, reason, since, until, version, erase_pending: _ } = alias;
        let (known_at, known_as) = (known_as.observed_at, known_as.name);
        Self { address, status, reason, since, until, member, known_as, known_at, version }
    }
}

/// Aliases, one a row.
pub(crate) fn alias_table(aliases: &[AliasView]) -> String {
    let row = |alias: &AliasView| {
        [
            alias.address.to_string(),
            alias.status.as_str().to_owned(),
            alias.reason.in_words().to_owned(),
            time(alias.since),
            alias.until.map(time).unwrap_or_default(),
        ]
    };
    table(["address", "status", "why", "since", "mail ends"], aliases.iter().map(row))
}

/// `alias show`
#[derive(Debug, Serialize)]
pub(crate) struct OneAlias {
    #[serde(flatten)]
    pub(crate) alias: AliasView,
    /// The member that the owner was linked to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) linked_to: Option<MemberId>,
    /// The name of the member at the last look-up.
    pub(crate) launchpad_name: Option<LaunchpadName>,
}

impl fmt::Display for OneAlias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AliasView { address, status, reason, since, until, member, known_as, known_at, version } = &self.alias;
        let name = self.launchpad_name.as_ref().map(|name| format!(", {name} on Launchpad")).unwrap_or_default();
        let mail = if status.forwards() { "is forwarded" } else { "is refused" };
        let about = [
            ("address", Some(address.to_string())),
            ("status", Some(format!("{}: {}", status.as_str(), reason.in_words()))),
            ("since", Some(time(*since))),
            ("mail", Some(until.map_or_else(|| mail.to_owned(), |until| format!("{mail} until {}", time(until))))),
            ("member", Some(format!("{member}{name}"))),
            ("linked to", self.linked_to.map(|survivor| survivor.to_string())),
            ("known as", Some(format!("{known_as}, seen {}", time(*known_at)))),
            ("changes", Some(version.to_string())),
        ];
        writeln!(f, "{}", facts(about))
    }
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
