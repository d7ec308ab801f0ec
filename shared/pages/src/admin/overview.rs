//! The list of an admin's domains.

use askama::Template;
use membermail_core::address::DomainName;
use membermail_core::admin::{Permission, Permissions};

use crate::layout::Site;
use crate::wording::Wording;

/// The page.
#[derive(Template)]
#[template(path = "admin/overview.html")]
pub struct Overview<'a> {
    /// The layout.
    pub site: Site<'a>,
    /// The domains, sorted by name.
    pub rows: Vec<DomainRow>,
}

/// A domain.
pub struct DomainRow {
    /// The domain.
    pub domain: String,
    /// What the admin may do there, in words.
    pub permissions: String,
}

impl DomainRow {
    /// Describes a domain.
    pub fn new(domain: &DomainName, permissions: Permissions, wording: Wording<'_>) -> Self {
        Self { domain: domain.to_string(), permissions: permissions_in_words(permissions, wording) }
    }
}

/// Permissions as a list in words.
pub fn permissions_in_words(permissions: Permissions, wording: Wording<'_>) -> String {
    let names = permissions.iter().map(|permission: Permission| wording.part("admin-permissions", permission.as_ref()));
    names.collect::<Vec<_>>().join(&wording.text("admin-list-separator"))
}
