//! The keys of the one table. See `design.md` for what lies behind each.

use jiff::Timestamp;
use membermail_core::address::{Address, DomainName};
use membermail_core::member::{Identity, LaunchpadName, MemberId};
use membermail_core::notice::NoticeId;
use sha2::{Digest, Sha256};
use ulid::Ulid;

/// Partition and sort key of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

fn key(pk: String, sk: impl Into<String>) -> Key {
    Key { pk, sk: sk.into() }
}

pub(crate) fn profile(member: MemberId) -> Key {
    key(format!("MEMBER#{member}"), "PROFILE")
}

/// Sort keys of a member's refusals begin so.
pub(crate) const REFUSAL: &str = "REFUSAL#";

pub(crate) fn refusal(member: MemberId, domain: &DomainName) -> Key {
    key(format!("MEMBER#{member}"), format!("{REFUSAL}{domain}"))
}

pub(crate) fn identity(identity: &Identity) -> Key {
    key(format!("IDENTITY#{}#{}", identity.issuer, identity.subject), "-")
}

/// Sort keys of a member's identities begin so.
pub(crate) const IDENTITY: &str = "IDENTITY#";

/// An identity among the items of its member, so that one query shows all of a member.
pub(crate) fn identity_of(member: MemberId, identity: &Identity) -> Key {
    key(format!("MEMBER#{member}"), format!("{IDENTITY}{}#{}", identity.issuer, identity.subject))
}

/// Sort keys of a member's address counts begin so.
pub(crate) const ADDRESSES: &str = "ADDRESSES#";

/// Which addresses a member has in a domain, how many, and how many they may have.
pub(crate) fn addresses(member: MemberId, domain: &DomainName) -> Key {
    key(format!("MEMBER#{member}"), format!("{ADDRESSES}{domain}"))
}

/// How far a part of another table has been imported.
pub(crate) fn restore_cursor(table: &str, segment: i32) -> Key {
    key(format!("RESTORE#{table}"), format!("SEGMENT#{segment}"))
}

/// The partition of members whose grants in a domain expired.
pub(crate) fn expired_grants(domain: &DomainName) -> String {
    format!("EXPIRED#{domain}")
}

/// A member whose grant expired: the next sync looks them up.
pub(crate) fn expired_grant(domain: &DomainName, member: MemberId) -> Key {
    key(expired_grants(domain), member.to_string())
}

/// The partition of members who are banned: every sync reads it.
pub(crate) const BANNED: &str = "BANNED";

pub(crate) fn banned(member: MemberId) -> Key {
    key(BANNED.to_owned(), member.to_string())
}

pub(crate) fn name(name: &LaunchpadName) -> Key {
    key(format!("NAME#{name}"), "-")
}

/// Partitions of the outbox: one alone would take every change of every domain.
pub(crate) const OUTBOX_SHARDS: u8 = 16;

/// The partition of one shard of the outbox; each sorts by time.
pub(crate) fn outbox_shard(shard: u8) -> String {
    format!("OUTBOX#{shard:02x}")
}

/// The one partition that all entries went to before there were shards. A function of that release may still write to it.
pub(crate) const UNSHARDED_OUTBOX: &str = "OUTBOX";

/// The shard is taken from the random part of the id, so that the id alone finds the entry.
pub(crate) fn outbox(entry: Ulid) -> Key {
    let shard = entry.random().to_le_bytes()[0] % OUTBOX_SHARDS;
    key(outbox_shard(shard), entry.to_string())
}

/// Where an entry of the release before can be.
pub(crate) fn unsharded_outbox(entry: Ulid) -> Key {
    key(UNSHARDED_OUTBOX.to_owned(), entry.to_string())
}

/// A notice that is being sent, or was.
pub(crate) fn notice(id: &NoticeId) -> Key {
    key(format!("NOTICE#{id}"), "-")
}

/// Sort keys of what is gathered for the admins of a domain begin so; what follows sorts by time.
pub(crate) const NEWS: &str = "NEWS#";

pub(crate) fn news(domain: &DomainName, entry: Ulid) -> Key {
    key(format!("DIGEST#{domain}"), format!("{NEWS}{entry}"))
}

/// Which of it is in the mail that goes out just now.
pub(crate) fn batch(domain: &DomainName) -> Key {
    key(format!("DIGEST#{domain}"), "BATCH")
}

/// Until when a message that will send it is on its way.
pub(crate) fn digest_due(domain: &DomainName) -> Key {
    key(format!("DIGEST#{domain}"), "DUE")
}

/// Reports of the same error of the same member.
pub(crate) fn failure(step: &str, error: &str, member: Option<MemberId>) -> Key {
    let member = member.map(|member| member.to_string()).unwrap_or_default();
    key(format!("FAILURE#{}", digest(&[step, error, &member])), "-")
}

pub(crate) fn domain(domain: &DomainName) -> Key {
    key(format!("DOMAIN#{domain}"), "DOMAIN")
}

/// The partition of a pass that seals anew.
pub(crate) const RESEAL: &str = "RESEAL";

