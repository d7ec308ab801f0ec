//! Renders pages of the console for snapshots.

use askama::Template;
use membermail_core::community::Community;
use membermail_core::language::Language;
use membermail_texts::{Part, Texts, parts};

use super::{Console, Section};
use crate::layout::Site;
use crate::public_url::PublicUrl;

/// What the pages are rendered with.
pub(crate) struct Rendering {
    community: Community,
    texts: Texts,
    public_url: PublicUrl,
}

impl Rendering {
    /// With these texts, and those of all pages of the console.
    pub(crate) fn with(more: &[Part]) -> Self {
        let configured = "https://mail.example.org/live".parse().unwrap();
        let all: Vec<_> = std::iter::once(parts::ADMIN).chain(more.iter().copied()).collect();
        Self {
            community: membermail_communities::community("ubuntu").unwrap(),
            texts: Texts::with_parts(&all).unwrap(),
            public_url: PublicUrl::for_request(Some(&configured), &Default::default()).unwrap(),
        }
    }

    pub(crate) fn site(&self, language: &str) -> Site<'_> {
        let site = Site::new(&self.public_url, &self.community, &self.texts, &Default::default());
        let site = site.in_language(Some(&Language::parse(language).unwrap()));
        Site { csrf_token: Some("token".to_owned()), ..site }
    }
}

/// The frame of a page of ubuntu.com.
pub(crate) fn console<'a>(site: &Site<'a>, section: Section) -> Console<'a> {
    Console::new(site.clone(), &"ubuntu.com".parse().unwrap(), section)
}

/// The content of a page, without the layout and the navigation.
pub(crate) fn main_of(page: &impl Template) -> String {
    let page = page.render().unwrap();
    let main = page.split_once("</nav>").unwrap().1.split_once("</main>").unwrap().0;
    let lines = main.lines().filter(|line| !line.trim().is_empty());
    lines.fold(String::new(), |text, line| text + line + "\n")
}
