//! Which build this is. The version is compiled in; the commit lies beside the program, in the file that the build tool
//! writes into the package: so a commit that changes nothing here compiles nothing anew.

use std::path::Path;

use membermail_runtime::variables::of_process;
use serde::{Deserialize, Serialize};

/// The file in the function's package.
pub const FILE: &str = "build.json";

/// A build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Build {
    /// Of the package.
    pub version: &'static str,
    /// Where its source is from; nothing is known of a program that was built by hand.
    #[serde(flatten)]
    pub source: Source,
}

/// Where the source of a build is from. Two builds of one commit say the same: their own time is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The git commit.
    pub commit: Option<String>,
    /// When that was made, as RFC 3339 has it.
    pub committed: Option<String>,
    /// Whether the source was another than the commit's.
    pub modified: Option<bool>,
}

impl Build {
    /// Of this process, whose package Lambda tells by `LAMBDA_TASK_ROOT`.
    pub fn of_process() -> Self {
        let source = of_process("LAMBDA_TASK_ROOT").map(|root| read(Path::new(&root))).unwrap_or_default();
        Self { version: env!("CARGO_PKG_VERSION"), source }
    }
}

fn read(root: &Path) -> Source {
    let text = std::fs::read(root.join(FILE)).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::none(None, Source::default())]
    #[case::broken(Some("{"), Source::default())]
    #[case::whole(
        Some(r#"{"commit":"c0ffee","committed":"2026-11-24T10:00:00Z","modified":false}"#),
        Source {
            commit: Some("c0ffee".into()),
            committed: Some("2026-11-24T10:00:00Z".into()),
            modified: Some(false),
        }
    )]
    fn what_the_build_tool_wrote(#[case] text: Option<&str>, #[case] source: Source) {
        let folder = tempfile::tempdir().unwrap();
        if let Some(text) = text {
            std::fs::write(folder.path().join(FILE), text).unwrap();
        }
        assert_eq!(read(folder.path()), source);
    }
}
