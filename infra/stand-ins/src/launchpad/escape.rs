//! JSON as Launchpad writes it.

use std::fmt::Write;

use serde::Serialize;

/// launchpad.md, 1: `&`, `<`, `>` and every character beyond ASCII are escaped.
pub(super) fn json_text(value: &impl Serialize) -> String {
    // No key of these values is anything but text, so none fails.
    escaped(serde_json::to_string(value).unwrap_or_default())
}

/// These characters occur within strings only, so the whole text can be gone through.
fn escaped(text: String) -> String {
    let is_plain = |octet: u8| octet.is_ascii() && !matches!(octet, b'&' | b'<' | b'>');
    if text.bytes().all(is_plain) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 64);
    for letter in text.chars() {
        if letter.is_ascii() && is_plain(letter as u8) {
            out.push(letter);
        } else {
            // A character beyond the first plane is two of them, as JSON has it.
            for unit in letter.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _done = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("I <3 Ubuntu & GNU>", r#""I \u003c3 Ubuntu \u0026 GNU\u003e""#)]
    #[case("Zoë", r#""Zo\u00eb""#)]
    #[case("🐧", r#""\ud83d\udc27""#)]
    #[case("plain \"text\"\n", r#""plain \"text\"\n""#)]
    fn json_text_escapes_as_launchpad(#[case] value: &str, #[case] expected: &str) {
        assert_eq!(json_text(&value), expected);
        assert_eq!(serde_json::from_str::<String>(expected).unwrap(), value);
    }
}
