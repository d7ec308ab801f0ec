//! Enhanced status codes of failed deliveries (RFC 3463).

use std::fmt;

/// The class of a status code, without success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// `4`: persistent transient failure.
    Transient,
    /// `5`: permanent failure.
    Permanent,
}

/// A status code, `class.subject.detail`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The class.
    pub class: Class,
    /// The subject, 0 to 999.
    pub subject: u16,
    /// The detail, 0 to 999.
    pub detail: u16,
}

/// The highest detail that RFC 3463 defines for each subject.
const DETAILS: [u16; 8] = [0, 8, 4, 5, 7, 5, 5, 7];

impl Status {
    /// A permanent failure of unknown kind, for bounces without a code.
    pub const UNKNOWN: Self = Self { class: Class::Permanent, subject: 0, detail: 0 };
    /// "Delivery time expired".
    pub const EXPIRED: Self = Self { class: Class::Transient, subject: 4, detail: 7 };
    /// "No answer from host", for any mail that is deferred for days.
    pub const DEFERRED: Self = Self { class: Class::Transient, subject: 4, detail: 1 };

    /// Parses the value of a `Status` field (RFC 3464, 2.3.4); a comment may follow the code.
    pub fn parse(text: &str) -> Option<Self> {
        let code = text.trim_ascii().split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
        let numbers: Vec<_> = code.split('.').collect();
        let [class, subject, detail] = numbers[..] else { return None };
        let class = match class {
            "4" => Class::Transient,
            "5" => Class::Permanent,
            _ => return None,
        };
        Some(Self { class, subject: number(subject)?, detail: number(detail)? })
    }

    /// The nearest code of RFC 3463. Later and private codes, such as `5.7.509`, tell which software the other server runs.
    pub fn generic(self) -> Self {
        match DETAILS.get(usize::from(self.subject)) {
            None => Self { subject: 0, detail: 0, ..self },
            Some(&highest) if self.detail > highest => Self { detail: 0, ..self },
            Some(_) => self,
        }
    }
}

fn number(text: &str) -> Option<u16> {
    text.parse().ok().filter(|_| (1..=3).contains(&text.len()))
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let class = match self.class {
            Class::Transient => 4,
            Class::Permanent => 5,
        };
        write!(f, "{class}.{}.{}", self.subject, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("5.1.1", Some("5.1.1"))]
    #[case::comment(" 4.4.1 (no answer from host)", Some("4.4.1"))]
    #[case::comment_without_blank("5.7.1(denied)", Some("5.7.1"))]
    #[case::three_digits("5.7.509", Some("5.7.509"))]
    #[case::success("2.1.5", None)]
    #[case::reply_code("550", None)]
    #[case::four_parts("5.1.1.1", None)]
    #[case::four_digits("5.1.1000", None)]
    #[case::no_detail("5.1.", None)]
    #[case::other_digits("5.1.١", None)]
    #[case::nothing("", None)]
    fn status_is_parsed(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(Status::parse(text).map(|status| status.to_string()).as_deref(), expected);
    }

    #[rstest::rstest]
    #[case::mailbox_full("5.2.2", "5.2.2")]
    #[case::policy("5.7.1", "5.7.1")]
    #[case::microsoft("5.7.509", "5.7.0")]
    #[case::exchange("5.4.300", "5.4.0")]
    #[case::null_mx("5.1.10", "5.1.0")]
    #[case::dmarc("5.7.26", "5.7.0")]
    #[case::unknown_subject("5.9.1", "5.0.0")]
    #[case::class_is_kept("4.9.1", "4.0.0")]
    fn generic_code_is_of_rfc_3463(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(Status::parse(text).unwrap().generic().to_string(), expected);
    }
}
