//! Formats texts in one language.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use jiff::Timestamp;
use unic_langid::LanguageIdentifier;

/// The marks around a variable in right-to-left text: first strong isolate, pop directional isolate.
const ISOLATION_MARKS: [char; 2] = ['\u{2068}', '\u{2069}'];
/// Stands for a variable while a text is split at it: U+FFFC, the object replacement character.
const PLACEHOLDER: &str = "\u{fffc}";

/// The texts of one language.
pub(crate) struct Translation {
    pub(crate) tag: LanguageIdentifier,
    pub(crate) bundle: FluentBundle<FluentResource>,
}

/// Formats texts in one language.
#[derive(Clone, Copy)]
pub struct Translator<'a> {
    own: &'a Translation,
    english: &'a Translation,
}

/// The variables of a text.
pub type Args<'a> = &'a [(&'static str, FluentValue<'a>)];

impl Translation {
    pub(crate) fn format(&self, id: &str, attribute: Option<&str>, args: Option<&FluentArgs<'_>>) -> Option<String> {
        let message = self.bundle.get_message(id)?;
        let pattern = match attribute {
            Some(attribute) => message.get_attribute(attribute)?.value(),
            None => message.value()?,
        };
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, args, &mut errors).into_owned();
        errors.is_empty().then_some(text)
    }
}

impl<'a> Translator<'a> {
    pub(crate) fn new(own: &'a Translation, english: &'a Translation) -> Self {
        Self { own, english }
    }

    /// The language tag (BCP 47).
    pub fn tag(self) -> String {
        self.own.tag.to_string()
    }

    /// The language's name in itself, such as "Deutsch".
    pub fn name(self) -> String {
        self.text("language", &[])
    }

    /// `ltr` or `rtl`.
    pub fn direction(self) -> String {
        self.text("direction", &[])
    }

    /// The value of a Fluent message.
    pub fn text(self, id: &str, args: Args<'_>) -> String {
        self.format(id, None, args)
    }

    /// An attribute of a Fluent message.
    pub fn attribute(self, id: &str, attribute: &str, args: Args<'_>) -> String {
        self.format(id, Some(attribute), args)
    }

    /// An attribute, split into paragraphs at its blank lines.
    pub fn paragraphs(self, id: &str, attribute: &str, args: Args<'_>) -> Vec<String> {
        self.attribute(id, attribute, args).split("\n\n").map(|text| text.replace('\n', " ")).collect()
    }

    /// The text before and after a variable, for which a page has a link.
    pub fn around(self, id: &str, variable: &'static str, args: Args<'_>) -> (String, String) {
        let mut args = args.to_vec();
        args.push((variable, PLACEHOLDER.into()));
        let text = self.text(id, &args);
        let (before, after) = text.split_once(PLACEHOLDER).unwrap_or((&text, ""));
        (before.to_owned(), after.to_owned())
    }

    /// A number with the language's thousands separator.
    pub fn number(self, number: u64) -> String {
        let digits = number.to_string();
        let separator = self.text("thousands", &[]);
        let mut grouped = String::new();
        for (position, digit) in digits.chars().enumerate() {
            if position > 0 && (digits.len() - position).is_multiple_of(3) {
                grouped.push_str(&separator);
            }
            grouped.push(digit);
        }
        grouped
    }

    /// A date in UTC, written out.
    pub fn date(self, at: Timestamp) -> String {
        let [day, month, year] = ["%-d", "%-m", "%Y"].map(|format| at.strftime(format).to_string());
        // Day and year as strings, so that Fluent adds no thousands separator to the year.
        let args = [
            ("day", FluentValue::from(day)),
            ("month", FluentValue::try_number(&month)),
            ("year", FluentValue::from(year)),
        ];
        // The surrounding text isolates the date as a whole; marks around its parts would change its direction.
        self.text("date", &args).replace(ISOLATION_MARKS, "")
    }

    fn format(self, id: &str, attribute: Option<&str>, args: Args<'_>) -> String {
        let args: FluentArgs<'_> = args.iter().cloned().collect();
        let translated = self.own.format(id, attribute, Some(&args));
        let text = translated.or_else(|| self.english.format(id, attribute, Some(&args)));
        debug_assert!(text.is_some(), "no text {id} {attribute:?} with these variables");
        // A test that formats the text fails above, so no reader sees the id.
        text.unwrap_or_else(|| id.to_owned())
    }
}