/// How far one segment of that pass is.
pub(crate) fn reseal(segment: i32) -> Key {
    key(RESEAL.to_owned(), format!("SEGMENT#{segment:04}"))
}

/// One copy of a domain's gate: a partition of its own, so that copies do not share its capacity.
pub(crate) fn gate(domain: &DomainName, copies: u64, copy: u64) -> Key {
    key(format!("DOMAIN#{domain}#GATE#{copies}#{copy}"), "GATE")
}

/// The partition that lists all domains that have been configured, so that one that is missing from the community file
/// is not forgotten.
pub(crate) const DOMAINS: &str = "DOMAINS";

pub(crate) fn listed(domain: &DomainName) -> Key {
    key(DOMAINS.to_owned(), domain.as_str())
}

/// Sort keys of a domain's aliases begin so.
pub(crate) const ALIAS: &str = "ALIAS#";

pub(crate) fn alias(address: &Address) -> Key {
    key(format!("DOMAIN#{}", address.domain), format!("{ALIAS}{}", address.local_part))
}

/// An admin of a domain. A partition of its own: alias-map may list it, and must not list the aliases of a domain.
pub(crate) fn admin(domain: &DomainName, member: MemberId) -> Key {
    key(admins(domain), member.to_string())
}

/// The partition of a domain's admins.
pub(crate) fn admins(domain: &DomainName) -> String {
    format!("ADMINS#{domain}")
}

/// `month` as `YYYY-MM`. What is done to a member belongs to no domain.
pub(crate) fn audit(domain: Option<&DomainName>, month: &str, id: &str) -> Key {
    key(format!("AUDIT#{}#{month}", domain.map_or("-", DomainName::as_str)), id)
}

/// The one run of a domain that may write just now.
pub(crate) fn lease(domain: &DomainName) -> Key {
    key(format!("SYNC#{domain}"), "LEASE")
}

/// What one sync of a domain leaves to the next.
pub(crate) fn sync_state(domain: &DomainName) -> Key {
    key(format!("SYNC#{domain}"), "STATE")
}

/// A part of the names on the last roster, as the run of this id read them.
pub(crate) fn roster(domain: &DomainName, run: Ulid, part: usize) -> Key {
    key(format!("SYNC#{domain}"), format!("ROSTER#{run}#{part:06}"))
}

/// A part of a roster that a run has read so far.
pub(crate) fn checkpoint(domain: &DomainName, run: Ulid, part: usize) -> Key {
    key(format!("SYNC#{domain}"), format!("CHECKPOINT#{run}#{part:06}"))
}

/// Since when syncs of a domain are waited for, of which none has come to its end.
pub(crate) fn awaited(domain: &DomainName) -> Key {
    key(format!("SYNC#{domain}"), "AWAITED")
}

/// Whether a message of the schedule waits for the domain, and when its last finished run began.
pub(crate) fn sync_request(domain: &DomainName) -> Key {
    key(format!("SYNC#{domain}"), "REQUEST")
}

/// One of the runs, of all domains together, that may ask the membership source at the same time.
pub(crate) fn slot(place: u32) -> Key {
    key(format!("SLOT#{place}"), "-")
}

/// Sort keys of runs begin so; what follows sorts by time.
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

/// Of a member that there never is, since the ids of members are ULIDs.
pub(crate) fn nothing() -> Key {
    key("MEMBER#health".to_owned(), "-")
}

pub(crate) fn session(hash: &str) -> Key {
    key(format!("SESSION#{hash}"), "-")
}

/// Nonces and states come from outside: hashed, so that their length and characters do not matter.
pub(crate) fn nonce(issuer: &str, nonce: &str) -> Key {
    key(format!("NONCE#{}", digest(&[issuer, nonce])), "-")
}

pub(crate) fn state(state: &str) -> Key {
    key(format!("STATE#{}", digest(&[state])), "-")
}

fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // Each length goes first, so that no two lists of parts run together alike.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(nonce("a", "bc"), nonce("ab", "c"));
        assert_ne!(nonce("", "a"), nonce("a", ""));
        assert_eq!(state(&"long".repeat(1000)).pk.len(), "STATE#".len() + 64);
    }

    #[test]
    fn outbox_entries_spread_over_all_shards() {
        let random = membermail_core::random::OsRandom;
        let key = |_| outbox(membermail_core::member::ulid(Timestamp::UNIX_EPOCH, &random)).pk;
        let mut counts = std::collections::BTreeMap::new();
        (0..1600).map(key).for_each(|pk| *counts.entry(pk).or_insert(0) += 1);
        let expected: Vec<_> = (0..OUTBOX_SHARDS).map(outbox_shard).collect();
        assert_eq!(counts.keys().cloned().collect::<Vec<_>>(), expected);
        assert!(counts.values().all(|count| (20..400).contains(count)), "{counts:?}");
    }

    #[test]
    fn months_are_of_utc() {
        assert_eq!(month("2026-11-30T23:59:59Z".parse().unwrap()), "2026-11");
        assert_eq!(month("2026-12-01T00:30:00+01:00".parse().unwrap()), "2026-11");
    }
}
