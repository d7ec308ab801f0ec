//! The address of the web service, as links in its answers have it.

use axum::http::HeaderMap;

use crate::root;

/// The versions of the web service. launchpad.md, 6: `1.0` is still served; `devel` may change without warning.
const VERSIONS: [&str; 3] = ["1.0", "beta", "devel"];

/// A version of the web service at the address that a request came to.
pub(super) struct At {
    /// Without a slash at its end.
    own_root: String,
    /// Ends in a slash.
    base: String,
    version: &'static str,
}

impl At {
    pub(super) fn of(headers: &HeaderMap, version: &str) -> Option<Self> {
        let version = VERSIONS.into_iter().find(|known| *known == version)?;
        let own_root = root(headers);
        Some(Self { base: format!("{own_root}/{version}/"), own_root, version })
    }

    /// The root of the fake itself, without a slash at its end.
    pub(super) fn own_root(&self) -> &str {
        &self.own_root
    }

    /// The root of the web service, with a slash at its end.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// The version's name.
    pub(super) fn version(&self) -> &'static str {
        self.version
    }

    /// launchpad.md, 1 and 4: account states and the question for an identifier are in `devel` only.
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

    /// The address of any other path.
    pub(super) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}
