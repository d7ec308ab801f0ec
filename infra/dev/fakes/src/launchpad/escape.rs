//! JSON with Launchpad's escapes.

use std::fmt::Write;

use serde::Serialize;

/// Serializes to JSON. launchpad.md, 1: `&`, `<`, `>` and all non-ASCII characters are escaped.
pub(super) fn to_json(value: &impl Serialize) -> String {
    // This cannot fail: all keys are strings.
    escape(serde_json::to_string(value).unwrap_or_default())
}

/// Escapes the whole text, since these characters occur only within strings.
fn escape(text: String) -> String {
    if text.chars().all(is_plain) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 64);
    for letter in text.chars() {
        if is_plain(letter) {
            out.push(letter);
        } else {
            // JSON escapes a character beyond the first plane as a surrogate pair.
            for unit in letter.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _infallible = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

fn is_plain(letter: char) -> bool {
    letter.is_ascii() && !matches!(letter, '&' | '<' | '>')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("I <3 Ubuntu & GNU>", r#""I \u003c3 Ubuntu \u0026 GNU\u003e""#)]
    #[case("Zoë", r#""Zo\u00eb""#)]
    #[case("🐧", r#""\ud83d\udc27""#)]
    #[case("plain \"text\"\n", r#""plain \"text\"\n""#)]
    fn json_has_launchpad_escapes(#[case] value: &str, #[case] expected: &str) {
        assert_eq!(to_json(&value), expected);
        assert_eq!(serde_json::from_str::<String>(expected).unwrap(), value);
    }
}
