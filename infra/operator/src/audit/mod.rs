//! `membermail audit`

mod when;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use membermail_core::address::{Address, DomainName};
use membermail_core::audit::{Change, Entry};
use membermail_core::clock::Clock;
use membermail_core::member::MemberId;
use membermail_store::Store;

use crate::alias::parse_address;
use crate::context::Context;
use crate::failure::Failure;
use crate::views::audit::entry_table;
use crate::{member, progress};
use when::When;

/// The default of `--from`, without an address or a member.
const DEFAULT_PERIOD: SignedDuration = SignedDuration::from_hours(31 * 24);

/// Filters, all of which must match.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Entries of this address
    #[arg(long)]
    address: Option<String>,
    /// Entries of this member: member id, or name at the membership source as of the last look-up
    #[arg(long)]
    member: Option<String>,
    /// Entries of this domain
    #[arg(long)]
    domain: Option<DomainName>,
    /// From this time: 2026-11-24, 2026-11-24T10:00:00Z, or an age such as 36h or 7d [default: 31 days; the whole history of
    /// an address or a member]
    #[arg(long, value_name = "TIME")]
    from: Option<When>,
    /// Until this time; a day is included [default: now]
    #[arg(long, value_name = "TIME")]
    to: Option<When>,
    /// Write JSON Lines to this file; `-` is standard output
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
}

/// The resolved filters.
struct Query {
    parts: Vec<Option<DomainName>>,
    address: Option<Address>,
    /// A member and the members linked to it; empty without a filter.
    members: BTreeSet<MemberId>,
    from: Timestamp,
    to: Timestamp,
}

pub(crate) async fn run(context: &Context, options: Options) -> Result<(), Failure> {
    let store = context.deployment.store().await?;
    let query = query(context, &store, &options).await?;
    match &options.export {
        Some(file) if file.as_os_str() != "-" => {
            let mut out = BufWriter::new(File::create(file)?);
            let count = write_json_lines(&store, &query, &mut out).await?;
            context.output.note(format!("Wrote {count} entries to {}.", file.display()));
            Ok(())
        }
        None if !context.output.is_json() => print_table(&store, &query).await,
        Some(_) | None => write_json_lines(&store, &query, &mut BufWriter::new(std::io::stdout())).await.map(drop),
    }
}

async fn query(context: &Context, store: &Store, options: &Options) -> Result<Query, Failure> {
    let address = options.address.as_deref().map(parse_address).transpose()?;
    let members: BTreeSet<_> = match &options.member {
        Some(name) => member::find(store, name).await?.ids().collect(),
        None => BTreeSet::new(),
    };
    let now = context.operator.clock.now();
    let from = match (&options.from, members.first(), &address) {
        (Some(when), ..) => when.start(now),
        // Member ids sort by time, so that the first one is the oldest.
        (None, Some(first), _) => member::created_at(*first),
        (None, None, Some(address)) => {
            store.alias(address).await?.map_or(now, |stored| member::created_at(stored.alias.member))
        }
        (None, None, None) => now.saturating_sub(DEFAULT_PERIOD).unwrap_or(Timestamp::MIN),
    };
    let to = match &options.to {
        Some(when) => when.end(now),
        // The margin includes entries that are written right now, also by a clock that is ahead.
        None => now.saturating_add(SignedDuration::from_mins(1)).unwrap_or(Timestamp::MAX),
    };
    let parts = match (&address, &options.domain) {
        (Some(address), Some(domain)) if address.domain != *domain => Vec::new(),
        (Some(address), _) => vec![Some(address.domain.clone())],
        (None, Some(domain)) => vec![Some(domain.clone())],
        (None, None) => {
            let community = context.deployment.community().await?;
            // Domains that were removed from the community file have entries too.
            let listed = store.listed_domains().await?.into_iter().map(|listed| listed.domain);
            let domains: BTreeSet<_> = community.domain_names().cloned().chain(listed).collect();
            domains.into_iter().map(Some).chain([None]).collect()
        }
    };
    Ok(Query { parts, address, members, from, to })
}

impl Query {
    /// Calls `process` for each matching entry.
    async fn each_entry(&self, store: &Store, mut process: impl FnMut(Entry)) -> Result<(), Failure> {
        let bar = progress::counter("entries");
        let process = |entry| {
            bar.inc(1);
            process(entry);
        };
        Ok(store.each_entry(&self.parts, self.from, self.to, |entry| self.matches(entry), process).await?)
    }

    fn matches(&self, entry: &Entry) -> bool {
        let (address, other) = match &entry.change {
            Change::Alias { address, .. } | Change::Switch { address, .. } => (Some(address), None),
            Change::Link { other, .. } => (None, Some(*other)),
            _ => (None, None),
        };
        let mut members = entry.member().into_iter().chain(other);
        self.address.as_ref().is_none_or(|filter| address == Some(filter))
            && (self.members.is_empty() || members.any(|member| self.members.contains(&member)))
    }
}

/// Writes entries as they are read, and returns their number.
async fn write_json_lines(store: &Store, query: &Query, out: &mut impl Write) -> Result<u64, Failure> {
    let mut written = Ok(());
    let mut count = 0;
    query
        .each_entry(store, |entry| {
            if written.is_ok() {
                let line = serde_json::to_string(&entry).map_err(std::io::Error::from);
                written = line.and_then(|line| writeln!(out, "{line}"));
            }
            count += 1;
        })
        .await?;
    written?;
    out.flush()?;
    Ok(count)
}

async fn print_table(store: &Store, query: &Query) -> Result<(), Failure> {
    let mut entries = Vec::new();
    query.each_entry(store, |entry| entries.push(entry)).await?;
    writeln!(std::io::stdout(), "{}", entry_table(&entries))?;
    Ok(())
}
