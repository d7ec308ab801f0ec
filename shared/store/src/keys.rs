//! The keys of all items in the table; docs/architecture.md describes the items.

use jiff::Timestamp;
use jiff::civil::Date;
use membermail_core::address::{Address, DomainName};
use membermail_core::destination::DestinationId;
use membermail_core::member::{Identity, MemberId, PersonName};
use membermail_core::notice::NoticeId;
use membermail_core::status::Component;
use membermail_return_path::StoredToken;
use sha2::{Digest, Sha256};
use strum::IntoEnumIterator;
use ulid::Ulid;

/// Partition and sort key of an item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

fn key(pk: String, sk: impl Into<String>) -> Key {
    Key { pk, sk: sk.into() }
}

pub(crate) fn profile(member: MemberId) -> Key {
    key(format!("MEMBER#{member}"), PROFILE)
}

/// Everything that the partition of a member has. An export and an erasure handle each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter)]
pub(crate) enum MemberItem {
    Addresses,
    Destination,
    History,
    Identity,
    Profile,
    Refusal,
    Session,
    TestMessage,
    Undo,
}

impl MemberItem {
    /// The kind of an item in the partition of a member, by its sort key.
    pub(crate) fn of(sk: &str) -> Option<Self> {
        Self::iter().find(|kind| match kind {
            Self::Profile => sk == PROFILE,
            kind => sk.starts_with(kind.prefix()),
        })
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Addresses => ADDRESSES,
            Self::Destination => DESTINATION,
            Self::History => HISTORY,
            Self::Identity => IDENTITY,
            Self::Profile => PROFILE,
            Self::Refusal => REFUSAL,
            Self::Session => SESSION,
            Self::TestMessage => TEST,
            Self::Undo => UNDO,
        }
    }
}

/// The sort key of a member's profile.
const PROFILE: &str = "PROFILE";

/// Prefix of the sort keys of a member's refusals.
pub(crate) const REFUSAL: &str = "REFUSAL#";

pub(crate) fn refusal(member: MemberId, domain: &DomainName) -> Key {
    key(format!("MEMBER#{member}"), format!("{REFUSAL}{domain}"))
}

pub(crate) fn identity(identity: &Identity) -> Key {
    key(format!("IDENTITY#{}#{}", identity.issuer, identity.subject), "-")
}

/// Prefix of the sort keys of a member's destinations, which sort by the time they were added.
pub(crate) const DESTINATION: &str = "DESTINATION#";

pub(crate) fn destination(member: MemberId, id: DestinationId) -> Key {
    key(format!("MEMBER#{member}"), format!("{DESTINATION}{id}"))
}

/// Prefix of the sort keys of the list of a member's sessions.
pub(crate) const SESSION: &str = "SESSION#";

/// A session among the items of its member.
pub(crate) fn session_of(member: MemberId, hash: &str) -> Key {
    key(format!("MEMBER#{member}"), format!("{SESSION}{hash}"))
}

/// Prefix of the sort keys of a member's history, which sort by time.
pub(crate) const HISTORY: &str = "HISTORY#";

pub(crate) fn history(member: MemberId, entry: Ulid) -> Key {
    key(format!("MEMBER#{member}"), format!("{HISTORY}{entry}"))
}

/// Prefix of the sort keys of changes that can be reverted.
pub(crate) const UNDO: &str = "UNDO#";

pub(crate) fn undo(member: MemberId, id: Ulid) -> Key {
    key(format!("MEMBER#{member}"), format!("{UNDO}{id}"))
}

/// Prefix of the sort keys of test messages, one for each address.
pub(crate) const TEST: &str = "TEST#";

pub(crate) fn test_message(member: MemberId, address: &Address) -> Key {
    key(format!("MEMBER#{member}"), format!("{TEST}{address}"))
}

/// A counter. The subject is hashed: it can be an e-mail address of somebody who is no member.
pub(crate) fn rate_limit(name: &str, subject: &str, window: i64) -> Key {
    key(format!("LIMIT#{}", digest(&[name, subject, &window.to_string()])), "-")
}

/// Prefix of the sort keys of a member's identities.
pub(crate) const IDENTITY: &str = "IDENTITY#";

/// An identity among the items of its member, so that one query shows all of a member.
pub(crate) fn identity_of(member: MemberId, identity: &Identity) -> Key {
    key(format!("MEMBER#{member}"), format!("{IDENTITY}{}#{}", identity.issuer, identity.subject))
}

/// Prefix of the sort keys of a member's address counts.
pub(crate) const ADDRESSES: &str = "ADDRESSES#";

