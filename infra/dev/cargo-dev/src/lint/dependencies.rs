//! The direction of dependencies between crates of the workspace, for `cargo dev lint`: functions and infra depend on
//! shared, everything in shared depends on core, and nothing that is shipped depends on `infra/dev` or the tests.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use membermail_toolbox::step;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The part of `cargo metadata --no-deps` that is checked.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Package {
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    /// `dev` or `build`; `None` for a normal dependency.
    kind: Option<String>,
    /// The folder of a dependency within the workspace.
    path: Option<PathBuf>,
}

/// A layer of the workspace, by folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layer {
    Core,
    Shared,
    Function,
    /// `infra/mail-host` and `infra/operator`.
    ShippedInfra,
    /// `infra/dev` and `tests`.
    Development,
}

impl Layer {
    fn of(folder: &Path) -> Option<Self> {
        if folder == Path::new("shared/core") {
            Some(Self::Core)
        } else if folder.starts_with("shared") {
            Some(Self::Shared)
        } else if folder.starts_with("functions") {
            Some(Self::Function)
        } else if folder.starts_with("infra/dev") || folder.starts_with("tests") {
            Some(Self::Development)
        } else if folder.starts_with("infra/mail-host") || folder.starts_with("infra/operator") {
            Some(Self::ShippedInfra)
        } else {
            None
        }
    }

    /// Whether a crate of this layer may depend on one of `other`. A dev-dependency is not shipped, so it may also be
    /// on a crate for development.
    fn may_depend_on(self, other: Self, is_dev: bool) -> bool {
        match (self, other) {
            (Self::Development, _) => true,
            (_, Self::Development) => is_dev,
            (Self::Core, _) | (_, Self::Function) => false,
            (Self::Shared | Self::Function, other) => matches!(other, Self::Core | Self::Shared),
            (Self::ShippedInfra, other) => matches!(other, Self::Core | Self::Shared | Self::ShippedInfra),
        }
    }
}

/// Fails with every dependency that points the wrong way.
pub(crate) fn check() -> Result<()> {
    let wrong = violations(&metadata()?)?;
    ensure!(wrong.is_empty(), "dependencies that point the wrong way (docs/architecture.md):\n{}", wrong.join("\n"));
    Ok(())
}

/// The output of `cargo metadata --no-deps`.
pub(super) fn metadata<T: DeserializeOwned>() -> Result<T> {
    let output = step::capture(step::cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
    serde_json::from_str(&output).context("invalid output of cargo metadata")
}

fn violations(metadata: &Metadata) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    for package in &metadata.packages {
        let folder = package.manifest_path.parent().context("a manifest without a folder")?;
        let (folder, layer) = located(folder, metadata)?;
        for dependency in &package.dependencies {
            let Some(path) = &dependency.path else { continue };
            let (target, other) = located(path, metadata)?;
            let kind = dependency.kind.as_deref();
            if !layer.may_depend_on(other, kind == Some("dev")) {
                let kind = kind.map(|kind| format!(" ({kind})")).unwrap_or_default();
                wrong.push(format!("{} -> {}{kind}", folder.display(), target.display()));
            }
        }
    }
    Ok(wrong)
}

/// The folder relative to the workspace, and its layer.
fn located<'a>(folder: &'a Path, metadata: &Metadata) -> Result<(&'a Path, Layer)> {
    let folder = folder.strip_prefix(&metadata.workspace_root)?;
    let layer = Layer::of(folder).with_context(|| format!("{}: a folder without a layer", folder.display()))?;
    Ok((folder, layer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dependency(from: &str, kind: Option<&str>, to: &str) -> Metadata {
        let dependency = Dependency { kind: kind.map(str::to_owned), path: Some(Path::new("/w").join(to)) };
        let manifest_path = Path::new("/w").join(from).join("Cargo.toml");
        Metadata {
            packages: vec![Package { manifest_path, dependencies: vec![dependency] }],
            workspace_root: "/w".into(),
        }
    }

    #[rstest::rstest]
    #[case::function_on_shared("functions/sso", None, "shared/identity", true)]
    #[case::shared_on_core("shared/store", None, "shared/core", true)]
    #[case::shared_on_shared("shared/sync", None, "shared/store", true)]
    #[case::operator_on_mail_host("infra/operator", None, "infra/mail-host/postfix", true)]
    #[case::dev_on_function("infra/dev/cargo-dev", None, "functions/sso", true)]
    #[case::dev_dependency_on_dev("functions/sso", Some("dev"), "infra/dev/fakes", true)]
    #[case::core_on_shared("shared/core", None, "shared/store", false)]
    #[case::core_on_shared_in_tests("shared/core", Some("dev"), "shared/store", false)]
    #[case::shared_on_function("shared/sync", None, "functions/sso", false)]
    #[case::shared_on_infra("shared/store", None, "infra/operator", false)]
    #[case::function_on_function("functions/sso", Some("dev"), "functions/account", false)]
    #[case::function_on_infra("functions/sso", None, "infra/mail-host/alias-map", false)]
    #[case::operator_on_function("infra/operator", None, "functions/check-domains", false)]
    #[case::shipped_on_dev("infra/mail-host/postfix", None, "infra/dev/toolbox", false)]
    #[case::shipped_built_by_dev("shared/notices", Some("build"), "infra/dev/toolbox", false)]
    #[case::shipped_on_tests("infra/operator", None, "tests", false)]
    fn dependency_is_allowed_by_layer(
        #[case] from: &str,
        #[case] kind: Option<&str>,
        #[case] to: &str,
        #[case] is_allowed: bool,
    ) {
        let wrong = violations(&dependency(from, kind, to)).unwrap();
        assert_eq!(wrong.is_empty(), is_allowed, "{wrong:?}");
    }

    #[test]
    fn unknown_folder_is_refused() {
        assert!(violations(&dependency("tools/new", None, "shared/core")).is_err());
    }

    #[test]
    fn workspace_follows_the_direction() {
        check().unwrap();
    }
}
