//! `membermail audit`

mod when;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use membermail_core::address::{Address, DomainName};
use membermail_core::audit::{Actor, Change, DomainChange, Entry, LinkChange};
use membermail_core::clock::Clock;
use membermail_core::member::MemberId;
use membermail_store::Store;
use ulid::Ulid;

use crate::Context;
use crate::alias;
use crate::failure::Failure;
use crate::output::{table, time, word};
use crate::{member, progress};
use when::When;

/// How far back it looks where nothing says.
const BACK: SignedDuration = SignedDuration::from_hours(31 * 24);

/// Which entries. Filters add up.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Of this address
    #[arg(long)]
    address: Option<String>,
    /// Of this member: a Launchpad name, or our own id
    #[arg(long)]
    member: Option<String>,
    /// Of this domain
    #[arg(long)]
    domain: Option<DomainName>,
    /// From this time on: 2026-11-24, 2026-11-24T10:00:00Z, or so long ago as 36h or 7d. Without it 31 days ago; of an
    /// address or a member from their beginning
    #[arg(long, value_name = "TIME")]
    from: Option<When>,
    /// Before this time; a day is meant with its end
    #[arg(long, value_name = "TIME")]
    to: Option<When>,
    /// Write JSON Lines to this file, or to standard output for `-`
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
}

/// What the options come to.
struct Query {
    parts: Vec<Option<DomainName>>,
    address: Option<Address>,
    /// A member and those that were linked to them; empty, where all are meant.
    members: BTreeSet<MemberId>,
    from: Timestamp,
    to: Timestamp,
}

pub(crate) async fn run(context: &Context, options: Options) -> Result<(), Failure> {
    let store = context.place.store().await?;
    let query = query(context, &store, &options).await?;
    match &options.export {
        Some(file) if file.as_os_str() != "-" => {
            let mut out = BufWriter::new(File::create(file)?);
            let count = lines(&store, &query, &mut out).await?;
            context.output.note(format!("{count} entries are in {}", file.display()));
            Ok(())
        }
        None if !context.output.is_json() => people(&store, &query).await,
        Some(_) | None => lines(&store, &query, &mut BufWriter::new(std::io::stdout())).await.map(drop),
    }
}

async fn query(context: &Context, store: &Store, options: &Options) -> Result<Query, Failure> {
    let address = options.address.as_deref().map(alias::parse).transpose()?;
    let members: BTreeSet<_> = match &options.member {
        Some(name) => member::find(store, name).await?.ids().collect(),
        None => BTreeSet::new(),
    };
    let now = context.operator.clock.now();
    // Ids sort by time.
    let begin = match (&options.from, members.first(), &address) {
        (Some(when), ..) => when.begin(now),
        (None, Some(first), _) => begin_of(*first),
        (None, None, Some(address)) => store.alias(address).await?.map_or(now, |stored| begin_of(stored.alias.member)),
        (None, None, None) => now.saturating_sub(BACK).unwrap_or(Timestamp::MIN),
    };
    let to = match &options.to {
        Some(when) => when.end(now),
        // What is written at this very moment belongs to it, by a clock that may be ahead of ours too.
        None => now.saturating_add(SignedDuration::from_mins(1)).unwrap_or(Timestamp::MAX),
    };
    let parts = match (&address, &options.domain) {
        (Some(address), Some(domain)) if address.domain != *domain => Vec::new(),
        (Some(address), _) => vec![Some(address.domain.clone())],
        (None, Some(domain)) => vec![Some(domain.clone())],
        (None, None) => {
            let community = context.place.community().await?;
            // Also domains that the community file no longer has.
            let listed = store.listed_domains().await?.into_iter().map(|listed| listed.domain);
            let domains: BTreeSet<_> = community.domain_names().cloned().chain(listed).collect();
            domains.into_iter().map(Some).chain([None]).collect()
        }
    };
    Ok(Query { parts, address, members, from: begin, to })
}

/// When a member came to be: nothing of theirs is older. The id tells.
pub(crate) fn begin_of(member: MemberId) -> Timestamp {
    let millis = Ulid::from_string(&member.to_string()).ok().and_then(|id| i64::try_from(id.timestamp_ms()).ok());
    millis.and_then(|millis| Timestamp::from_millisecond(millis).ok()).unwrap_or(Timestamp::UNIX_EPOCH)
}

