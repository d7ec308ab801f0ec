//! The pages of the admin console.

pub mod overview;

use membermail_core::address::DomainName;
use strum::{EnumIter, IntoEnumIterator as _, IntoStaticStr};

use crate::layout::Site;

/// The pages of a domain, in the order of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Section {
    /// Verification, DNS, the last sync.
    Domain,
}

impl Section {
    /// The path below the domain: empty, or with a slash at the start.
    pub fn path(self) -> String {
        match self {
            Self::Domain => String::new(),
        }
    }
}

/// The frame of all pages of a domain.
pub struct Console<'a> {
    /// The layout.
    pub site: Site<'a>,
    /// The domain.
    pub domain: String,
    section: Section,
}

/// A link of the navigation.
pub struct SectionLink {
    /// Path below the base.
    pub path: String,
    /// The name of the page.
    pub label: String,
    /// Whether this page is shown.
    pub is_current: bool,
}

impl<'a> Console<'a> {
    /// The frame of a page.
    pub fn new(site: Site<'a>, domain: &DomainName, section: Section) -> Self {
        Self { site, domain: domain.to_string(), section }
    }

    /// The path of a page of this domain below the base; `path` is empty or starts with a slash.
    pub fn path(&self, path: &str) -> String {
        format!("/admin/domains/{}{path}", self.domain)
    }

    /// The links to all pages of the domain.
    pub fn sections(&self) -> Vec<SectionLink> {
        let link = |section: Section| SectionLink {
            path: self.path(&section.path()),
            label: self.site.wording.part("admin-sections", section.into()),
            is_current: section == self.section,
        };
        Section::iter().map(link).collect()
    }
}
