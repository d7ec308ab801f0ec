//! Embeds every community file of this folder as JSON, and fails the build with a line number if one is invalid.

#[path = "src/check.rs"]
mod check;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=.");
    let folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let mut files: Vec<PathBuf> =
        fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_, std::io::Error>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml") && !path.ends_with("Cargo.toml"));
    files.sort();
    let mut table = String::from("&[\n");
    for path in files {
        let name = path.file_stem().and_then(|stem| stem.to_str()).ok_or("a community file has an invalid name")?;
        match check::parse(&fs::read_to_string(&path)?) {
            Ok(community) => table.push_str(&format!("({name:?}, {:?}),\n", serde_json::to_string(&community)?)),
            Err(errors) => {
                for error in errors {
                    println!("cargo::error={}:{}: {}", path.display(), error.line, error.reason.replace('\n', "; "));
                }
            }
        }
    }
    table.push(']');
    fs::write(Path::new(&env::var("OUT_DIR")?).join("communities.rs"), table)?;
    Ok(())
}
