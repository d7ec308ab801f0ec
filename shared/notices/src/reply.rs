//! What a mail server answers, without its words: they often hold the address that it was asked for.

use std::fmt;
use std::str::FromStr;

/// A reply code (RFC 5321, 4.2) and, where the server has them, the numbers of an enhanced status code (RFC 3463, 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Three digits.
    pub code: u16,
    /// Class, subject, detail.
    pub enhanced: Option<(u16, u16, u16)>,
}

/// What a reply means for a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Try again.
    Later,
    /// The relay does not take our mail at all: settings are wrong, and everything waits.
    NotAllowed,
    /// There is no such mailbox, or it takes no mail.
    NoMailbox,
    /// Not this mail.
    Refused,
}

impl Reply {
    /// From the code and the words that came with it.
    pub(crate) fn read(code: u16, words: &str) -> Self {
        let first = words.split_whitespace().next().unwrap_or_default();
        let numbers: Vec<_> = first.split('.').map(u16::from_str).collect();
        let enhanced = match numbers[..] {
            [Ok(class @ (2 | 4 | 5)), Ok(subject @ 0..=999), Ok(detail @ 0..=999)] => Some((class, subject, detail)),
            _ => None,
        };
        Self { code, enhanced }
    }

    pub(crate) fn verdict(self) -> Verdict {
        match (self.code, self.enhanced) {
            (..500, _) => Verdict::Later,
            // Authentication (RFC 4954, 6), encryption (RFC 3207, 4), or a sender who may not: Postfix says 553 5.7.1
            // where a login does not go with the sender.
            (530 | 534 | 535 | 538, _)
            | (553, Some((5, 7, 1)))
            | (_, Some((5, 7, 0 | 8 | 9 | 11)))
            | (_, Some((5, 1, 7 | 8))) => Verdict::NotAllowed,
            // Addressing and mailbox status (RFC 3463, 3.2 and 3.3); a message too long is not the mailbox's fault.
            (_, Some((5, 1, _))) | (_, Some((5, 2, 0..=2))) | (550 | 551 | 553, None) => Verdict::NoMailbox,
            _ => Verdict::Refused,
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        self.enhanced.map_or(Ok(()), |(class, subject, detail)| write!(f, " {class}.{subject}.{detail}"))
    }
}

impl FromStr for Reply {
    type Err = ReplyError;
    fn from_str(text: &str) -> Result<Self, ReplyError> {
        let (code, words) = text.split_once(' ').unwrap_or((text, ""));
        match code.parse() {
            Ok(code @ 200..=599) => Ok(Self::read(code, words)),
            _ => Err(ReplyError),
        }
    }
}

/// A text that is no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a reply code of SMTP")]
pub struct ReplyError;

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case(421, "4.3.2 try later", "421 4.3.2", Verdict::Later)]
    #[case(451, "Greylisted", "451", Verdict::Later)]
    #[case(535, "5.7.8 who are you", "535 5.7.8", Verdict::NotAllowed)]
    #[case(530, "Must issue a STARTTLS command first", "530", Verdict::NotAllowed)]
    #[case(553, "5.7.1 not owned by user notices", "553 5.7.1", Verdict::NotAllowed)]
    #[case(553, "5.1.8 sender domain is unknown", "553 5.1.8", Verdict::NotAllowed)]
    #[case(550, "5.1.1 <alice@mail.example>: no such user", "550 5.1.1", Verdict::NoMailbox)]
    #[case(552, "5.2.2 over quota", "552 5.2.2", Verdict::NoMailbox)]
    #[case(550, "No such user alice@mail.example", "550", Verdict::NoMailbox)]
    #[case(550, "5.7.1 not wanted", "550 5.7.1", Verdict::Refused)]
    #[case(552, "5.2.3 too long", "552 5.2.3", Verdict::Refused)]
    #[case(554, "5.6.0 what is this", "554 5.6.0", Verdict::Refused)]
    fn what_a_server_says(#[case] code: u16, #[case] words: &str, #[case] shown: &str, #[case] verdict: Verdict) {
        let reply = Reply::read(code, words);
        assert_eq!((reply.to_string().as_str(), reply.verdict()), (shown, verdict));
        assert_eq!(shown.parse(), Ok(reply));
    }
}
