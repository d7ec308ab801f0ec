//! URLs of the web service, for links in its responses.

use axum::http::HeaderMap;

use crate::root;

/// The versions of the web service. launchpad.md, 6: `1.0` is still served; `devel` may change without warning.
const VERSIONS: [&str; 3] = ["1.0", "beta", "devel"];

/// The root URL of a version of the web service, at the host of a request.
pub(super) struct ApiRoot {
    /// Root of the fake, without a trailing slash.
    own_root: String,
    /// Root of the version, with a trailing slash.
    base: String,
    version: &'static str,
}

impl ApiRoot {
    /// The root for a request; `None` if the version does not exist.
    pub(super) fn of(headers: &HeaderMap, version: &str) -> Option<Self> {
        let version = VERSIONS.into_iter().find(|known| *known == version)?;
        let own_root = root(headers);
        Some(Self { base: format!("{own_root}/{version}/"), own_root, version })
    }

    /// The root of the fake, without a trailing slash.
    pub(super) fn own_root(&self) -> &str {
        &self.own_root
    }

    /// The root of the version, with a trailing slash.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// The name of the version.
    pub(super) fn version(&self) -> &'static str {
        self.version
    }

    /// launchpad.md, 1 and 4: only `devel` has account statuses and look-ups by identifier.
    pub(super) fn is_devel(&self) -> bool {
        self.version == "devel"
    }

    /// The URL of a person or team.
    pub(super) fn entry(&self, name: &str) -> String {
        format!("{}~{name}", self.base)
    }

    /// The URL of a type in the WADL.
    pub(super) fn kind(&self, kind: &str) -> String {
        format!("{}#{kind}", self.base)
    }

    /// The URL of any other path.
    pub(super) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}
