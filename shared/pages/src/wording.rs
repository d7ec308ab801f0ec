//! The translated texts of a page.

use jiff::Timestamp;
use membermail_core::community::Community;
use membermail_texts::{Args, FluentValue, Translator};

/// Formats the texts of a page. Every text may use the variables `community`, `provider` and `source` (of members).
#[derive(Clone, Copy)]
pub struct Wording<'a> {
    translator: Translator<'a>,
    community: &'a str,
    provider: &'a str,
    source: &'a str,
}

/// The text around a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Around {
    /// Before the link.
    pub before: String,
    /// After the link.
    pub after: String,
}

impl<'a> Wording<'a> {
    /// The texts of a translator, about a community.
    pub fn new(translator: Translator<'a>, community: &'a Community) -> Self {
        let provider = community.sign_in.title();
        Self { translator, community: &community.title, provider, source: community.members.title() }
    }

    /// The same texts in another language.
    pub fn translated_by(self, translator: Translator<'a>) -> Self {
        Self { translator, ..self }
    }

    /// The language tag, for `lang`.
    pub fn tag(&self) -> String {
        self.translator.tag()
    }

    /// `ltr` or `rtl`, for `dir`.
    pub fn direction(&self) -> String {
        self.translator.direction()
    }

    /// A text without own variables.
    pub fn text(&self, id: &str) -> String {
        self.text_with(id, &[])
    }

    /// A text with own variables.
    pub fn text_with(&self, id: &str, args: Args<'_>) -> String {
        self.translator.text(id, &self.with_names(args))
    }

    /// An attribute of a message without own variables.
    pub fn part(&self, id: &str, attribute: &str) -> String {
        self.part_with(id, attribute, &[])
    }

    /// An attribute of a message with own variables.
    pub fn part_with(&self, id: &str, attribute: &str, args: Args<'_>) -> String {
        self.translator.attribute(id, attribute, &self.with_names(args))
    }

    /// The text around the link that stands for the variable.
    pub fn around(&self, id: &str, variable: &'static str) -> Around {
        let (before, after) = self.translator.around(id, variable, &self.with_names(&[]));
        Around { before, after }
    }

    /// A number with separated thousands.
    pub fn number(&self, number: u64) -> String {
        self.translator.number(number)
    }

    /// A date in UTC, written out.
    pub fn date(&self, at: Timestamp) -> String {
        self.translator.date(at)
    }

    /// A date and a time in UTC, written out.
    pub fn moment(&self, at: Timestamp) -> String {
        let time = at.strftime("%H:%M").to_string();
        self.text_with("moment", &[("date", self.date(at).into()), ("time", time.into())])
    }

    fn with_names<'b>(&'b self, args: Args<'b>) -> Vec<(&'static str, FluentValue<'b>)> {
        let mut all = args.to_vec();
        all.extend([
            ("community", self.community.into()),
            ("provider", self.provider.into()),
            ("source", self.source.into()),
        ]);
        all
    }
}
