//! The pages with everything that is stored about a member, and for its erasure.

use std::collections::BTreeSet;

use askama::Template;
use membermail_core::address::Address;
use membermail_store::{EraseReceipt, Export};
use membermail_texts::Texts;

use crate::layout::Site;

/// Everything that is stored about a member.
#[derive(Template)]
#[template(path = "export.html")]
pub struct ExportPage<'a> {
    /// The layout.
    pub site: Site<'a>,
    /// What a reader looks for first.
    pub sections: Vec<Section>,
    /// All of it, as in the file.
    pub json: String,
}

/// A part of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What it lists.
    pub heading: String,
    /// The list.
    pub items: Vec<String>,
}

impl<'a> ExportPage<'a> {
    /// Shows an export; `json` is its file.
    pub fn new(site: Site<'a>, export: &Export, json: String) -> Self {
        let wording = site.wording;
        let members = || export.members.iter();
        let sign_in = members().filter_map(|member| Some(member.sign_in_address.as_ref()?.expose().to_owned()));
        let addresses = members().flat_map(|member| &member.addresses).map(|known| known.address.to_string());
        let mailboxes =
            members().flat_map(|member| &member.destinations).map(|known| known.address.expose().to_owned());
        let sessions = members()
            .flat_map(|member| &member.sessions)
            .map(|session| wording.text_with("session-created", &[("moment", wording.moment(session.created).into())]));
        let sections = [
            ("sign-in", sign_in.collect::<BTreeSet<_>>()),
            ("addresses", addresses.collect()),
            ("mailboxes", mailboxes.collect()),
            ("sessions", sessions.collect()),
        ];
        let sections = sections.into_iter().filter(|(_, items)| !items.is_empty());
        let sections = sections
            .map(|(part, items)| Section { heading: wording.part("export", part), items: items.into_iter().collect() });
        Self { sections: sections.collect(), site, json }
    }
}

/// The page that asks for a word before it erases everything.
#[derive(Template)]
#[template(path = "erase.html")]
pub struct Erase<'a> {
    /// The layout.
    pub site: Site<'a>,
}

impl Erase<'_> {
    fn instruction(&self) -> String {
        let word = self.site.wording.part("erase", "word");
        self.site.wording.part_with("erase", "type", &[("word", word.into())])
    }
}

/// Whether a member typed the word of the page, in any language: they may have changed it meanwhile.
pub fn is_erase_word(texts: &Texts, typed: &str) -> bool {
    let typed = typed.trim().to_uppercase();
    texts.each().any(|translator| translator.attribute("erase", "word", &[]) == typed)
}

/// The receipt of an erasure.
#[derive(Template)]
#[template(path = "erased.html")]
pub struct Erased<'a> {
    /// The layout.
    pub site: Site<'a>,
    /// What was erased.
    pub receipt: &'a EraseReceipt,
}

impl Erased<'_> {
    fn text(&self) -> String {
        let moment = self.site.wording.moment(self.receipt.at);
        self.site.wording.part_with("erased", "text", &[("moment", moment.into())])
    }

    fn reserved(&self) -> impl Iterator<Item = &Address> {
        self.receipt.reserved.iter()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("ERASE", true)]
    #[case(" erase ", true)]
    #[case("löschen", true)]
    #[case("امسح", true)]
    #[case("", false)]
    #[case("yes", false)]
    #[case("ERASE ERASE", false)]
    fn word_is_known_in_each_language(#[case] typed: &str, #[case] expected: bool) {
        assert_eq!(is_erase_word(&Texts::load().unwrap(), typed), expected);
    }
}
