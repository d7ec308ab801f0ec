//! The few files that pages load. Their names hold a version, so that browsers keep them for good.

/// A file as it is served.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Below `/assets/`.
    pub name: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// The look of every page.
pub const STYLE: Asset =
    Asset { name: "style-1.css", media_type: "text/css; charset=utf-8", text: include_str!("../assets/style.css") };
/// Renews the part of a page that is in progress.
pub const PROGRESS: Asset = Asset {
    name: "progress-1.js",
    media_type: "text/javascript; charset=utf-8",
    text: include_str!("../assets/progress.js"),
};

/// The asset of that name.
pub fn find(name: &str) -> Option<Asset> {
    [STYLE, PROGRESS].into_iter().find(|asset| asset.name == name)
}
