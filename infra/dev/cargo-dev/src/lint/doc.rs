//! rustdoc without warnings: links between items resolve, and the text is valid.

use anyhow::Result;
use membermail_toolbox::step;
use serde::Deserialize;

use super::dependencies::metadata;

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// Documents all libraries, and the programs that have no library of their name.
pub(crate) fn check() -> Result<()> {
    let metadata: Metadata = metadata()?;
    let mut doc = step::cargo();
    doc.env("RUSTDOCFLAGS", "-D warnings");
    doc.args(["doc", "--workspace", "--no-deps", "--keep-going", "--lib"]);
    doc.args(programs(&metadata).flat_map(|name| ["--bin", name]));
    // There are no examples. Naming them makes cargo unify features with those of dev-dependencies, as clippy does with
    // `--all-targets`; otherwise it checks about 50 third-party crates again.
    step::run_attached(doc.arg("--examples"))
}

/// Programs that `cargo doc` documents by default: the page of a library would have the same path as its program's.
fn programs(metadata: &Metadata) -> impl Iterator<Item = &str> {
    metadata.packages.iter().flat_map(|package| {
        let (libraries, others): (Vec<_>, Vec<_>) = package.targets.iter().partition(|target| target.is("lib"));
        let programs = others.into_iter().filter(|target| target.is("bin"));
        programs
            .filter(move |program| libraries.iter().all(|library| library.page() != program.page()))
            .map(|program| program.name.as_str())
    })
}

impl Target {
    fn is(&self, kind: &str) -> bool {
        self.kind.iter().any(|one| one == kind)
    }

    /// The name of its folder in the documentation.
    fn page(&self) -> String {
        self.name.replace('-', "_")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_of_libraries_are_excluded() {
        let metadata = serde_json::from_str(
            r#"{ "packages": [
                { "targets": [{ "name": "start_sync", "kind": ["lib"] }, { "name": "start-sync", "kind": ["bin"] }] },
                { "targets": [{ "name": "membermail", "kind": ["bin"] }, { "name": "cli", "kind": ["test"] }] }
            ] }"#,
        );
        assert_eq!(programs(&metadata.unwrap()).collect::<Vec<_>>(), ["membermail"]);
    }
}
