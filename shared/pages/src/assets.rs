//! Static files. Each name contains a hash of the content, so that browsers can cache the file forever.

/// A static file.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    stem: &'static str,
    extension: &'static str,
    /// The media type.
    pub media_type: &'static str,
    /// The content.
    pub text: &'static str,
}

/// The style sheet of every page.
pub const STYLE: Asset = Asset {
    stem: "style",
    extension: "css",
    media_type: "text/css; charset=utf-8",
    text: include_str!("../assets/style.css"),
};
/// Refreshes the live part of a page.
pub const PROGRESS: Asset = Asset {
    stem: "progress",
    extension: "js",
    media_type: "text/javascript; charset=utf-8",
    text: include_str!("../assets/progress.js"),
};
/// The icon beside the name of the site.
pub const ICON: Asset =
    Asset { stem: "icon", extension: "svg", media_type: "image/svg+xml", text: include_str!("../assets/icon.svg") };

impl Asset {
    /// The file name below `/assets/`.
    pub fn name(&self) -> String {
        format!("{}-{:016x}.{}", self.stem, hash(self.text), self.extension)
    }
}

/// The asset with this file name.
pub fn find(name: &str) -> Option<Asset> {
    [STYLE, PROGRESS, ICON].into_iter().find(|asset| asset.name() == name)
}

/// FNV-1a. It only distinguishes versions, so it need not be cryptographic.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_changes_with_content() {
        assert!(find(&STYLE.name()).is_some_and(|found| found.text == STYLE.text));
        let changed = Asset { text: "body {}", ..STYLE };
        assert_ne!(changed.name(), STYLE.name());
        assert!(find(&changed.name()).is_none());
        assert_eq!(hash("foobar"), 0x8594_4171_f739_67e8);
    }
}