/// The addresses of a member in a domain: list, count and limit.
pub(crate) fn addresses(member: MemberId, domain: &DomainName) -> Key {
    key(format!("MEMBER#{member}"), format!("{ADDRESSES}{domain}"))
}

/// The cursor of an import from another table, per segment.
pub(crate) fn restore_cursor(table: &str, segment: i32) -> Key {
    key(format!("RESTORE#{table}"), format!("SEGMENT#{segment}"))
}

/// The partition of members whose grants in a domain expired.
pub(crate) fn expired_grants(domain: &DomainName) -> String {
    format!("EXPIRED#{domain}")
}

/// A member whose grant expired, for the next sync to look up.
pub(crate) fn expired_grant(domain: &DomainName, member: MemberId) -> Key {
    key(expired_grants(domain), member.to_string())
}

/// The partition of a domain's failing addresses. It is separate from the aliases, so that counting them reads no alias.
pub(crate) fn failing_in(domain: &DomainName) -> String {
    format!("FAILING#{domain}")
}

/// An address whose destination rejects mail.
pub(crate) fn failing(address: &Address) -> Key {
    key(failing_in(&address.domain), address.local_part.as_str())
}

/// The partition of banned members, which every sync reads.
pub(crate) const BANNED: &str = "BANNED";

pub(crate) fn banned(member: MemberId) -> Key {
    key(BANNED.to_owned(), member.to_string())
}

pub(crate) fn name(name: &PersonName) -> Key {
    key(format!("NAME#{name}"), "-")
}

/// Number of partitions of the outbox, so that the changes of all domains do not share one partition's capacity.
pub(crate) const OUTBOX_SHARDS: u8 = 16;

/// The partition of one shard of the outbox, sorted by time.
pub(crate) fn outbox_shard(shard: u8) -> String {
    format!("OUTBOX#{shard:02x}")
}

/// An outbox entry. Its shard follows from the random part of its id, so that the id is enough to load it.
pub(crate) fn outbox(entry: Ulid) -> Key {
    let shard = entry.random().to_le_bytes()[0] % OUTBOX_SHARDS;
    key(outbox_shard(shard), entry.to_string())
}

/// The claim on a notice, or its final state.
pub(crate) fn notice(id: &NoticeId) -> Key {
    key(format!("NOTICE#{id}"), "-")
}

/// Prefix of the sort keys of changes gathered for a digest, which sort by time.
pub(crate) const NEWS: &str = "NEWS#";

pub(crate) fn news(domain: &DomainName, entry: Ulid) -> Key {
    key(format!("DIGEST#{domain}"), format!("{NEWS}{entry}"))
}

/// The digest that is being sent.
pub(crate) fn batch(domain: &DomainName) -> Key {
    key(format!("DIGEST#{domain}"), "BATCH")
}

/// The claim on the message that will send the digest.
pub(crate) fn digest_claim(domain: &DomainName) -> Key {
    key(format!("DIGEST#{domain}"), "DUE")
}

/// Repeated failures with the same step, error and member.
pub(crate) fn failure(step: &str, error: &str, member: Option<MemberId>) -> Key {
    let member = member.map(|member| member.to_string()).unwrap_or_default();
    key(format!("FAILURE#{}", digest(&[step, error, &member])), "-")
}

pub(crate) fn domain(domain: &DomainName) -> Key {
    key(format!("DOMAIN#{domain}"), "DOMAIN")
}

/// The partition of a pass that reseals.
pub(crate) const RESEAL: &str = "RESEAL";

/// The cursor of one segment of the pass.
pub(crate) fn reseal(segment: i32) -> Key {
    key(RESEAL.to_owned(), format!("SEGMENT#{segment:04}"))
}

/// One copy of a domain's gate. Each copy has a separate partition, so that copies do not share its capacity.
pub(crate) fn gate(domain: &DomainName, copies: u64, copy: u64) -> Key {
    key(format!("DOMAIN#{domain}#GATE#{copies}#{copy}"), "GATE")
}

/// The partition that lists all domains that have ever been configured, including those that the community file no longer
/// has.
pub(crate) const DOMAINS: &str = "DOMAINS";

pub(crate) fn listed(domain: &DomainName) -> Key {
    key(DOMAINS.to_owned(), domain.as_str())
}

/// Prefix of the sort keys of a domain's aliases.
pub(crate) const ALIAS: &str = "ALIAS#";

pub(crate) fn alias(address: &Address) -> Key {
    key(format!("DOMAIN#{}", address.domain), format!("{ALIAS}{}", address.local_part))
}

