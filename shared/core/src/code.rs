//! Codes that a member reads in a mail and types into a page.

use std::fmt;

use subtle::ConstantTimeEq;

/// Letters and digits that look different from each other in every font, and no vowels, so that no word appears.
const ALPHABET: &[u8; 28] = b"BCDFGHJKLMNPQRSTVWXZ23456789";
const LENGTH: usize = 8;

/// A code of eight characters (38 bits). It is for a few attempts only.
#[derive(Clone, Copy)]
pub struct Code([u8; LENGTH]);

impl Code {
    /// The code that follows from the output of a keyed hash.
    pub fn from_hash(hash: &[u8; 32]) -> Self {
        let mut rest = hash.iter().take(16).fold(0_u128, |number, byte| (number << 8) | u128::from(*byte));
        let mut code = [0; LENGTH];
        for byte in &mut code {
            let index = usize::try_from(rest % 28).unwrap_or_default();
            *byte = ALPHABET.get(index).copied().unwrap_or_default();
            rest /= 28;
        }
        Self(code)
    }

    /// Reads what somebody typed: upper or lower case, with or without blanks and hyphens.
    pub fn parse(text: &str) -> Option<Self> {
        let typed =
            text.chars().filter(|typed| !typed.is_whitespace() && !matches!(typed, '-' | '\u{2010}'..='\u{2015}'));
        let typed: Vec<u8> = typed.map(|typed| u8::try_from(typed.to_ascii_uppercase()).ok()).collect::<Option<_>>()?;
        let code: [u8; LENGTH] = typed.try_into().ok()?;
        code.iter().all(|byte| ALPHABET.contains(byte)).then_some(Self(code))
    }

    /// Compares in constant time.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// The text in two groups, for the mail: `BCDF-2345`.
    pub fn expose(&self) -> String {
        let text = String::from_utf8_lossy(&self.0);
        let (first, second) = text.split_at(LENGTH / 2);
        format!("{first}-{second}")
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn typed_code_is_read(hash: [u8; 32]) {
            let code = Code::from_hash(&hash);
            let text = code.expose();
            for typed in [text.clone(), text.to_lowercase(), text.replace('-', ""), format!(" {} ", text.replace('-', " – "))] {
                prop_assert!(Code::parse(&typed).is_some_and(|read| read.is_same_as(&code)), "{}", typed);
            }
            prop_assert_eq!(format!("{code:?}"), "Code([redacted])");
        }

        #[test]
        fn other_text_is_no_code(text in "\\PC{0,20}") {
            if let Some(code) = Code::parse(&text) {
                prop_assert_eq!(code.expose().len(), 9);
            }
        }
    }

    #[rstest::rstest]
    #[case::empty("")]
    #[case::short("BCDF234")]
    #[case::long("BCDF23456")]
    #[case::vowel("ACDF2345")]
    #[case::full_width("ＢCDF2345")]
    fn invalid_code_is_refused(#[case] text: &str) {
        assert!(Code::parse(text).is_none());
    }

    #[test]
    fn different_hashes_differ() {
        let codes = (0..=255_u8).map(|byte| Code::from_hash(&[byte; 32]).expose());
        assert_eq!(codes.collect::<std::collections::BTreeSet<_>>().len(), 256);
    }
}
