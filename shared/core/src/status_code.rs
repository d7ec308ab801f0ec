//! Status codes of failed deliveries, without the text of the other server, which often repeats the recipient's address.

use crate::newtype::checked_string;

checked_string!(
    /// A reply code (`550`; RFC 5321, 4.2), an enhanced status code (`5.1.1`; RFC 3463, 2), or both (`550 5.1.1`).
    StatusCode,
    StatusCodeError,
    |text| {
        let is_valid = match text.split_once(' ') {
            Some((code, enhanced)) => is_reply_code(code) && is_enhanced(enhanced),
            None => is_reply_code(text) || is_enhanced(text),
        };
        if is_valid { Ok(text.to_owned()) } else { Err(StatusCodeError) }
    }
);

/// What a status code is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The mailbox, such as 5.1.1 and 5.2.2; also where the code does not tell.
    Mailbox,
    /// The message, which was refused for its size, form or content: other messages may be accepted.
    Message,
    /// The server was not reached, or did not accept the message for days.
    Unreachable,
}

impl StatusCode {
    /// What the code is about (RFC 3463, 3).
    pub fn kind(&self) -> FailureKind {
        let enhanced = self.0.rsplit(' ').next().and_then(|code| code.split_once('.'));
        match enhanced {
            Some((_, "2.3" | "3.4")) => FailureKind::Message,
            Some((_, code)) if code.starts_with("6.") || code.starts_with("7.") => FailureKind::Message,
            _ if self.0.starts_with('4') => FailureKind::Unreachable,
            _ => FailureKind::Mailbox,
        }
    }
}

/// The text is not a status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a status code")]
pub struct StatusCodeError;

fn is_reply_code(text: &str) -> bool {
    matches!(text.as_bytes(), [b'2' | b'4' | b'5', b'0'..=b'9', b'0'..=b'9'])
}

fn is_enhanced(text: &str) -> bool {
    let numbers: Vec<_> = text.split('.').collect();
    let [class, subject, detail] = numbers[..] else { return false };
    matches!(class, "2" | "4" | "5") && is_number(subject) && is_number(detail)
}

/// At most three digits without a leading zero (RFC 3463, 2).
fn is_number(text: &str) -> bool {
    let has_digits = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    has_digits && (text == "0" || !text.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("5.1.1")]
    #[case("4.4.1")]
    #[case("5.999.0")]
    #[case("550")]
    #[case("421")]
    #[case("550 5.1.1")]
    fn status_code_is_accepted(#[case] text: &str) {
        assert_eq!(StatusCode::parse(text).map(String::from).as_deref(), Ok(text));
    }

    #[rstest::rstest]
    #[case::unknown("5.1.1", FailureKind::Mailbox)]
    #[case::full("552 5.2.2", FailureKind::Mailbox)]
    #[case::without_status("550", FailureKind::Mailbox)]
    #[case::content("550 5.7.1", FailureKind::Message)]
    #[case::deferred_content("4.7.1", FailureKind::Message)]
    #[case::too_large("5.2.3", FailureKind::Message)]
    #[case::too_large_for_system("5.3.4", FailureKind::Message)]
    #[case::subject_of_two_digits("5.20.3", FailureKind::Mailbox)]
    #[case::no_connection("4.4.1", FailureKind::Unreachable)]
    #[case::deferred("451", FailureKind::Unreachable)]
    fn status_code_tells_the_kind(#[case] text: &str, #[case] expected: FailureKind) {
        assert_eq!(StatusCode::parse(text).unwrap().kind(), expected);
    }

    #[rstest::rstest]
    #[case::empty("")]
    #[case::unknown_class("3.1.1")]
    #[case::unknown_code("650")]
    #[case::short("5.1")]
    #[case::long("5.1.1.1")]
    #[case::four_digits("5.1000.1")]
    #[case::leading_zero("5.01.1")]
    #[case::sign("5.+1.1")]
    #[case::other_digits("5.١.1")]
    #[case::text("550 no such user alice@mail.example")]
    #[case::text_after_codes("550 5.1.1 <alice@mail.example>")]
    #[case::line("5.1.1\n")]
    fn other_text_is_rejected(#[case] text: &str) {
        assert_eq!(StatusCode::parse(text), Err(StatusCodeError));
    }
}
