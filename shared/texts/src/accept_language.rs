//! The `Accept-Language` header of a browser. `fluent-langneg` has a parser too, but it ignores the weights.

use std::cmp::Reverse;

use membermail_core::language::Language;

/// More than any browser sends.
const MAX_RANGES: usize = 50;

/// The languages that a header asks for, best first (RFC 9110, 12.5.4). Malformed ranges and `*` are left out, and so are
/// ranges of weight 0, which are not acceptable.
pub fn accepted_languages(header: &str) -> Vec<Language> {
    let mut weighted: Vec<_> = header.split(',').take(MAX_RANGES).filter_map(weighted_language).collect();
    // Stable: languages of the same weight keep their order.
    weighted.sort_by_key(|(weight, _)| Reverse(*weight));
    weighted.into_iter().map(|(_, language)| language).collect()
}

/// A language and its weight in thousandths.
fn weighted_language(range: &str) -> Option<(u16, Language)> {
    let mut parts = range.split(';').map(|part| part.trim_matches([' ', '\t']));
    let language = Language::parse(parts.next()?).ok()?;
    let weight = match parts.next() {
        None => 1000,
        Some(weight) => thousandths(weight)?,
    };
    (weight > 0 && parts.next().is_none()).then_some((weight, language))
}

/// A weight such as `q=0.85` (RFC 9110, 12.4.2) in thousandths.
fn thousandths(weight: &str) -> Option<u16> {
    let value = weight.strip_prefix("q=").or_else(|| weight.strip_prefix("Q="))?;
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let decimals: u16 = format!("{decimals:0<3}").parse().ok()?;
    match (whole, decimals) {
        ("0", decimals) => Some(decimals),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::firefox("de,en-US;q=0.7,en;q=0.3", "de en-us en")]
    #[case::one("ar-EG", "ar-eg")]
    #[case::by_weight("en;q=0.1, de;q=0.9, ar;q=0.95", "ar de en")]
    #[case::same_weight("en;q=0.5, de;q=0.5", "en de")]
    #[case::no_weight_is_one("en;q=0.999, de", "de en")]
    #[case::three_decimals("en;q=0.998, de;q=0.999", "de en")]
    #[case::full_weight("en;q=0.9, de;q=1.000, ar;q=1", "de ar en")]
    #[case::spaces("\ten ; q=0.5 , de", "de en")]
    #[case::not_acceptable("de;q=0, ar;q=0.0, en;q=0.001", "en")]
    #[case::any("*, de;q=0.5", "de")]
    #[case::empty("", "")]
    #[case::empty_ranges(",, de,", "de")]
    #[case::too_heavy("de;q=1.001, ar;q=2, en", "en")]
    #[case::malformed_weight("de;q=, ar;q=0.1234, fr;q=-1, es;q=0.+1, it;w=1, pt;q=.5, en", "en")]
    #[case::two_weights("de;q=1;q=0.1, en", "en")]
    #[case::malformed_tag("english, d, de_, <script>, en", "en")]
    #[case::long_tag("en-aaaaaaaa-aaaaaaaa-aaaaaaaa-aaaaaaaa-aaaaaaaa, de", "de")]
    fn languages_are_ordered_by_weight(#[case] header: &str, #[case] expected: &str) {
        let languages = accepted_languages(header);
        assert_eq!(languages.iter().map(Language::as_str).collect::<Vec<_>>().join(" "), expected);
    }

    #[test]
    fn endless_header_is_cut() {
        assert_eq!(accepted_languages(&"de,".repeat(10_000)).len(), MAX_RANGES);
    }

    proptest! {
        #[test]
        fn any_header_is_accepted(header in ".{0,300}") {
            prop_assert!(accepted_languages(&header).len() <= MAX_RANGES);
        }

        #[test]
        fn header_like_text_is_accepted(header in "([a-zA-Z*-]{0,12}[;q=., 01]{0,8}){0,20}") {
            prop_assert!(accepted_languages(&header).len() <= MAX_RANGES);
        }
    }
}
