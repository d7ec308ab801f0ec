//! What an admin writes about a change.

use crate::newtype::checked_string;

checked_string! {
    /// What an admin wrote about a change: at most 500 characters in one line.
    Comment, CommentError, |text| {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() || text.chars().any(char::is_control) {
            return Err(CommentError::Invalid);
        }
        if text.chars().count() > Comment::MAX_CHARACTERS { Err(CommentError::TooLong) } else { Ok(text) }
    }
}

impl Comment {
    /// Characters at most.
    pub const MAX_CHARACTERS: usize = 500;
}

/// The text is no comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommentError {
    /// Without visible characters, or with a control character.
    #[error("empty, or with a control character")]
    Invalid,
    /// More than [`Comment::MAX_CHARACTERS`].
    #[error("longer than 500 characters")]
    TooLong,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("spam", Ok("spam"))]
    #[case("  two\n lines ", Ok("two lines"))]
    #[case("", Err(CommentError::Invalid))]
    #[case(" \u{a0}\n", Err(CommentError::Invalid))]
    #[case("a\u{0}b", Err(CommentError::Invalid))]
    fn comment_is_one_line(#[case] text: &str, #[case] expected: Result<&str, CommentError>) {
        assert_eq!(Comment::parse(text).as_ref().map(Comment::as_str).map_err(|why| *why), expected);
    }

    #[test]
    fn comment_has_limited_length() {
        assert!(Comment::parse(&"ä".repeat(Comment::MAX_CHARACTERS)).is_ok());
        assert_eq!(Comment::parse(&"a".repeat(Comment::MAX_CHARACTERS + 1)), Err(CommentError::TooLong));
    }
}