impl Query {
    fn wants(&self, entry: &Entry) -> bool {
        let address = match &entry.change {
            Change::Alias { address, .. } => Some(address),
            _ => None,
        };
        let other = match &entry.change {
            Change::Link { other, .. } => Some(*other),
            _ => None,
        };
        let mut about = entry.member().into_iter().chain(other);
        self.address.as_ref().is_none_or(|wanted| address == Some(wanted))
            && (self.members.is_empty() || about.any(|member| self.members.contains(&member)))
    }
}

/// Writes entries as they come.
async fn lines(store: &Store, query: &Query, out: &mut impl Write) -> Result<u64, Failure> {
    let bar = progress::counting("entries");
    let mut failed = None;
    let mut count = 0;
    let write = |entry: Entry| {
        let line = serde_json::to_string(&entry).map_err(std::io::Error::from);
        if failed.is_none() {
            failed = line.and_then(|line| writeln!(out, "{line}")).err();
        }
        count += 1;
        bar.inc(1);
    };
    store.each_entry(&query.parts, query.from, query.to, |entry| query.wants(entry), write).await?;
    bar.finish_and_clear();
    if let Some(cause) = failed {
        return Err(cause.into());
    }
    out.flush()?;
    Ok(count)
}

async fn people(store: &Store, query: &Query) -> Result<(), Failure> {
    let bar = progress::counting("entries");
    let mut entries = Vec::new();
    let keep = |entry| {
        entries.push(entry);
        bar.inc(1);
    };
    store.each_entry(&query.parts, query.from, query.to, |entry| query.wants(entry), keep).await?;
    bar.finish_and_clear();
    writeln!(std::io::stdout(), "{}", entry_table(&entries))?;
    Ok(())
}

/// Entries, one a row.
pub(crate) fn entry_table(entries: &[Entry]) -> String {
    if entries.is_empty() {
        return "nothing happened".to_owned();
    }
    let row = |entry: &Entry| {
        let [what, change, why] = in_words(&entry.change);
        [time(entry.at), what, change, why, by(entry), entry.request_id.clone()]
    };
    table(["time", "what", "change", "why", "by", "request"], entries.iter().map(row))
}

fn in_words(change: &Change) -> [String; 3] {
    match change {
        Change::Alias { address, before, after, reason, until, renamed_from, .. } => {
            let before = before.map_or("new", |before| before.as_str());
            let mut why = reason.in_words().to_owned();
            if let Some(until) = until {
                why.push_str(&format!(", mail ends {}", until.strftime("%Y-%m-%d")));
            }
            if let Some(from) = renamed_from {
                why.push_str(&format!(", renamed from {}", from.local_part));
            }
            [address.to_string(), format!("{before} → {}", after.as_str()), why]
        }
        Change::Member { member, did } => [format!("member {member}"), word(did), String::new()],
        Change::Link { member, other, did } => {
            let preposition = if *did == LinkChange::Linked { "to" } else { "from" };
            [format!("member {other}"), format!("{} {preposition} {member}", word(did)), String::new()]
        }
        Change::Limit { member, domain, limit } => {
            let limit = limit.map_or_else(|| "as the rules say".to_owned(), |limit| limit.to_string());
            [format!("member {member}"), format!("addresses at {domain}: {limit}"), String::new()]
        }
        Change::Admin { member, domain, did } => {
            [format!("member {member}"), format!("admin of {domain} {}", word(did)), String::new()]
        }
        Change::Domain { domain, did, until } => {
            let what = if *did == DomainChange::Retiring { "addresses end" } else { "no new addresses after" };
            let why = until.map(|until| format!("{what} {}", until.strftime("%Y-%m-%d")));
            [format!("domain {domain}"), word(did), why.unwrap_or_default()]
        }
        Change::Run { domain, run, did } => [format!("run {run} of {domain}"), word(did), String::new()],
    }
}

fn by(entry: &Entry) -> String {
    match (entry.actor, &entry.by) {
        (Actor::Operator, Some(name)) => format!("operator {name}"),
        (Actor::Sync, Some(run)) => format!("sync {run}"),
        (actor, _) => word(&actor),
    }
}
