//! The content of a mail, rendered as plain text and as HTML.

use askama::Template;
use membermail_texts::{Args, Translator};

use crate::Site;

/// The translated texts of a mail.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    pub(crate) subject: String,
    pub(crate) heading: String,
    pub(crate) greeting: Option<String>,
    pub(crate) paragraphs: Vec<String>,
    pub(crate) rows: Vec<Labeled>,
    pub(crate) commands: Vec<Labeled>,
    /// Paragraphs after the rows and commands.
    pub(crate) after: Vec<String>,
    pub(crate) button: Option<Labeled>,
    pub(crate) footer: Vec<String>,
}

/// A value with its label: a table row, a command or a link.
#[derive(Clone, Debug)]
pub(crate) struct Labeled {
    pub(crate) label: String,
    pub(crate) value: String,
}

impl Labeled {
    pub(crate) fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into() }
    }
}

#[derive(Template)]
#[template(path = "mail.txt")]
struct Plain<'a> {
    content: &'a Content,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Html<'a> {
    lang: String,
    dir: String,
    service: String,
    content: &'a Content,
}

impl Content {
    /// The subject, heading and body of a notice.
    pub(crate) fn new(id: &str, args: Args<'_>, translator: Translator<'_>) -> Self {
        Self {
            subject: translator.attribute(id, "subject", args),
            heading: translator.attribute(id, "heading", args),
            paragraphs: translator.paragraphs(id, "body", args),
            ..Self::default()
        }
    }

    /// Renders the plain text part.
    pub(crate) fn text(&self) -> Result<String, askama::Error> {
        Plain { content: self }.render()
    }

    /// Renders the HTML part.
    pub(crate) fn html(&self, translator: Translator<'_>, site: &Site) -> Result<String, askama::Error> {
        let lang = translator.tag();
        let dir = translator.text("direction", &[]);
        let service = translator.text("service", &[("community", site.community.as_str().into())]);
        Html { lang, dir, service, content: self }.render()
    }
}
