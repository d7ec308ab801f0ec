//! Identifies the build. The version is compiled in. The commit comes from an environment variable that `cargo dev` sets, so
//! that a new commit alone does not cause a recompilation.

use membermail_runtime::variables::process_variable;
use serde::Serialize;

/// A build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Build {
    /// Version of the package.
    pub version: &'static str,
    /// The source; unknown after a manual deployment.
    #[serde(flatten)]
    pub source: Source,
}

/// The source of a build. It contains no build time, so that two builds of a commit are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The git commit.
    pub commit: Option<String>,
    /// Time of the commit (RFC 3339).
    pub committed: Option<String>,
    /// Whether there were uncommitted changes.
    pub modified: Option<bool>,
}

impl Build {
    /// The build of this process.
    pub fn of_process() -> Self {
        let source = process_variable("BUILD").and_then(|text| Source::parse(&text)).unwrap_or_default();
        Self { version: env!("CARGO_PKG_VERSION"), source }
    }
}

impl Source {
    /// Parses `<commit>/<time>/<clean or modified>`.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/').map(str::to_owned);
        let commit = parts.next().filter(|commit| !commit.is_empty())?;
        let committed = parts.next()?;
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
    fn build_variable_is_parsed(#[case] text: &str, #[case] modified: Option<bool>) {
        let source = modified.map(|modified| Source {
            commit: Some("c0ffee".into()),
            committed: Some("2026-11-24T10:00:00Z".into()),
            modified: Some(modified),
        });
        assert_eq!(Source::parse(text), source);
    }
}
