//! Which build this is. The version is compiled in; the commit is told by a variable that `cargo dev` gives the stack: so
//! a commit that changes nothing here compiles nothing anew.

use membermail_runtime::variables::of_process;
use serde::Serialize;

/// A build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Build {
    /// Of the package.
    pub version: &'static str,
    /// Where its source is from; nothing is known of a program that was deployed by hand.
    #[serde(flatten)]
    pub source: Source,
}

/// Where the source of a build is from. Two builds of one commit say the same: their own time is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The git commit.
    pub commit: Option<String>,
    /// When that was made, as RFC 3339 has it.
    pub committed: Option<String>,
    /// Whether the source was another than the commit's.
    pub modified: Option<bool>,
}

impl Build {
    /// Of this process.
    pub fn of_process() -> Self {
        let source = of_process("BUILD").and_then(|text| Source::read(&text)).unwrap_or_default();
        Self { version: env!("CARGO_PKG_VERSION"), source }
    }
}

impl Source {
    /// Reads `<commit>/<time>/<clean or modified>`.
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('/').map(str::to_owned);
        let (commit, committed) = (parts.next().filter(|commit| !commit.is_empty())?, parts.next()?);
        let modified = parts.next()? == "modified";
        Some(Self { commit: Some(commit), committed: Some(committed), modified: Some(modified) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::none("", None)]
    #[case::cut_short("c0ffee/2026-11-24T10:00:00Z", None)]
    #[case::clean("c0ffee/2026-11-24T10:00:00Z/clean", Some(false))]
    #[case::modified("c0ffee/2026-11-24T10:00:00Z/modified", Some(true))]
    fn what_the_build_tool_says(#[case] text: &str, #[case] modified: Option<bool>) {
        let source = modified.map(|modified| Source {
            commit: Some("c0ffee".into()),
            committed: Some("2026-11-24T10:00:00Z".into()),
            modified: Some(modified),
        });
        assert_eq!(Source::read(text), source);
    }
}
