//! Local parts that reach those who run a domain, and so never a member.

/// RFC 2142 and what else mail systems, certificate authorities and people take for the domain's own voice.
const EXACT: &[&str] = &[
    "abuse",
    "admin",
    "administrator",
    "anonymous",
    "autoconfig",
    "autodiscover",
    "billing",
    "board",
    "contact",
    "daemon",
    "dmarc",
    "dns",
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
    "mailer-daemon",
    "maildaemon",
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
/// Certificate authorities (`ssladmin`), the sender rewriting scheme and bounces own all that begins so.
const PREFIXES: &[&str] = &["ssl", "srs0", "srs1", "bounce"];
/// Mailing lists own all that ends so (RFC 2142, section 6).
const SUFFIXES: &[&str] = &["-request", "-owner"];

/// Whether a local part in lower case is kept for the domain itself, with a `+tag` or without.
pub fn is_reserved(local_part: &str) -> bool {
    let base = local_part.split('+').next().unwrap_or(local_part);
    EXACT.contains(&base)
        || PREFIXES.iter().any(|prefix| base.starts_with(prefix))
        || SUFFIXES.iter().any(|suffix| base.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::is_reserved;

    #[rstest::rstest]
    #[case("postmaster", true)]
    #[case("postmaster+x", true)]
    #[case("ssladmin", true)]
    #[case("srs0", true)]
    #[case("bounces", true)]
    #[case("devel-request", true)]
    #[case("alice", false)]
    #[case("administratrix", false)]
    #[case("requester", false)]
    fn reserved_names(#[case] name: &str, #[case] reserved: bool) {
        assert_eq!(is_reserved(name), reserved);
    }
}
