//! The language of a page for a visitor: the choice in their cookie, then what their browser asks for.

use lambda_http::http::{HeaderMap, HeaderValue, header};
use membermail_core::language::Language;
use membermail_identity::language_cookie;
use membermail_texts::accepted_languages;

/// The languages that the headers of a request ask for, best first.
pub fn requested(headers: &HeaderMap, https: bool) -> Vec<Language> {
    language_cookie::read(headers, https).into_iter().chain(accepted(headers)).collect()
}

/// The languages that the browser asks for, best first. A page that is cached for all visitors cannot depend on a cookie.
pub fn accepted(headers: &HeaderMap) -> Vec<Language> {
    let values = headers.get_all(header::ACCEPT_LANGUAGE).iter().map(HeaderValue::to_str).filter_map(Result::ok);
    accepted_languages(&values.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use membermail_texts::Texts;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn page_language(headers: &HeaderMap) -> String {
        Texts::load().unwrap().translator(&requested(headers, true)).tag()
    }

    fn headers(cookie: &str, accepted: &[&[u8]]) -> HeaderMap {
        let accepted = accepted.iter().map(|text| (header::ACCEPT_LANGUAGE, HeaderValue::from_bytes(text).unwrap()));
        accepted.chain([(header::COOKIE, HeaderValue::from_str(cookie).unwrap())]).collect()
    }

    #[rstest]
    #[case::nothing("", &[], "en")]
    #[case::browser("", &[b"ar-EG,ar;q=0.9,en;q=0.8".as_slice()], "ar")]
    #[case::best_translated("", &[b"fr, de;q=0.5, ar;q=0.4".as_slice()], "de")]
    #[case::none_translated("", &[b"fr, ja;q=0.5, *;q=0.1".as_slice()], "en")]
    #[case::two_headers("", &[b"fr".as_slice(), b"de;q=0.9"], "de")]
    #[case::cookie("__Host-language=de", &[b"ar".as_slice()], "de")]
    #[case::cookie_alone("__Host-language=ar", &[], "ar")]
    #[case::untranslated_cookie("__Host-language=fr", &[b"ar".as_slice()], "ar")]
    #[case::hostile_cookie("__Host-language=../../de", &[b"ar".as_slice()], "ar")]
    #[case::cookie_of_another_host("language=de", &[], "en")]
    #[case::binary("", &[b"\xff\xfe".as_slice(), b"de"], "de")]
    fn choice_wins_over_browser(#[case] cookie: &str, #[case] accepted: &[&[u8]], #[case] expected: &str) {
        assert_eq!(page_language(&headers(cookie, accepted)), expected);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn hostile_header_gets_a_language(accepted in "[ -~\\x80-\\u{ff}]{0,200}") {
            let tag = page_language(&headers("", &[accepted.as_bytes()]));
            prop_assert!(Texts::load().unwrap().each().any(|translator| translator.tag() == tag), "{}", tag);
        }
    }
}