/// An admin of a domain. The partition is separate, because alias-map may list the admins but not the aliases of a domain.
pub(crate) fn admin(domain: &DomainName, member: MemberId) -> Key {
    key(admins(domain), member.to_string())
}

/// The partition of a domain's admins.
pub(crate) fn admins(domain: &DomainName) -> String {
    format!("ADMINS#{domain}")
}

/// The partition of the names that a domain's admins reserve. It is separate, so that roles may delete names but no alias.
pub(crate) fn reserved_in(domain: &DomainName) -> String {
    format!("RESERVED#{domain}")
}

/// A name that the admins of a domain reserve.
pub(crate) fn reserved(domain: &DomainName, name: &str) -> Key {
    key(reserved_in(domain), name)
}

/// An audit entry; `month` as `YYYY-MM`. Changes of members have no domain.
pub(crate) fn audit(domain: Option<&DomainName>, month: &str, id: &str) -> Key {
    key(format!("AUDIT#{}#{month}", domain.map_or("-", DomainName::as_str)), id)
}

/// The lease of a domain's current run.
pub(crate) fn lease(domain: &DomainName) -> Key {
    key(format!("SYNC#{domain}"), "LEASE")
}

/// The state that a sync of a domain saves for the next one.
pub(crate) fn sync_state(domain: &DomainName) -> Key {
    key(format!("SYNC#{domain}"), "STATE")
}

/// A part of the names on the last roster, read by this run.
pub(crate) fn roster(domain: &DomainName, run: Ulid, part: usize) -> Key {
    key(format!("SYNC#{domain}"), format!("ROSTER#{run}#{part:06}"))
}

/// A part of the roster that an unfinished run has read.
pub(crate) fn checkpoint(domain: &DomainName, run: Ulid, part: usize) -> Key {
    key(format!("SYNC#{domain}"), format!("CHECKPOINT#{run}#{part:06}"))
}

/// The waiting sync request of a domain, the time of its first one, and the start of its last finished run.
pub(crate) fn sync_request(domain: &DomainName) -> Key {
    key(format!("SYNC#{domain}"), "REQUEST")
}

/// The last dry run that an admin requested. Its steps have the keys of a run's steps, with its own id.
pub(crate) fn dry_run(domain: &DomainName) -> Key {
    key(format!("SYNC#{domain}"), "DRYRUN")
}

/// One slot of the limit on concurrent runs of all domains.
pub(crate) fn slot(index: u32) -> Key {
    key(format!("SLOT#{index}"), "-")
}

/// Prefix of the sort keys of runs, which sort by time.
pub(crate) const RUN: &str = "RUN#";

pub(crate) fn run(domain: &DomainName, run: Ulid) -> Key {
    key(format!("SYNC#{domain}"), format!("{RUN}{run}"))
}

/// A part of a run's steps.
pub(crate) fn steps(domain: &DomainName, run: Ulid, part: usize) -> Key {
    key(format!("SYNC#{domain}"), format!("STEPS#{run}#{part:06}"))
}

/// The month of an audit entry, in UTC.
pub(crate) fn month(at: Timestamp) -> String {
    at.strftime("%Y-%m").to_string()
}

/// The partition of a component's samples.
pub(crate) fn status(component: Component) -> String {
    format!("STATUS#{component}")
}

/// Prefix of the sort keys of days, which sort by date.
const DAY: &str = "DAY#";

/// The samples of a component on one day in UTC.
pub(crate) fn status_day(component: Component, date: Date) -> Key {
    key(status(component), format!("{DAY}{date}"))
}

/// The date in the sort key of a day.
pub(crate) fn status_date(sk: &str) -> Option<Date> {
    sk.strip_prefix(DAY)?.parse().ok()
}

/// An item that never exists, because member ids are ULIDs.
pub(crate) fn health_check() -> Key {
    key("MEMBER#health".to_owned(), "-")
}

/// The sender of mail that left under this return-path address.
pub(crate) fn return_sender(token: &StoredToken) -> Key {
    key(format!("RETURN#{}", token.as_str()), "-")
}

pub(crate) fn session(hash: &str) -> Key {
    key(format!("SESSION#{hash}"), "-")
}

/// Nonces and states are untrusted input. They are hashed, so that their length and characters do not matter.
pub(crate) fn nonce(issuer: &str, nonce: &str) -> Key {
    key(format!("NONCE#{}", digest(&[issuer, nonce])), "-")
}

pub(crate) fn state(state: &str) -> Key {
    key(format!("STATE#{}", digest(&[state])), "-")
}

/// The SHA-256 of a list of texts, in hexadecimal digits.
pub(crate) fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length prefix keeps different lists of parts from hashing the same bytes.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
