//! What a mail shows, and the two forms that it comes in.

use askama::Template;

use crate::Site;
use crate::texts::Speaker;

/// A mail in words, of one language.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    pub(crate) subject: String,
    pub(crate) heading: String,
    pub(crate) greeting: Option<String>,
    pub(crate) paragraphs: Vec<String>,
    pub(crate) rows: Vec<Pair>,
    pub(crate) commands: Vec<Pair>,
    /// Paragraphs behind rows and commands.
    pub(crate) after: Vec<String>,
    pub(crate) button: Option<Pair>,
    pub(crate) footer: Vec<String>,
}

/// A label and what it is the label of.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) label: String,
    pub(crate) value: String,
}

impl Pair {
    pub(crate) fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into() }
    }
}

#[derive(Template)]
#[template(path = "mail.txt")]
struct Plain<'a> {
    greeting: &'a Option<String>,
    paragraphs: &'a [String],
    rows: &'a [Pair],
    commands: &'a [Pair],
    after: &'a [String],
    button: &'a Option<Pair>,
    footer: &'a [String],
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Html<'a> {
    lang: String,
    dir: String,
    service: String,
    subject: &'a str,
    heading: &'a str,
    greeting: &'a Option<String>,
    paragraphs: &'a [String],
    rows: &'a [Pair],
    commands: &'a [Pair],
    after: &'a [String],
    button: &'a Option<Pair>,
    footer: &'a [String],
}

impl Content {
    /// As text alone.
    pub(crate) fn text(&self) -> Result<String, askama::Error> {
        let Self { subject: _, heading: _, greeting, paragraphs, rows, commands, after, button, footer } = self;
        Plain { greeting, paragraphs, rows, commands, after, button, footer }.render()
    }

    /// As HTML.
    pub(crate) fn html(&self, speaker: Speaker<'_>, site: &Site) -> Result<String, askama::Error> {
        let Self { subject, heading, greeting, paragraphs, rows, commands, after, button, footer } = self;
        let (lang, dir) = (speaker.tag(), speaker.say("direction", &[]));
        let service = speaker.say("service", &[("community", site.community.as_str().into())]);
        let page =
            Html { lang, dir, service, subject, heading, greeting, paragraphs, rows, commands, after, button, footer };
        page.render()
    }
}
