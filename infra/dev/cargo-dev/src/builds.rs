//! Where the packaged functions are, and the template with their locations.
//!
//! `template.yaml` names `target/lambda`, to which `cargo lambda build` writes and from which `sam deploy` uploads. It
//! holds builds for AWS only: local builds have their own folder, so that no deployment can find them.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use membermail_toolbox::workspace;

/// The functions, by the names of their packages.
pub(crate) const NAMES: [&str; 10] = [
    "sso",
    "account",
    "admin",
    "verify-member",
    "write-aliases",
    "start-sync",
    "sync-team",
    "check-domains",
    "check-status",
    "notify",
];

/// Cargo build profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// For development.
    Dev,
    /// For functions on Lambda.
    Release,
    /// For programs on a mail host.
    Host,
}

impl Profile {
    /// Folder below `target`.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            Self::Release => "release",
            Self::Host => "host",
        }
    }
}

/// File name of a packaged function.
const ZIP: &str = "bootstrap.zip";

/// The folder of builds for AWS, as in the template.
pub(crate) fn for_aws() -> PathBuf {
    workspace().join("target/lambda")
}

/// The folder of builds for this machine.
pub(crate) fn for_host(profile: Profile) -> PathBuf {
    target().join("lambda-local").join(profile.folder())
}

/// Cargo's target folder.
pub(crate) fn target() -> PathBuf {
    // Cargo resolves a relative path from the current folder, which is the workspace.
    workspace().join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// The zip of a function in a folder of builds.
pub(crate) fn zip_in(folder: &Path, name: &str) -> PathBuf {
    folder.join(name).join(ZIP)
}

/// The template with another location for the code of each function.
pub(crate) fn replace_locations(template: &str, location: impl Fn(&str) -> String) -> Result<String> {
    let mut replaced = template.to_owned();
    for name in NAMES {
        let original = format!("CodeUri: target/lambda/{name}/{ZIP}\n");
        ensure!(template.matches(&original).count() == 1, "template.yaml has no `{}`", original.trim_end());
        // A JSON string is a YAML string, whatever the location contains.
        let location = serde_json::Value::from(location(name));
        replaced = replaced.replace(&original, &format!("CodeUri: {location}\n"));
    }
    ensure!(!replaced.contains("CodeUri: target/"), "template.yaml has a CodeUri of an unknown function");
    Ok(replaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template() -> String {
        std::fs::read_to_string(workspace().join("template.yaml")).unwrap()
    }

    #[test]
    fn every_location_is_replaced() {
        let replaced = replace_locations(&template(), |name| format!("/build: #1/{name}.zip")).unwrap();
        for name in NAMES {
            assert!(replaced.contains(&format!("CodeUri: \"/build: #1/{name}.zip\"\n")), "{name}");
        }
        assert!(!replaced.contains("target/lambda"));
        assert_eq!(replaced.lines().count(), template().lines().count());
    }

    #[test]
    fn missing_function_is_reported() {
        let template = template().replace("target/lambda/notify/", "target/lambda/mailer/");
        let error = replace_locations(&template, str::to_owned).unwrap_err().to_string();
        assert_eq!(error, "template.yaml has no `CodeUri: target/lambda/notify/bootstrap.zip`");
    }

    #[test]
    fn unknown_function_is_reported() {
        let template = template() + "      CodeUri: target/lambda/mailer/bootstrap.zip\n";
        let error = replace_locations(&template, str::to_owned).unwrap_err().to_string();
        assert_eq!(error, "template.yaml has a CodeUri of an unknown function");
    }

    #[test]
    fn local_builds_are_not_deployed() {
        for profile in [Profile::Dev, Profile::Release] {
            assert!(!for_host(profile).starts_with(for_aws()));
        }
        assert_ne!(for_host(Profile::Dev), for_host(Profile::Release));
    }
}
