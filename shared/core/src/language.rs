//! A person's preferred language.

use crate::newtype::checked_string;

checked_string! {
    /// A language tag (RFC 5646, 2.1) as far as choosing a translation needs it: a language of two or three letters and
    /// subtags, in lower case. Providers write `pt_BR` as well as `pt-BR`.
    Language, LanguageError, |text| {
        let tag = text.trim().to_ascii_lowercase().replace('_', "-");
        let mut subtags = tag.split('-');
        let language = subtags.next().is_some_and(|first| {
            (2..=3).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_lowercase())
        });
        let others = subtags.all(|subtag| (1..=8).contains(&subtag.len()) && subtag.bytes().all(|b| b.is_ascii_alphanumeric()));
        if language && others && tag.len() <= 35 { Ok(tag) } else { Err(LanguageError) }
    }
}

/// The text is not a language tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a language tag, such as en or pt-BR")]
pub struct LanguageError;

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("en", Some("en"))]
    #[case("AR", Some("ar"))]
    #[case("pt_BR", Some("pt-br"))]
    #[case("zh-Hant-TW", Some("zh-hant-tw"))]
    #[case("", None)]
    #[case("english", None)]
    #[case("en-", None)]
    #[case("e1", None)]
    #[case("en\r\nBcc: x", None)]
    fn tags(#[case] text: &str, #[case] tag: Option<&str>) {
        assert_eq!(Language::parse(text).ok().as_ref().map(Language::as_str), tag);
    }
}
