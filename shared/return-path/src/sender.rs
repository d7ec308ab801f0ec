//! The envelope sender of a mail from outside.

use std::fmt;
use std::hash::{Hash, Hasher};

use zeroize::Zeroizing;

/// Octets of a sender at most: 64, `@` and 255 (RFC 5321, 4.5.3.1). RFC 5321, 4.5.3.1.3 allows fewer, but senders that
/// encode another address are longer at times.
const LIMIT: usize = 320;

/// A sender in its external form (quotes included), with the domain in lower case. `Debug` omits it, because it is the
/// address of a person outside the community.
#[derive(Clone, PartialEq, Eq)]
pub struct Sender {
    text: Zeroizing<String>,
    at: usize,
}

impl Sender {
    /// Reads `LOCAL@DOMAIN`. Anything that a server may send from is accepted, not only what RFC 5321 allows: quoted local
    /// parts, dots at the end, address literals. The null sender is none.
    pub fn parse(text: &str) -> Result<Self, SenderError> {
        if text.len() > LIMIT {
            return Err(SenderError::TooLong);
        }
        // Without SMTPUTF8 an address is ASCII (RFC 6531, 3.1). Angle brackets, which only quotes allow, could end a command.
        if text.bytes().any(|byte| !(b' '..=b'~').contains(&byte) || b"<>".contains(&byte)) {
            return Err(SenderError::Character);
        }
        match text.rsplit_once('@') {
            Some((local, domain)) if !local.is_empty() && !domain.is_empty() => {
                Ok(Self { text: Zeroizing::new(format!("{local}@{}", domain.to_ascii_lowercase())), at: local.len() })
            }
            _ => Err(SenderError::NoAddress),
        }
    }

    /// The text: for the envelope and the sealed item, never for a log.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The part before the `@`.
    pub fn local_part(&self) -> &str {
        &self.text[..self.at]
    }

    /// The part after the `@`, in lower case.
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }
}

impl Hash for Sender {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.as_str().hash(state);
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender([redacted])")
    }
}

/// Why a text is no sender. Contains nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SenderError {
    /// Nothing before or after the `@`, or none.
    #[error("not an address")]
    NoAddress,
    /// A control character, an angle bracket, or a character that is not ASCII.
    #[error("the address has a character that is not allowed")]
    Character,
    /// Longer than 320 octets.
    #[error("the address is too long")]
    TooLong,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::plain("a@b.example", Ok("a@b.example"))]
    #[case::upper_case("Ann@B.Example", Ok("Ann@b.example"))]
    #[case::two_ats("\"a@b\"@c.example", Ok("\"a@b\"@c.example"))]
    #[case::empty("", Err(SenderError::NoAddress))]
    #[case::no_at("postmaster", Err(SenderError::NoAddress))]
    #[case::no_local_part("@b.example", Err(SenderError::NoAddress))]
    #[case::no_domain("a@", Err(SenderError::NoAddress))]
    #[case::not_ascii("jörg@b.example", Err(SenderError::Character))]
    #[case::angle_bracket("\"a>b\"@b.example", Err(SenderError::Character))]
    #[case::line_break("a\n@b.example", Err(SenderError::Character))]
    fn sender_is_parsed(#[case] text: &str, #[case] expected: Result<&str, SenderError>) {
        let sender = Sender::parse(text);
        assert_eq!(sender.as_ref().map(Sender::expose), expected.as_ref().map(|text| *text));
    }

    #[test]
    fn sender_is_bounded_and_redacted() {
        let longest = format!("{}@b.example", "a".repeat(LIMIT - 10));
        assert_eq!(format!("{:?}", Sender::parse(&longest)), "Ok(Sender([redacted]))");
        assert_eq!(Sender::parse(&format!("a{longest}")), Err(SenderError::TooLong));
    }
}
