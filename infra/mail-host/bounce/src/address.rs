//! Addresses of a bounce. None of them is ever printed by `Debug`.

use std::fmt;

use membermail_core::address::{Address, DomainName, LocalPart};
use membermail_core::dot_atom::is_dot_atom;

/// Octets of an envelope address at most: 64, `@` and 255 (RFC 5321, 4.5.3.1).
const LIMIT: usize = 320;

/// An address as it stands in an SMTP envelope, also in forms that no library accepts: Postfix has accepted it before.
#[derive(Clone, PartialEq, Eq)]
pub struct Mailbox(String);

impl Mailbox {
    /// Accepts printable ASCII with an `@` and without angle brackets, so that it cannot end an SMTP command.
    pub fn parse(text: &str) -> Option<Self> {
        let is_printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'<' && byte != b'>');
        let is_address = text.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
        (is_printable && is_address && text.len() <= LIMIT).then(|| Self(text.to_owned()))
    }

    /// The text, for an SMTP command or a comparison.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The domain in lower case.
    pub fn domain(&self) -> String {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain).to_ascii_lowercase()
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mailbox([redacted])")
    }
}

/// An address that a sender wrote to. Whether its domain is ours is up to alias-map.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient {
    text: String,
    domain: DomainName,
}

impl Recipient {
    /// Accepts a dot-atom of at most 64 octets at a domain name, as alias-map does.
    pub fn parse(text: &str) -> Option<Self> {
        let (local, domain) = text.rsplit_once('@')?;
        let domain = DomainName::parse(&domain.to_ascii_lowercase()).ok()?;
        let is_valid = local.len() <= 64 && is_dot_atom(local);
        is_valid.then(|| Self { text: format!("{local}@{domain}"), domain })
    }

    /// The text, which the sender knows.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The domain.
    pub fn domain(&self) -> &DomainName {
        &self.domain
    }

    /// The alias without a tag, unless the local part is reserved.
    pub fn alias(&self) -> Option<Address> {
        let local = self.text.split(['@', '+']).next()?.to_ascii_lowercase();
        Some(Address { local_part: LocalPart::parse(&local).ok()?, domain: self.domain.clone() })
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recipient([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::plain("sender@elsewhere.example", true)]
    #[case::quoted("\"john doe\"@elsewhere.example", true)]
    #[case::trailing_dot("dot.@carrier.example", true)]
    #[case::address_literal("user@[192.0.2.1]", true)]
    #[case::percent("100%off@elsewhere.example", true)]
    #[case::command("a@b.example>\r\nDATA", false)]
    #[case::angle_bracket("a>@b.example", false)]
    #[case::nul("a\0@b.example", false)]
    #[case::not_ascii("jörg@elsewhere.example", false)]
    #[case::no_domain("sender@", false)]
    #[case::null_sender("", false)]
    fn mailbox_is_safe_in_commands(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(Mailbox::parse(text).is_some(), valid);
    }

    #[rstest::rstest]
    #[case("Alice@Ubuntu.com", Some("Alice@ubuntu.com"), Some("alice@ubuntu.com"))]
    #[case::tag("alice+news@ubuntu.com", Some("alice+news@ubuntu.com"), Some("alice@ubuntu.com"))]
    #[case::reserved("postmaster@ubuntu.com", Some("postmaster@ubuntu.com"), None)]
    #[case::reserved_with_tag("abuse+x@ubuntu.com", Some("abuse+x@ubuntu.com"), None)]
    #[case::quoted("\"alice x\"@ubuntu.com", None, None)]
    #[case::no_dot_atom("alice+a..b@ubuntu.com", None, None)]
    #[case::line_break("alice\r\nX: y@ubuntu.com", None, None)]
    #[case::no_domain("alice", None, None)]
    fn recipient_names_an_alias(#[case] text: &str, #[case] kept: Option<&str>, #[case] alias: Option<&str>) {
        let recipient = Recipient::parse(text);
        assert_eq!(recipient.as_ref().map(Recipient::expose), kept);
        assert_eq!(recipient.and_then(|recipient| recipient.alias()).map(String::from).as_deref(), alias);
    }

    #[test]
    fn debug_shows_no_address() {
        let text = "alice@ubuntu.com";
        assert!(!format!("{:?}{:?}", Mailbox::parse(text), Recipient::parse(text)).contains("alice"));
    }
}
