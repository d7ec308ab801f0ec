//! Somebody's own address: personal data, so that nothing prints it by accident.

use std::fmt;

use zeroize::Zeroizing;

/// An address outside the community, where a member reads mail. Its `Debug` shows nothing and it has no
/// `Display` and no `Serialize`: whoever needs the text says [`expose`](Self::expose).
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress {
    text: Zeroizing<String>,
    at: usize,
}

impl EmailAddress {
    /// Reads an `addr-spec` (RFC 5322, 3.4.1) of at most 254 octets (RFC 5321, 4.5.3.1.3), ASCII only, with the
    /// domain put in lower case.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let valid = text.is_ascii() && text.len() <= 254 && email_address::EmailAddress::is_valid(text);
        let at = text.rfind('@').filter(|_| valid).ok_or(EmailError)?;
        let (local, domain) = text.split_at(at);
        if domain.starts_with("@[") || !domain.contains('.') {
            return Err(EmailError);
        }
        Ok(Self { text: Zeroizing::new(format!("{local}{}", domain.to_ascii_lowercase())), at })
    }

    /// The address itself: for the envelope, the member's own page and the sealed item, never for a log.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The part after the `@`, in lower case.
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress([redacted])")
    }
}

/// A text that is no address mail can be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address that mail can be sent to")]
pub struct EmailError;

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("alice@example.org", true)]
    #[case("Alice.B+c@Example.ORG", true)]
    #[case("alice", false)]
    #[case("alice@localhost", false)]
    #[case("alice@[127.0.0.1]", false)]
    #[case("alice@exa mple.org", false)]
    #[case("alice@example.org\r\nBcc: eve@example.org", false)]
    #[case("älice@example.org", false)]
    fn addresses(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(EmailAddress::parse(text).is_ok(), valid);
    }

    #[test]
    fn debug_shows_nothing() {
        let address = EmailAddress::parse("alice@example.org").unwrap();
        assert_eq!(format!("{address:?}"), "EmailAddress([redacted])");
    }

    #[test]
    fn only_the_domain_loses_its_case() {
        assert_eq!(EmailAddress::parse("Al@Example.ORG").unwrap().expose(), "Al@example.org");
    }
}
