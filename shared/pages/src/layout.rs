//! The layout of every page, and a plain message page.

use askama::Template;
use lambda_http::http::HeaderMap;
use membermail_core::community::Community;
use membermail_core::language::Language;
use membermail_identity::{csrf, session};
use membermail_texts::{Args, Texts, Translator};

use crate::language;
use crate::public_url::PublicUrl;
use crate::wording::{Around, Wording};

/// The data of the layout.
#[derive(Clone)]
pub struct Site<'a> {
    /// Path prefix of all links.
    pub base: &'a str,
    /// URL of the help page.
    pub help: &'a str,
    /// All languages of the site.
    pub texts: &'a Texts,
    /// The texts in the language of the page.
    pub wording: Wording<'a>,
    /// Path and query of the page to which a choice of the language returns; `next_path` allows it.
    pub path: String,
    /// The CSRF token of the forms; none without a session. Outside of the account page, the session may have ended: then the
    /// forms change nothing and lead to the start page.
    pub csrf_token: Option<String>,
}

impl<'a> Site<'a> {
    /// The layout for a browser, in its language.
    pub fn new(public_url: &'a PublicUrl, community: &'a Community, texts: &'a Texts, headers: &HeaderMap) -> Self {
        let https = public_url.is_https();
        Self {
            base: public_url.base(),
            help: community.help.as_str(),
            texts,
            wording: Wording::new(texts.translator(&language::requested(headers, https)), community),
            path: "/".to_owned(),
            csrf_token: session::read_cookie(headers, https).map(|session| csrf::token(&session)),
        }
    }

    /// The layout of a page that is the same for all visitors: no session, and the language of the link or of the browser.
    pub fn public(
        public_url: &'a PublicUrl,
        community: &'a Community,
        texts: &'a Texts,
        headers: &HeaderMap,
        chosen: Option<&Language>,
    ) -> Self {
        let accepted = language::accepted(headers);
        Self {
            base: public_url.base(),
            help: community.help.as_str(),
            texts,
            wording: Wording::new(texts.translator(chosen.into_iter().chain(&accepted)), community),
            path: "/".to_owned(),
            csrf_token: None,
        }
    }

    /// The layout in the language that a member chose, if they did.
    pub fn in_language(self, chosen: Option<&Language>) -> Self {
        let Some(chosen) = chosen else { return self };
        Self { wording: self.wording.translated_by(self.texts.translator([chosen])), ..self }
    }

    pub(crate) fn text(&self, id: &str) -> String {
        self.wording.text(id)
    }

    pub(crate) fn around(&self, id: &str, variable: &'static str) -> Around {
        self.wording.around(id, variable)
    }

    /// The languages to choose from.
    pub(crate) fn languages(&self) -> impl Iterator<Item = Translator<'a>> {
        self.texts.each()
    }

    pub(crate) fn is_current(&self, language: &Translator<'_>) -> bool {
        language.tag() == self.wording.tag()
    }
}

/// The button that leads to the next step.
#[derive(Clone, Copy, Debug)]
pub struct Next<'a> {
    /// Path below the base; starts with a slash.
    pub path: &'a str,
    /// Id of the button's text.
    pub label: &'a str,
}

impl Next<'static> {
    /// Signs in again.
    pub const SIGN_IN: Self = Self { path: "/sign-in", label: "sign-in-again" };
    /// The start page.
    pub const START: Self = Self { path: "/", label: "go-to-start" };
    /// The member's addresses.
    pub const ADDRESSES: Self = Self { path: "/", label: "go-to-addresses" };
    /// The start page, after a failure.
    pub const TRY_AGAIN: Self = Self { path: "/", label: "try-again" };
}

/// A page with a message and one button.
#[derive(Template)]
#[template(path = "message.html")]
pub struct Message<'a> {
    /// The layout.
    pub site: Site<'a>,
    /// What happened.
    pub heading: String,
    /// What it means, and what to do next.
    pub text: String,
    /// The next step.
    pub next: Next<'a>,
}

impl<'a> Message<'a> {
    /// The page with the parts `heading` and `text` of a Fluent message.
    pub fn new(site: Site<'a>, id: &str, next: Next<'a>) -> Self {
        Self::with(site, id, &[], next)
    }

    /// The same, with variables.
    pub fn with(site: Site<'a>, id: &str, args: Args<'_>, next: Next<'a>) -> Self {
        let [heading, text] = ["heading", "text"].map(|part| site.wording.part_with(id, part, args));
        Self { site, heading, text, next }
    }
}
