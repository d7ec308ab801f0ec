//! The few files that pages load. Their names hold a hash of what is in them, so that browsers keep them for good.

/// A file as it is served.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    stem: &'static str,
    extension: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// The look of every page.
pub const STYLE: Asset = Asset {
    stem: "style",
    extension: "css",
    media_type: "text/css; charset=utf-8",
    text: include_str!("../assets/style.css"),
};
/// Renews the part of a page that is in progress.
pub const PROGRESS: Asset = Asset {
    stem: "progress",
    extension: "js",
    media_type: "text/javascript; charset=utf-8",
    text: include_str!("../assets/progress.js"),
};
/// The picture beside the name of the site.
pub const ICON: Asset =
    Asset { stem: "icon", extension: "svg", media_type: "image/svg+xml", text: include_str!("../assets/icon.svg") };

impl Asset {
    /// Its name below `/assets/`.
    pub fn name(&self) -> String {
        format!("{}-{:016x}.{}", self.stem, hash(self.text), self.extension)
    }
}

/// The asset of that name.
pub fn find(name: &str) -> Option<Asset> {
    [STYLE, PROGRESS, ICON].into_iter().find(|asset| asset.name() == name)
}

/// FNV-1a: tells one version from the next, and need do no more.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_of_one_text() {
        assert!(find(&STYLE.name()).is_some_and(|found| found.text == STYLE.text));
        let changed = Asset { text: "body {}", ..STYLE };
        assert_ne!(changed.name(), STYLE.name());
        assert!(find(&changed.name()).is_none());
        assert_eq!(hash("foobar"), 0x8594_4171_f739_67e8);
    }
}
