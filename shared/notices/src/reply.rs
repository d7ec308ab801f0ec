//! SMTP replies without their text, since servers often repeat the recipient's address in it.

use std::fmt;
use std::str::FromStr;

/// A reply code (RFC 5321, 4.2) and, where the server has them, the numbers of an enhanced status code (RFC 3463, 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmtpReply {
    /// The three-digit reply code.
    pub code: u16,
    /// Class, subject and detail of the enhanced status code.
    pub enhanced: Option<(u16, u16, u16)>,
}

impl SmtpReply {
    /// Parses the enhanced status code, if any, from the text of the reply.
    pub(crate) fn new(code: u16, text: &str) -> Self {
        let first = text.split_whitespace().next().unwrap_or_default();
        let numbers: Vec<_> = first.split('.').map(u16::from_str).collect();
        let enhanced = match numbers[..] {
            [Ok(class @ (2 | 4 | 5)), Ok(subject @ 0..=999), Ok(detail @ 0..=999)] => Some((class, subject, detail)),
            _ => None,
        };
        Self { code, enhanced }
    }
}

impl fmt::Display for SmtpReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        self.enhanced.map_or(Ok(()), |(class, subject, detail)| write!(f, " {class}.{subject}.{detail}"))
    }
}

impl FromStr for SmtpReply {
    type Err = ReplyError;
    fn from_str(text: &str) -> Result<Self, ReplyError> {
        let (code, rest) = text.split_once(' ').unwrap_or((text, ""));
        match code.parse() {
            Ok(code @ 200..=599) => Ok(Self::new(code, rest)),
            // An enhanced status code alone, as in a report (RFC 3464, 2.3.4), with the general code of its class.
            _ => match Self::new(0, text) {
                Self { enhanced: Some((class, ..)), .. } => Ok(Self::new(class * 100 + 50, text)),
                Self { enhanced: None, .. } => Err(ReplyError),
            },
        }
    }
}

/// The text is not an SMTP reply code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an SMTP reply code")]
pub struct ReplyError;

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case(421, "4.3.2 try later", "421 4.3.2")]
    #[case(451, "Greylisted", "451")]
    #[case(550, "5.1.1 <alice@mail.example>: no such user", "550 5.1.1")]
    #[case(550, "No such user alice@mail.example", "550")]
    #[case(554, "5.7 what is this", "554")]
    fn reply_is_shown_without_text(#[case] code: u16, #[case] text: &str, #[case] shown: &str) {
        let reply = SmtpReply::new(code, text);
        assert_eq!(reply.to_string(), shown);
        assert_eq!(shown.parse(), Ok(reply));
    }

    #[rstest::rstest]
    #[case("5.2.2", Ok("550 5.2.2"))]
    #[case("4.4.1", Ok("450 4.4.1"))]
    #[case("5.2", Err(ReplyError))]
    #[case("full", Err(ReplyError))]
    fn status_alone_gets_general_code(#[case] text: &str, #[case] shown: Result<&str, ReplyError>) {
        assert_eq!(text.parse().map(|reply: SmtpReply| reply.to_string()), shown.map(str::to_owned));
    }
}
