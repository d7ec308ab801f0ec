//! The syntax of a local part that needs no quotes.

/// Whether a local part, in any case, is a dot-atom (RFC 5322, 3.2.3). Mail programs write any other local part in quotes.
pub fn is_dot_atom(text: &str) -> bool {
    text.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atext))
}

/// RFC 5322's `atext`.
pub(crate) fn is_atext(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b)
}

#[cfg(test)]
mod tests {
    use super::is_dot_atom;

    #[rstest::rstest]
    #[case("alice", true)]
    #[case("Alice.X+tag", true)]
    #[case("!#$%&'*+-/=?^_`{|}~", true)]
    #[case("", false)]
    #[case("a..b", false)]
    #[case(".a", false)]
    #[case("a.", false)]
    #[case("a b", false)]
    #[case("\"a\"", false)]
    #[case("a\\", false)]
    #[case("a\0", false)]
    #[case("a\u{7f}", false)]
    #[case("ä", false)]
    fn dot_atoms(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(is_dot_atom(text), expected);
    }
}
