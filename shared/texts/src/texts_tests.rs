use std::collections::{BTreeMap, BTreeSet};

use fluent_syntax::ast::{CallArguments, Entry, Expression, InlineExpression, Pattern, PatternElement};
use rstest::rstest;

use super::*;

fn translator_of<'a>(texts: &'a Texts, wanted: &[&str]) -> Translator<'a> {
    let wanted: Vec<_> = wanted.iter().map(|tag| Language::parse(tag).unwrap()).collect();
    texts.translator(&wanted)
}

#[rstest]
#[case(&[], "en")]
#[case(&["ar"], "ar")]
#[case(&["ar_EG"], "ar")]
#[case(&["EN-gb"], "en")]
#[case(&["de-CH"], "de")]
#[case(&["fr"], "en")]
#[case(&["und"], "en")]
#[case(&["fr", "ar", "en"], "ar")]
#[case(&["en-US", "ar"], "en")]
fn best_matching_language_is_used(#[case] wanted: &[&str], #[case] expected: &str) {
    assert_eq!(translator_of(&Texts::load().unwrap(), wanted).tag(), expected);
}

#[test]
fn languages_name_themselves() {
    let texts = Texts::load().unwrap();
    let named: Vec<_> = texts.each().map(|language| (language.tag(), language.name(), language.direction())).collect();
    let named: Vec<_> = named.iter().map(|(tag, name, direction)| [tag, name, direction].map(String::as_str)).collect();
    assert_eq!(named, [["ar", "العربية", "rtl"], ["de", "Deutsch", "ltr"], ["en", "English", "ltr"]]);
}

/// The texts of a Fluent file, each with the variables (`$name`) and messages (`name`) that it mentions.
fn texts_of(source: &str) -> BTreeMap<String, BTreeSet<String>> {
    let resource = FluentResource::try_new(source.to_owned()).unwrap();
    let mut texts = BTreeMap::new();
    for entry in resource.entries() {
        let Entry::Message(message) = entry else { continue };
        let id = message.id.name;
        let value = message.value.iter().map(|pattern| (id.to_owned(), pattern));
        let parts = message.attributes.iter().map(|part| (format!("{id}.{}", part.id.name), &part.value));
        for (name, pattern) in value.chain(parts) {
            let mut mentioned = BTreeSet::new();
            collect(pattern, &mut mentioned);
            assert!(texts.insert(name.clone(), mentioned).is_none(), "two texts {name}");
        }
    }
    texts
}

fn collect(pattern: &Pattern<&str>, mentioned: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        let PatternElement::Placeable { expression } = element else { continue };
        match expression {
            Expression::Inline(inline) => collect_inline(inline, mentioned),
            Expression::Select { selector, variants } => {
                collect_inline(selector, mentioned);
                variants.iter().for_each(|variant| collect(&variant.value, mentioned));
            }
        }
    }
}

fn collect_inline(expression: &InlineExpression<&str>, mentioned: &mut BTreeSet<String>) {
    match expression {
        InlineExpression::VariableReference { id } => drop(mentioned.insert(format!("${}", id.name))),
        InlineExpression::MessageReference { id, attribute: None } => drop(mentioned.insert(id.name.to_owned())),
        InlineExpression::FunctionReference { arguments: CallArguments { positional, .. }, .. } => {
            positional.iter().for_each(|argument| collect_inline(argument, mentioned));
        }
        InlineExpression::StringLiteral { .. } | InlineExpression::NumberLiteral { .. } => {}
        other => panic!("not understood by this test: {other:?}"),
    }
}

/// The tag of each language, and its texts of all parts.
fn sources() -> Vec<(&'static str, String)> {
    let whole = |(tag, common): &(&'static str, &str)| {
        let parts = parts::ALL.iter().map(|part| part.text(tag).unwrap_or_default());
        (*tag, std::iter::once(*common).chain(parts).collect::<Vec<_>>().join("\n"))
    };
    LANGUAGES.iter().map(whole).collect()
}

fn english() -> BTreeMap<String, BTreeSet<String>> {
    let sources = sources();
    texts_of(&sources.iter().find(|(tag, _)| *tag == ENGLISH).unwrap().1)
}

/// A text that two files define would depend on their order.
#[test]
fn parts_can_be_loaded_together() {
    assert!(Texts::with_parts(parts::ALL).is_ok());
}

#[test]
fn every_language_has_every_text() {
    let english: Vec<_> = english().into_keys().collect();
    for (tag, source) in sources() {
        assert_eq!(texts_of(&source).into_keys().collect::<Vec<_>>(), english, "{tag}");
    }
}

/// A variable that only one language mentions is a slip of the translator, or a name that the code does not pass.
#[test]
fn every_language_mentions_same_variables() {
    let english = english();
    for (tag, source) in sources() {
        for (name, mentioned) in texts_of(&source) {
            assert_eq!(mentioned, english[&name], "{name} in {tag}");
            let missing = mentioned.iter().find(|word| !word.starts_with('$') && !english.contains_key(*word));
            assert_eq!(missing, None, "{name} in {tag}");
        }
    }
}

#[rstest]
#[case("en", "8 December 2026")]
#[case("ar", "8 ديسمبر 2026")]
#[case("de", "8. Dezember 2026")]
fn dates_are_written_out(#[case] language: &str, #[case] expected: &str) {
    let date = "2026-12-08T23:30:00Z".parse().unwrap();
    assert_eq!(translator_of(&Texts::load().unwrap(), &[language]).date(date), expected);
}

#[rstest]
#[case(0, "0")]
#[case(999, "999")]
#[case(1_000, "1,000")]
#[case(399_901, "399,901")]
#[case(1_234_567, "1,234,567")]
fn thousands_are_separated(#[case] number: u64, #[case] expected: &str) {
    assert_eq!(translator_of(&Texts::load().unwrap(), &[]).number(number), expected);
}

/// The isolation marks of right-to-left text stay around the link.
#[test]
fn text_is_split_at_its_link() {
    let texts = Texts::load().unwrap();
    let around = |language| translator_of(&texts, &[language]).around("help", "link", &[]);
    assert_eq!(around("en"), ("Questions? ".to_owned(), ".".to_owned()));
    let (before, after) = around("ar");
    assert!(before.ends_with('\u{2068}') && after.starts_with('\u{2069}'), "{before:?} {after:?}");
}

#[test]
fn texts_name_no_community() {
    for (tag, source) in sources() {
        for name in ["Launchpad", "Ubuntu", "GitLab"] {
            assert!(!source.contains(name), "{tag} names {name}: use a variable");
        }
    }
}
