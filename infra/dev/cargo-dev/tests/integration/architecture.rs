//! docs/architecture.md names files and items, which move and are renamed: each must exist. So must the files that the other
//! pages name.
//!
//! A reference is a code span: a path from the root of the repository, optionally with `::` and the names of items in that
//! file. In YAML an item is a key.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use membermail_toolbox::workspace;

const PAGE: &str = "docs/architecture.md";
/// Folders with sources: elsewhere a path can be that of an installed or generated file.
const SOURCES: [&str; 5] = ["functions/", "shared/", "infra/", "tests/", "docs/"];
/// Keywords that introduce an item.
const KEYWORDS: [&str; 8] = ["fn", "struct", "enum", "trait", "const", "static", "type", "mod"];

fn read(path: &str) -> Result<String> {
    fs::read_to_string(workspace().join(path)).with_context(|| path.to_owned())
}

/// Fails if something is not described, or if no more than `minimum` names are recognized.
fn check_described(names: &[&str], minimum: usize, is_described: impl Fn(&str) -> bool) -> Result<()> {
    ensure!(names.len() > minimum, "only {names:?} are recognized");
    let missing: Vec<_> = names.iter().filter(|name| !is_described(name)).collect();
    ensure!(missing.is_empty(), "{PAGE} does not describe {missing:?}");
    Ok(())
}

#[test]
fn architecture_references_exist() -> Result<()> {
    let root = workspace();
    let page = read(PAGE)?;
    let references: Vec<_> = references(&page).collect();
    ensure!(references.len() > 80, "only {} references are recognized", references.len());
    let missing: Vec<_> = references.into_iter().filter(|reference| !exists(&root, reference)).collect();
    ensure!(missing.is_empty(), "{PAGE} names what does not exist: {missing:#?}");
    Ok(())
}

#[test]
fn table_schema_lists_every_key() -> Result<()> {
    let page = read(PAGE)?;
    let source = read("shared/store/src/keys.rs")?;
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let code = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let literals = code.split('"').skip(1).step_by(2);
    let prefixes = literals.map(|text| text.split(|c: char| !c.is_ascii_uppercase()).next().unwrap_or_default());
    let prefixes: Vec<_> = prefixes.filter(|prefix| prefix.len() > 1).collect();
    check_described(&prefixes, 30, |prefix| page.contains(&format!("`{prefix}")))
}

#[test]
fn every_queue_is_described() -> Result<()> {
    let page = read(PAGE)?;
    let template = read("template.yaml")?;
    let queues: Vec<_> = template.lines().filter_map(|line| line.strip_prefix("  ")?.strip_suffix("Queue:")).collect();
    check_described(&queues, 4, |queue| page.contains(&format!("`template.yaml::{queue}Queue`")))
}

#[test]
fn every_message_is_described() -> Result<()> {
    let page = read(PAGE)?;
    let source = read("shared/core/src/message.rs")?;
    let definitions =
        source.lines().filter_map(|line| line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub enum ")));
    let messages: Vec<_> = definitions.filter_map(|rest| rest.split([' ', '(', '<', ';']).next()).collect();
    let spans: Vec<_> = page.split('`').skip(1).step_by(2).filter_map(|span| span.split("::").next()).collect();
    check_described(&messages, 6, |message| spans.contains(&message))
}

#[test]
fn paths_in_docs_exist() -> Result<()> {
    let root = workspace();
    let mut missing = Vec::new();
    for folder in ["docs", "docs/decisions"] {
        for entry in fs::read_dir(root.join(folder))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "md") {
                let page = fs::read_to_string(&path)?;
                let paths = references(&page).filter(|path| SOURCES.iter().any(|source| path.starts_with(source)));
                missing.extend(paths.filter(|path| !exists(&root, path)).map(|path| format!("{path} in {folder}")));
            }
        }
    }
    ensure!(missing.is_empty(), "the docs name what does not exist: {missing:#?}");
    Ok(())
}

#[rstest::rstest]
#[case::file("shared/store/src/keys.rs", true)]
#[case::folder("shared/store", true)]
#[case::function("shared/store/src/keys.rs::alias", true)]
#[case::constant("shared/store/src/keys.rs::OUTBOX_SHARDS", true)]
#[case::resource("template.yaml::VerifyQueue", true)]
#[case::missing_file("shared/store/src/key.rs", false)]
#[case::missing_function("shared/store/src/keys.rs::no_such_function", false)]
#[case::prefix_of_a_function("shared/store/src/keys.rs::alia", false)]
#[case::missing_resource("template.yaml::VerifyQueu", false)]
fn reference_resolves_only_if_it_exists(#[case] reference: &str, #[case] expected: bool) {
    assert_eq!(references(&format!("text `{reference}` text")).collect::<Vec<_>>(), [reference]);
    assert_eq!(exists(&workspace(), reference), expected);
}

/// Code spans that are paths, outside code blocks.
fn references(page: &str) -> impl Iterator<Item = &str> {
    let prose = page.split("```").step_by(2);
    let spans = prose.flat_map(|text| text.split('`').skip(1).step_by(2));
    spans.filter(|span| {
        let path = span.split("::").next().unwrap_or_default();
        let is_path = path.contains('/') && !path.starts_with('/');
        let is_plain = span.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-:".contains(&byte));
        is_plain && (is_path || span.starts_with("template.yaml"))
    })
}

fn exists(root: &Path, reference: &str) -> bool {
    let mut parts = reference.split("::");
    let path = root.join(parts.next().unwrap_or_default());
    let items: Vec<_> = parts.collect();
    if items.is_empty() {
        return path.exists();
    }
    let Ok(text) = fs::read_to_string(&path) else { return false };
    let is_defined = if path.extension().is_some_and(|extension| extension == "rs") { defines } else { has_key };
    items.iter().all(|item| is_defined(&text, item))
}

/// Whether Rust source defines an item of this name.
fn defines(text: &str, name: &str) -> bool {
    let code = text.lines().map(str::trim_start).filter(|line| !line.starts_with("//"));
    code.flat_map(|line| KEYWORDS.iter().filter_map(move |keyword| line.split_once(&format!("{keyword} {name}"))))
        .any(|(_, rest)| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
}

/// Whether YAML has this key.
fn has_key(text: &str, name: &str) -> bool {
    text.lines().any(|line| line.trim_start().strip_prefix(name).is_some_and(|rest| rest.starts_with(':')))
}
