//! The pages of the admin console.

pub mod addresses;
pub mod admins;
pub mod audit;
pub mod domain;
pub mod failing;
pub mod member_history;
pub mod members;
pub mod overview;
pub mod plans;
#[cfg(test)]
mod rendering;
pub mod reserved;

use membermail_core::address::DomainName;
use membermail_core::alias::{Reason, Status};
use strum::{EnumIter, IntoEnumIterator as _, IntoStaticStr};

use crate::layout::Site;
use crate::wording::Wording;

/// The pages of a domain, in the order of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Section {
    /// Verification, DNS, the last sync.
    Domain,
    /// Its addresses.
    Addresses,
    /// Its members.
    Members,
    /// Syncs and their plans.
    Plans,
    /// The audit log.
    Audit,
    /// The admins.
    Admins,
    /// Names that no member gets.
    Reserved,
}

impl Section {
    /// The path below the domain: empty, or with a slash at the start.
    pub fn path(self) -> String {
        match self {
            Self::Domain => String::new(),
            Self::Addresses => "/addresses".to_owned(),
            Self::Members => "/members".to_owned(),
            Self::Plans => plans::PLANS.to_owned(),
            Self::Audit => "/audit".to_owned(),
            Self::Admins => "/admins".to_owned(),
            Self::Reserved => "/reserved".to_owned(),
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

/// The reason of an alias' status, as a sentence about the member.
pub fn reason_in_words(reason: Reason, wording: Wording<'_>) -> String {
    wording.part("admin-reasons", &reason.to_string())
}

/// The status of an alias; `None` stands for one that does not exist yet.
pub fn status_in_words(status: Option<Status>, wording: Wording<'_>) -> String {
    wording.part("admin-statuses", status.map_or("new", Into::into))
}

#[cfg(test)]
mod tests {
    use membermail_texts::{Texts, parts};

    use super::*;

    #[test]
    fn reasons_and_statuses_have_words() {
        let community = membermail_communities::community("ubuntu").unwrap();
        let texts = Texts::with_parts(&[parts::ADMIN]).unwrap();
        for translator in texts.each() {
            let wording = Wording::new(translator, &community);
            assert!(Reason::iter().all(|reason| !reason_in_words(reason, wording).is_empty()));
            let statuses = [Status::Active, Status::Leaving, Status::Suspended, Status::Retired].map(Some);
            assert!(statuses.into_iter().chain([None]).all(|status| !status_in_words(status, wording).is_empty()));
        }
    }
}
