//! Embeds the Fluent files of `languages/`: `<tag>.ftl` has the common texts, `<tag>/<part>.ftl` those of a part of the site.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("languages");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut common = Vec::new();
    let mut parts: BTreeMap<String, Vec<(String, PathBuf)>> = BTreeMap::new();
    for entry in entries(&folder)? {
        let Some(tag) = stem(&entry) else { continue };
        if entry.is_dir() {
            for file in entries(&entry)? {
                let Some(part) = stem(&file) else { continue };
                parts.entry(part.to_uppercase()).or_default().push((tag.clone(), file));
            }
        } else {
            common.push((tag, entry));
        }
    }
    let out = env::var("OUT_DIR")?;
    fs::write(Path::new(&out).join("languages.rs"), list(&common))?;
    let mut code: String = parts
        .iter()
        .map(|(part, files)| {
            let file = part.to_lowercase();
            format!("/// The texts of `<tag>/{file}.ftl`.\npub const {part}: Part = Part({});\n", list(files))
        })
        .collect();
    let names: Vec<_> = parts.keys().map(String::as_str).collect();
    code.push_str(&format!("#[cfg(test)]\npub(crate) const ALL: &[Part] = &[{}];\n", names.join(", ")));
    fs::write(Path::new(&out).join("parts.rs"), code)?;
    Ok(())
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths: Vec<_> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    paths.retain(|path| path.is_dir() || path.extension().is_some_and(|ending| ending == "ftl"));
    paths.sort();
    Ok(paths)
}

fn stem(path: &Path) -> Option<String> {
    Some(path.file_stem()?.to_str()?.to_owned())
}

/// A constant with the tag and the text of each file.
fn list(files: &[(String, PathBuf)]) -> String {
    let lines =
        files.iter().map(|(tag, path)| format!("    ({tag:?}, include_str!({:?})),\n", path.display().to_string()));
    format!("&[\n{}]", lines.collect::<String>())
}
