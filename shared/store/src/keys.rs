//! The keys of the one table. See `design.md` for what lies behind each.

use jiff::Timestamp;
use membermail_core::address::{Address, DomainName};
use membermail_core::member::{Identity, LaunchpadId, MemberId};
use sha2::{Digest, Sha256};

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

pub(crate) fn launchpad(person: LaunchpadId) -> Key {
    key(format!("LAUNCHPAD#{person}"), "-")
}

pub(crate) fn domain(domain: &DomainName) -> Key {
    key(format!("DOMAIN#{domain}"), "DOMAIN")
}

pub(crate) fn alias(address: &Address) -> Key {
    key(format!("DOMAIN#{}", address.domain), format!("ALIAS#{}", address.local_part))
}

/// `month` as `YYYY-MM`.
pub(crate) fn audit(domain: &DomainName, month: &str, id: &str) -> Key {
    key(format!("AUDIT#{domain}#{month}"), id)
}

/// The month of an audit entry, in UTC.
pub(crate) fn month(at: Timestamp) -> String {
    at.strftime("%Y-%m").to_string()
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
    fn months_are_of_utc() {
        assert_eq!(month("2026-11-30T23:59:59Z".parse().unwrap()), "2026-11");
        assert_eq!(month("2026-12-01T00:30:00+01:00".parse().unwrap()), "2026-11");
    }
}
