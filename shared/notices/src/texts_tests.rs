use std::collections::BTreeSet;

use fluent_syntax::ast::Entry;
use rstest::rstest;

use super::*;

#[rstest]
#[case(None, "en")]
#[case(Some("ar"), "ar")]
#[case(Some("ar_EG"), "ar")]
#[case(Some("EN-gb"), "en")]
#[case(Some("de"), "en")]
fn everybody_reads_the_language_that_fits_best(#[case] wanted: Option<&str>, #[case] spoken: &str) {
    let texts = Texts::load().unwrap();
    let wanted = wanted.map(|tag| Language::parse(tag).unwrap());
    assert_eq!(texts.speaker(wanted.as_ref()).tag(), spoken);
}

#[test]
fn every_language_has_every_text() {
    let ids = |text: &str| -> BTreeSet<String> {
        let resource = FluentResource::try_new(text.to_owned()).unwrap();
        let messages = resource.entries().filter_map(|entry| match entry {
            Entry::Message(message) => Some(message),
            _ => None,
        });
        messages
            .flat_map(|message| {
                let id = message.id.name.to_owned();
                let parts = message.attributes.iter().map(|part| format!("{id}.{}", part.id.name)).collect::<Vec<_>>();
                parts.into_iter().chain(message.value.is_some().then_some(id))
            })
            .collect()
    };
    let english = ids(LANGUAGES.iter().find(|(tag, _)| *tag == ENGLISH).unwrap().1);
    for (tag, text) in LANGUAGES {
        assert_eq!(ids(text), english, "{tag}");
    }
}

#[test]
fn days_are_written_out() {
    let texts = Texts::load().unwrap();
    let day = "2026-12-08T23:30:00Z".parse().unwrap();
    assert_eq!(texts.speaker(None).day(day), "8 December 2026");
    let arabic = Language::parse("ar").unwrap();
    assert_eq!(texts.speaker(Some(&arabic)).day(day), "8 ديسمبر 2026");
}

#[rstest]
#[case(0, "0")]
#[case(999, "999")]
#[case(1_000, "1,000")]
#[case(399_901, "399,901")]
#[case(1_234_567, "1,234,567")]
fn thousands_are_parted(#[case] number: u64, #[case] expected: &str) {
    assert_eq!(Texts::load().unwrap().speaker(None).number(number), expected);
}
