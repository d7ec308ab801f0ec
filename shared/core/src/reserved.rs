//! Local parts that are reserved: by rules for the operators of a domain, and by the admins of a domain.

use crate::address::LOCAL_PART_OCTETS;
use crate::dot_atom::is_dot_atom;
use crate::newtype::checked_string;

/// RFC 2142, and other names that mail systems, certificate authorities and people trust as the domain's operators.
pub const EXACT: &[&str] = &[
    "abuse",
    "admin",
    "administrator",
    "anonymous",
    "autoconfig",
    "autodiscover",
    "billing",
    "board",
    "bounce",
    "bounces",
    "contact",
    "daemon",
    "dmarc",
    "dns",
    "do-not-reply",
    "donotreply",
    "ftp",
    "help",
    "hostmaster",
    "info",
    "is",
    "isatap",
    "it",
    "legal",
    "list",
    "list-admin",
    "listmaster",
    "localdomain",
    "localhost",
    "mail",
    "maildaemon",
    "mailer-daemon",
    "marketing",
    "mis",
    "mx",
    "news",
    "no-reply",
    "nobody",
    "noc",
    "noreply",
    "null",
    "office",
    "owner",
    "postmaster",
    "press",
    "privacy",
    "root",
    "sales",
    "security",
    "srs0",
    "srs1",
    "ssladmin",
    "ssladministrator",
    "sslwebmaster",
    "support",
    "sysadmin",
    "system",
    "tls-rpt",
    "tlsrpt",
    "usenet",
    "uucp",
    "webmail",
    "webmaster",
    "wpad",
    "www",
];
/// The sender rewriting scheme's addresses. `srs0+…` and `srs1+…` are sub-addresses of the exact names above.
pub const PREFIXES: &[&str] = &["srs0=", "srs1=", "owner-"];
/// Addresses of mailing lists (RFC 2142, section 6).
pub const SUFFIXES: &[&str] = &["-bounces", "-owner", "-request"];

checked_string! {
    /// A local part that the admins of a domain reserve: a dot-atom in lower case, 64 octets at most, without `+`. Unlike an
    /// address, it stays valid when the rules reserve the same name later.
    ReservedName, ReservedNameError, |text| {
        let is_name = is_dot_atom(text) && !text.contains('+') && !text.bytes().any(|b| b.is_ascii_uppercase());
        if is_name && text.len() <= LOCAL_PART_OCTETS { Ok(text.to_owned()) } else { Err(ReservedNameError) }
    }
}

impl ReservedName {
    /// Names of one domain at most: every sync reads them.
    pub const MAX_PER_DOMAIN: usize = 500;
}

/// The text is no name of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no local part: at most 64 characters that are valid before an @, in lower case and without +")]
pub struct ReservedNameError;

/// Whether the rules reserve a local part in lower case, with or without a `+tag`. Text that is no dot-atom is not: a prefix or
/// suffix alone must not reserve what can be no address of ours.
pub fn is_reserved(local_part: &str) -> bool {
    let base = local_part.split('+').next().unwrap_or(local_part);
    let matches_list = EXACT.contains(&base)
        || PREFIXES.iter().any(|prefix| base.starts_with(prefix))
        || SUFFIXES.iter().any(|suffix| base.ends_with(suffix));
    matches_list && is_dot_atom(base) && is_dot_atom(local_part)
}

/// Whether Launchpad generated this name for a merged, deactivated or closed account:
/// `…-merged`, `…-mergedN`, `…-deactivatedaccount`, `…-deactivatedaccountN`, `removedN`.
pub fn is_assigned(name: &str) -> bool {
    let base = name.trim_end_matches(|c: char| c.is_ascii_digit());
    base.ends_with("-merged") || base.ends_with("-deactivatedaccount") || (base == "removed" && base != name)
}

#[cfg(test)]
mod tests {
    use super::{ReservedName, is_reserved};

    #[rstest::rstest]
    #[case("postmaster", true)]
    #[case("postmaster+x", true)]
    #[case("ssladmin", true)]
    #[case("ssladministrator", true)]
    #[case("sslwebmaster", true)]
    #[case("sslezak", false)]
    #[case("srs0", true)]
    #[case("srs0=abc=de=example.org=alice", true)]
    #[case("srs1+abc", true)]
    #[case("srs0x", false)]
    #[case("bounces", true)]
    #[case("bouncer", false)]
    #[case("devel-bounces", true)]
    #[case("devel-request", true)]
    #[case("devel-owner", true)]
    #[case("owner-devel", true)]
    #[case("owners", false)]
    #[case("donotreply", true)]
    #[case("do-not-reply", true)]
    #[case("alice", false)]
    #[case("administratrix", false)]
    #[case("requester", false)]
    #[case("a b-request", false)]
    #[case(".x-request", false)]
    #[case("\"x-request", false)]
    #[case("owner-x.", false)]
    #[case("srs0=..", false)]
    #[case("srs0=a.+x", false)]
    #[case("postmaster+a b", false)]
    #[case("postmaster+.", false)]
    #[case("postmaster+.x", true)]
    fn reserved_names(#[case] name: &str, #[case] reserved: bool) {
        assert_eq!(is_reserved(name), reserved);
    }

    #[rstest::rstest]
    #[case("council", true)]
    #[case("postmaster", true)]
    #[case("a.b-c", true)]
    #[case("", false)]
    #[case("Council", false)]
    #[case("council+x", false)]
    #[case("council@ubuntu.com", false)]
    #[case("a..b", false)]
    #[case("a b", false)]
    #[case("äb", false)]
    fn names_of_admins_are_local_parts(#[case] text: &str, #[case] is_name: bool) {
        assert_eq!(ReservedName::parse(text).is_ok(), is_name);
        assert_eq!(ReservedName::parse(&"a".repeat(64)).is_ok(), ReservedName::parse(&"a".repeat(65)).is_err());
    }
}
