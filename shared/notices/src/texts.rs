//! Texts by language. What a language does not have yet is said in English.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use fluent_langneg::{NegotiationStrategy, negotiate_languages};
use jiff::Timestamp;
use membermail_core::language::Language;
use unic_langid::LanguageIdentifier;

/// Tags and texts; written by the build script.
const LANGUAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/languages.rs"));
/// Stands in for every other.
const ENGLISH: &str = "en";

/// All languages of this build.
pub struct Texts {
    spoken: Vec<Spoken>,
    english: usize,
}

struct Spoken {
    tag: LanguageIdentifier,
    bundle: FluentBundle<FluentResource>,
}

/// Says things in one language.
#[derive(Clone, Copy)]
pub(crate) struct Speaker<'a> {
    own: &'a Spoken,
    english: &'a Spoken,
}

/// A value within a text.
pub(crate) type Args<'a> = &'a [(&'static str, FluentValue<'a>)];

impl Texts {
    /// Reads the languages of this build.
    pub fn load() -> Result<Self, TextsError> {
        let spoken = LANGUAGES.iter().map(|(tag, text)| read(tag, text)).collect::<Result<Vec<_>, _>>()?;
        let english = spoken.iter().position(|one| one.tag == ENGLISH);
        Ok(Self { english: english.ok_or_else(|| TextsError(ENGLISH.into(), "it is missing".into()))?, spoken })
    }

    /// The speaker of the language that fits best, or of English.
    pub(crate) fn speaker(&self, wanted: Option<&Language>) -> Speaker<'_> {
        let english = &self.spoken[self.english];
        let wanted: Option<LanguageIdentifier> = wanted.and_then(|language| language.as_str().parse().ok());
        let available: Vec<_> = self.spoken.iter().map(|one| &one.tag).collect();
        let wanted: Vec<_> = wanted.into_iter().collect();
        let found = negotiate_languages(&wanted, &available, None, NegotiationStrategy::Lookup);
        let own = found.first().and_then(|tag| self.spoken.iter().find(|one| one.tag == ***tag));
        Speaker { own: own.unwrap_or(english), english }
    }
}

fn read(tag: &str, text: &str) -> Result<Spoken, TextsError> {
    let wrong = |what: String| TextsError(tag.to_owned(), what);
    let id: LanguageIdentifier = tag.parse().map_err(|_| wrong("its name is no language tag".into()))?;
    let resource = FluentResource::try_new(text.to_owned())
        .map_err(|(_, faults)| wrong(faults.first().map(ToString::to_string).unwrap_or_default()))?;
    let mut bundle = FluentBundle::new_concurrent(vec![id.clone()]);
    bundle.add_resource(resource).map_err(|faults| wrong(format!("{faults:?}")))?;
    let mut spoken = Spoken { tag: id, bundle };
    // Marks that keep an address whole within text of the other direction; among letters of its own they only disturb.
    let rtl = spoken.say("direction", None, None).is_some_and(|direction| direction == "rtl");
    spoken.bundle.set_use_isolating(rtl);
    Ok(spoken)
}

impl Spoken {
    fn say(&self, id: &str, attribute: Option<&str>, args: Option<&FluentArgs<'_>>) -> Option<String> {
        let message = self.bundle.get_message(id)?;
        let pattern = match attribute {
            Some(attribute) => message.get_attribute(attribute)?.value(),
            None => message.value()?,
        };
        let mut faults = Vec::new();
        let text = self.bundle.format_pattern(pattern, args, &mut faults).into_owned();
        faults.is_empty().then_some(text)
    }
}

impl Speaker<'_> {
    /// The tag of the language.
    pub(crate) fn tag(self) -> String {
        self.own.tag.to_string()
    }

    /// A text.
    pub(crate) fn say(self, id: &str, args: Args<'_>) -> String {
        self.speak(id, None, args)
    }

    /// A part of a text of several.
    pub(crate) fn part(self, id: &str, part: &str, args: Args<'_>) -> String {
        self.speak(id, Some(part), args)
    }

    /// A text whose blank lines part it into paragraphs.
    pub(crate) fn paragraphs(self, id: &str, part: &str, args: Args<'_>) -> Vec<String> {
        self.part(id, part, args).split("\n\n").map(|text| text.replace('\n', " ")).collect()
    }

    /// A number, with its thousands parted as the language parts them.
    pub(crate) fn number(self, number: u64) -> String {
        let (digits, mark) = (number.to_string(), self.say("thousands", &[]));
        let mut parted = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                parted.push_str(&mark);
            }
            parted.push(digit);
        }
        parted
    }

    /// A day, in UTC.
    pub(crate) fn day(self, at: Timestamp) -> String {
        let part = |format: &str| at.strftime(format).to_string();
        let month = part("%-m");
        // Day and year as text, so that no thousands are parted in a year.
        let args = [
            ("day", FluentValue::from(part("%-d"))),
            ("month", FluentValue::try_number(&month)),
            ("year", FluentValue::from(part("%Y"))),
        ];
        // Within another text it is kept whole as one; marks around its parts would hide which way it reads.
        self.say("date", &args).replace(['\u{2068}', '\u{2069}'], "")
    }

    fn speak(self, id: &str, part: Option<&str>, args: Args<'_>) -> String {
        let args: FluentArgs<'_> = args.iter().cloned().collect();
        let said = self.own.say(id, part, Some(&args)).or_else(|| self.english.say(id, part, Some(&args)));
        // A test says everything in every language, so that nobody ever reads this.
        said.unwrap_or_else(|| id.to_owned())
    }
}

/// A language file of this build is broken: for whoever builds it.
#[derive(Debug, thiserror::Error)]
#[error("languages/{0}.ftl: {1}")]
pub struct TextsError(String, String);

#[cfg(test)]
#[path = "texts_tests.rs"]
mod tests;
