//! Upper case as bits: one for each letter, in base32, without zeros at the end.

use data_encoding::BASE32_NOPAD_NOCASE;

/// Which letters of the text are in upper case.
pub(crate) fn upper_case(text: &str) -> String {
    let letters: Vec<_> = text.bytes().filter(u8::is_ascii_alphabetic).collect();
    let bytes: Vec<_> = letters
        .chunks(8)
        .map(|chunk| {
            chunk
                .iter()
                .enumerate()
                .fold(0_u8, |bits, (index, letter)| bits | (u8::from(letter.is_ascii_uppercase()) << (7 - index)))
        })
        .collect();
    let code = BASE32_NOPAD_NOCASE.encode(&bytes).to_ascii_lowercase();
    code.trim_end_matches('a').to_owned()
}

/// The text with the letters in upper case that `code` names. None if the code is malformed; not every code that this
/// accepts is one that [`upper_case`] writes.
pub(crate) fn restore(text: &str, code: &str) -> Option<String> {
    // Eight characters are five bytes, without a rest.
    let padded = format!("{code:a<width$}", width = code.len().next_multiple_of(8));
    let bytes = BASE32_NOPAD_NOCASE.decode(padded.as_bytes()).ok()?;
    let mut bits = bytes.iter().flat_map(|byte| (0..8).map(move |index| byte & (0x80 >> index) != 0));
    let restored = text.chars().map(|letter| {
        let is_upper = letter.is_ascii_alphabetic() && bits.next().unwrap_or_default();
        if is_upper { letter.to_ascii_uppercase() } else { letter }
    });
    Some(restored.collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[rstest::rstest]
    #[case("john.doe", "")]
    #[case("John.Doe", "r")]
    #[case("1A", "q")]
    fn upper_case_is_short(#[case] text: &str, #[case] code: &str) {
        assert_eq!(upper_case(text), code);
    }

    proptest! {
        #[test]
        fn spelling_returns(text in "[A-Za-z0-9.=]{0,60}") {
            let code = upper_case(&text);
            prop_assert_eq!(restore(&text.to_ascii_lowercase(), &code), Some(text.clone()));
            prop_assert_eq!(restore(&text.to_ascii_lowercase(), &code.to_ascii_uppercase()), Some(text));
        }

        #[test]
        fn any_code_is_harmless(text in "[a-z0-9.]{0,60}", code in "\\PC{0,20}") {
            if let Some(restored) = restore(&text, &code) {
                prop_assert_eq!(restored.to_ascii_lowercase(), text);
            }
        }
    }
}
