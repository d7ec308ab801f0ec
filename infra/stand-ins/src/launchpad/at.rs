//! Where the web service is, as links in its answers have it.

use axum::http::HeaderMap;

use crate::root;

/// The versions of the web service that there are.
const VERSIONS: [&str; 3] = ["1.0", "beta", "devel"];

/// A version of the web service at the address that a request came to.
pub(super) struct At {
    /// Ends in a slash.
    base: String,
    version: &'static str,
}

impl At {
    pub(super) fn of(headers: &HeaderMap, version: &str) -> Option<Self> {
        let version = VERSIONS.into_iter().find(|known| *known == version)?;
        Some(Self { base: format!("{}/{version}/", root(headers)), version })
    }

    /// The root of the web service, with a slash at its end.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// The version's name.
    pub(super) fn version(&self) -> &'static str {
        self.version
    }

    /// Whether it has what later versions have.
    pub(super) fn is_devel(&self) -> bool {
        self.version == "devel"
    }

    /// The address of a person or team.
    pub(super) fn entry(&self, name: &str) -> String {
        format!("{}~{name}", self.base)
    }

    /// The address of a type in the description of the web service.
    pub(super) fn kind(&self, kind: &str) -> String {
        format!("{}#{kind}", self.base)
    }

    /// The address of something that is not read here.
    pub(super) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}
